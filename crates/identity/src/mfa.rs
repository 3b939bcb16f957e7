//! Virtual MFA devices: their records, and the codes that they show (TOTP, RFC 6238).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use data_encoding::BASE32;
use policy::{AccountId, Principal, PrincipalKind};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::Identity;
use crate::entity::{Entity, Tagged};
use crate::error::Error;
use crate::limits;
use crate::record::{Head, Tags, json_records};
use crate::rows::Kind;
use crate::store::change;
use crate::time::Timestamp;

/// A virtual MFA device.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) head: Head,
    /// Of [`SEED`] bytes, in base32 without padding.
    pub(crate) seed: Zeroizing<String>,
    #[serde(default)]
    pub(crate) tags: Tags,
    /// The unique id of the user whom it is enabled for.
    #[serde(default)]
    pub(crate) user: Option<String>,
    #[serde(default)]
    pub(crate) enabled: Option<Timestamp>,
    /// Steps that the device's clock is ahead of ours.
    #[serde(default)]
    pub(crate) drift: i64,
    /// The step of the last code that was taken: neither that one nor one before is taken again.
    #[serde(default)]
    pub(crate) last: Option<u64>,
    /// Wrong codes since the last right one.
    #[serde(default)]
    pub(crate) wrong: u32,
    /// No code is looked at before this time.
    #[serde(default)]
    pub(crate) barred: Option<Timestamp>,
}

json_records!(Device);

impl Entity for Device {
    const KIND: Kind = Kind::Mfa;
    const NAME: &'static str = "MFADevice";
    const QUOTA: (&'static str, usize) = ("VirtualMFADevicesPerAccount", limits::VIRTUAL_MFA_DEVICES);

    fn head(&self) -> &Head {
        &self.head
    }

    fn head_mut(&mut self) -> &mut Head {
        &mut self.head
    }

    fn resource_tags(&self) -> &[(String, String)] {
        &self.tags
    }

    fn missing(name: &str) -> Error {
        Error::NoSuchEntity(format!("VirtualMFADevice with serial number {name} does not exist."))
    }

    fn taken(_: &str) -> Error {
        Error::EntityAlreadyExists("MFADevice entity at the same path and name already exists.".to_owned())
    }
}

impl Tagged for Device {
    fn tags_mut(&mut self) -> &mut Tags {
        &mut self.tags
    }
}

/// Bytes of a seed: 64 characters of base32, as AWS's.
const SEED: usize = 40;
/// Seconds that a code stands.
const STEP: u64 = 30;
/// Steps that a device's clock may be off when it is enabled or synchronized anew: 5 minutes.
const SEARCH: i64 = 10;
/// Steps that it may be off otherwise.
const WINDOW: i64 = 1;
/// Wrong codes in a row, after which only one in [`STEP`] seconds is looked at: to guess one of a million then takes months.
const WRONG: u32 = 5;

impl Device {
    /// A new one.
    pub(crate) fn new(head: Head, tags: Tags) -> Self {
        let random = Zeroizing::new(seal::random_bytes::<SEED>());
        let seed = Zeroizing::new(BASE32.encode(&*random));
        Self { head, seed, tags, user: None, enabled: None, drift: 0, last: None, wrong: 0, barred: None }
    }

    /// The code of a step.
    pub(crate) fn code(&self, step: u64) -> Option<[u8; 6]> {
        let seed = Zeroizing::new(BASE32.decode(self.seed.as_bytes()).ok()?);
        Some(totp(&seed, step))
    }

    /// Which step around `now` has this code, `reach` steps in either direction.
    fn step_of(&self, code: &str, now: Timestamp, reach: i64) -> Option<u64> {
        let middle = (now.as_secs() / STEP).checked_add_signed(self.drift)?;
        // All of them, so that the time tells nothing.
        let steps = (-reach..=reach).filter_map(|off| middle.checked_add_signed(off));
        steps.filter(|step| self.shows(*step, code)).fold(None, |found, step| found.or(Some(step)))
    }

    fn shows(&self, step: u64, code: &str) -> bool {
        self.code(step).is_some_and(|right| verify_slices_are_equal(&right, code.as_bytes()).is_ok())
    }

    /// Takes a code, which is then used up.
    pub(crate) fn take(&mut self, code: &str, now: Timestamp) -> bool {
        if self.barred.is_some_and(|barred| now < barred) {
            return false;
        }
        match self.step_of(code, now, WINDOW) {
            Some(step) if self.last.is_none_or(|last| step > last) => {
                (self.last, self.wrong, self.barred) = (Some(step), 0, None);
                true
            }
            _ => {
                self.wrong = self.wrong.saturating_add(1);
                self.barred = (self.wrong >= WRONG).then(|| now.after(STEP));
                false
            }
        }
    }

    /// Takes two codes that follow each other, and learns from them what the device's clock says.
    pub(crate) fn synchronize(&mut self, (first, second): (&str, &str), now: Timestamp) -> bool {
        let mut straight = Self { drift: 0, ..self.clone() };
        let middle = now.as_secs() / STEP;
        let steps = (-SEARCH..=SEARCH).filter_map(|off| middle.checked_add_signed(off));
        let found = steps
            .filter(|step| straight.shows(*step, first) && straight.shows(step + 1, second))
            .find(|step| self.last.is_none_or(|last| *step > last));
        let Some(step) = found else { return false };
        straight.last = Some(step + 1);
        // The second code may be shown for another step from now on.
        let drift = i64::try_from(step + 1).unwrap_or(0) - i64::try_from(middle).unwrap_or(0);
        straight.drift = if drift.abs() <= WINDOW { 0 } else { drift };
        *self = straight;
        true
    }
}

/// The code of a step: HOTP of six digits (RFC 4226, section 5.3) with HMAC-SHA-1.
fn totp(seed: &[u8], step: u64) -> [u8; 6] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let offset = usize::from(tag[tag.len() - 1] & 0xf);
    let word = tag[offset..offset + 4].iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) & 0x7fff_ffff;
    let mut code = [0; 6];
    let text = format!("{:06}", word % 1_000_000);
    code.copy_from_slice(text.as_bytes());
    code
}

/// The name behind the path of a virtual device's serial number, which is its ARN; `None`: not one of this account.
pub(crate) fn name_of(account: AccountId, serial: &str) -> Option<&str> {
    let path = serial.strip_prefix("arn:aws:iam::")?.strip_prefix(account.as_str())?.strip_prefix(":mfa/")?;
    path.rsplit('/').next()
}

impl Identity {
    /// Whether `code` is what the caller's own device of this serial number shows. A code is taken once.
    ///
    /// # Errors
    /// A failing store; a damaged row.
    pub async fn verify_mfa(&self, caller: &Principal, serial: &str, code: &str) -> Result<bool, Error> {
        let (PrincipalKind::User { .. }, Some(name)) = (&caller.kind, name_of(caller.account, serial)) else {
            return Ok(false);
        };
        change!(self, caller.account, |work| {
            let device = work.find::<Device>(name).await?.filter(|device| device.arn(caller.account) == serial);
            let own = device.filter(|device| device.user.as_ref() == Some(&caller.user_id));
            let Some(mut device) = own else { return Ok(false) };
            let right = device.take(code, self.now());
            work.update(&device);
            Ok(right)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn device() -> Device {
        let created = Timestamp::from_secs(0);
        let head = Head { id: "i".to_owned(), name: "n".to_owned(), path: "/".to_owned(), created };
        Device::new(head, Tags::new())
    }

    fn shown(device: &Device, at: u64) -> String {
        String::from_utf8(device.code(at / STEP).unwrap().to_vec()).unwrap()
    }

    /// RFC 6238, appendix B; its codes have eight digits, of which ours are the last six.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (at, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(totp(b"12345678901234567890", at / STEP), code.as_bytes(), "{at}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_near_its_time_alone() {
        let now: u64 = 1_700_000_010;
        for (off, good) in [(0_i64, true), (30, true), (-30, true), (60, false), (-60, false)] {
            let mut device = device();
            let code = shown(&device, now.checked_add_signed(off).unwrap());
            assert_eq!(device.take(&code, Timestamp::from_secs(now)), good, "{off}");
            assert!(!device.take(&code, Timestamp::from_secs(now)), "a second time");
        }
        let mut device = device();
        let (before, code) = (shown(&device, now - 30), shown(&device, now));
        assert!(device.take(&code, Timestamp::from_secs(now)));
        assert!(!device.take(&before, Timestamp::from_secs(now)), "a code of before the last one");
    }

    #[test]
    fn who_guesses_waits() {
        let (mut device, now) = (device(), 1_700_000_010);
        let right = |device: &Device, at| shown(device, at);
        for _ in 0..WRONG {
            assert!(!device.take("no", Timestamp::from_secs(now)));
        }
        let code = right(&device, now);
        assert!(!device.take(&code, Timestamp::from_secs(now)), "not looked at");
        let code = right(&device, now + STEP);
        assert!(device.take(&code, Timestamp::from_secs(now + STEP)));
        assert_eq!((device.wrong, device.barred), (0, None));
    }

    #[test]
    fn two_codes_in_a_row_tell_what_the_devices_clock_says() {
        let (now, ahead) = (1_700_000_010, 240);
        let mut device = device();
        let codes = (shown(&device, now + ahead), shown(&device, now + ahead + 30));
        assert!(!device.synchronize((&codes.1, &codes.0), Timestamp::from_secs(now)));
        assert!(!device.synchronize((&codes.0, &codes.0), Timestamp::from_secs(now)));
        assert!(device.synchronize((&codes.0, &codes.1), Timestamp::from_secs(now + 30)));
        assert!(!device.synchronize((&codes.0, &codes.1), Timestamp::from_secs(now + 30)), "used up");
        let later = now + 600;
        let code = shown(&device, later + ahead);
        assert!(device.take(&code, Timestamp::from_secs(later)));
    }
}
