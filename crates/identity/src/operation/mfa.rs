//! CreateVirtualMFADevice, DeleteVirtualMFADevice, EnableMFADevice, DeactivateMFADevice, ResyncMFADevice.

use ::policy::Principal;

use super::shapes::shapes;
use super::tag::{self, Tag};
use super::user::{Owner, User};
use super::{Allowed, Done, Operation, Subject};
use crate::entity::Entity;
use crate::error::Error;
use crate::mfa::{Device, name_of};
use crate::qr;
use crate::record::{self, Head};
use crate::rows::Kind;
use crate::store::{Work, change};
use crate::time::Timestamp;
use crate::{Identity, entity, limits};
use keys::Plaintext;
use zeroize::Zeroizing;

shapes! {
    request CreateVirtualMFADeviceRequest {
        path? String, #[serde(rename = "VirtualMFADeviceName")] virtual_mfa_device_name: String, tags? Vec<Tag>
    }
    request DeleteVirtualMFADeviceRequest { serial_number: String }
    request EnableMFADeviceRequest {
        user_name: String, serial_number: String, authentication_code1: String, authentication_code2: String
    }
    request DeactivateMFADeviceRequest { user_name? String, serial_number: String }
    request ResyncMFADeviceRequest {
        user_name: String, serial_number: String, authentication_code1: String, authentication_code2: String
    }
}

/// The answer of CreateVirtualMFADevice.
#[derive(serde::Serialize)]
pub struct CreateVirtualMFADeviceResponse {
    /// `VirtualMFADevice`
    #[serde(rename = "VirtualMFADevice")]
    pub virtual_mfa_device: VirtualMFADevice,
}

/// `VirtualMFADevice` of the service model. What the device is set up with is there once, when it is made.
#[derive(serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VirtualMFADevice {
    /// `SerialNumber`: the ARN.
    pub serial_number: String,
    /// `Base32StringSeed`: the text of the seed.
    #[serde(rename = "Base32StringSeed", skip_serializing_if = "Option::is_none")]
    pub base32_string_seed: Option<Plaintext>,
    /// `QRCodePNG`: a picture of the seed's `otpauth` URI.
    #[serde(rename = "QRCodePNG", skip_serializing_if = "Option::is_none")]
    pub qr_code_png: Option<Plaintext>,
    /// `User`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// `EnableDate`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_date: Option<Timestamp>,
    /// `Tags`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
}

impl Identity {
    /// An action on a device.
    pub(crate) async fn device_subject(
        &self,
        action: &'static str,
        caller: &Principal,
        serial: &str,
    ) -> Result<Vec<Subject>, Error> {
        let found = match name_of(caller.account, serial) {
            Some(name) => self.entity::<Device>(caller.account, name).await?,
            None => None,
        };
        let found = found.filter(|device| device.arn(caller.account) == serial);
        let tags = found.as_ref().map_or(&[][..], Entity::resource_tags);
        Ok(vec![Subject::new(action, serial).with_resource_tags(tags)])
    }
}

impl Work<'_> {
    /// The device of a serial number.
    ///
    /// # Errors
    /// [`Error::NoSuchEntity`].
    pub(crate) async fn device(&mut self, serial: &str) -> Result<Device, Error> {
        let found = match name_of(self.account, serial) {
            Some(name) => self.find::<Device>(name).await?,
            None => None,
        };
        let device = found.filter(|device| device.arn(self.account) == serial);
        device.ok_or_else(|| Device::missing(serial))
    }

    /// The user of a name and its own device of a serial number.
    async fn own_device(&mut self, user: &str, serial: &str) -> Result<(record::User, Device), Error> {
        let user: record::User = self.require(user).await?;
        let device = self.device(serial).await?;
        match device.user.as_ref() == Some(&user.head.id) {
            true => Ok((user, device)),
            false => Err(Error::NoSuchEntity("MFA Device invalid for user.".to_owned())),
        }
    }
}

impl Operation for CreateVirtualMFADeviceRequest {
    const NAME: &'static str = "CreateVirtualMFADevice";
    type Response = CreateVirtualMFADeviceResponse;

    async fn subjects(&self, _: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        let (path, name) = (self.path.as_deref().unwrap_or("/"), &self.virtual_mfa_device_name);
        let arn = entity::arn(caller.account, Kind::Mfa, path, name);
        let tags = self.tags.as_deref().unwrap_or_default();
        let create = Subject::new("iam:CreateVirtualMFADevice", &arn).with_request_tags(tags);
        let tagging = (!tags.is_empty()).then(|| Subject::new("iam:TagMFADevice", &arn).with_request_tags(tags));
        Ok(std::iter::once(create).chain(tagging).collect())
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<CreateVirtualMFADeviceResponse, Error> {
        let tags = tag::checked(self.tags.as_deref())?;
        let head = Head::new(identity, Kind::Mfa, &self.virtual_mfa_device_name, self.path.as_deref());
        let device = Device::new(head, tags);
        change!(identity, by.account(), |work| work.insert(&device).await)?;
        let serial_number = device.arn(by.account());
        // AWS's form of the URI: AWSIAM User Guide, "Assign a virtual MFA device".
        let uri = Zeroizing::new(format!(
            "otpauth://totp/{}@{}?secret={}&issuer=Strongroom",
            device.head.name,
            by.account(),
            *device.seed
        ));
        let png = qr::png(&uri);
        let virtual_mfa_device = VirtualMFADevice {
            serial_number,
            base32_string_seed: Some(Plaintext::new(device.seed.as_bytes().to_vec())),
            qr_code_png: png.map(Plaintext::from),
            user: None,
            enable_date: None,
            tags: tag::shown_if_any(&device.tags),
        };
        Ok(CreateVirtualMFADeviceResponse { virtual_mfa_device })
    }
}

impl Operation for DeleteVirtualMFADeviceRequest {
    const NAME: &'static str = "DeleteVirtualMFADevice";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        identity.device_subject("iam:DeleteVirtualMFADevice", caller, &self.serial_number).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let device = work.device(&self.serial_number).await?;
            if device.user.is_some() {
                return Err(Error::DeleteConflict("MFA VirtualDevice in use. Must deactivate first.".to_owned()));
            }
            work.delete(&device).await?;
            Ok(Done {})
        })
    }
}

impl Operation for EnableMFADeviceRequest {
    const NAME: &'static str = "EnableMFADevice";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::User>("iam:EnableMFADevice", caller, &self.user_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let mut user: record::User = work.require(&self.user_name).await?;
            let mut device = work.device(&self.serial_number).await?;
            if device.user.is_some() {
                return Err(Error::EntityAlreadyExists("MFA Device is already in use.".to_owned()));
            }
            if user.credentials.mfa.len() >= limits::MFA_DEVICES_PER_USER {
                return Err(Error::quota("MFADevicesPerUser", limits::MFA_DEVICES_PER_USER));
            }
            synchronize(&mut device, (&self.authentication_code1, &self.authentication_code2), identity.now())?;
            device.user = Some(user.head.id.clone());
            device.enabled = Some(identity.now());
            user.credentials.mfa.push(device.head.id.clone());
            work.update(&device);
            work.update(&user);
            Ok(Done {})
        })
    }
}

impl Operation for DeactivateMFADeviceRequest {
    const NAME: &'static str = "DeactivateMFADevice";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Owner::new(caller, self.user_name.as_deref())?.subject(identity, "iam:DeactivateMFADevice", caller).await
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        let Owner::User(name) = Owner::new(by.caller(), self.user_name.as_deref())? else {
            return Err(Device::missing(&self.serial_number));
        };
        change!(identity, by.account(), |work| {
            let (mut user, mut device) = work.own_device(&name, &self.serial_number).await?;
            (device.user, device.enabled) = (None, None);
            user.credentials.mfa.retain(|id| *id != device.head.id);
            work.update(&device);
            work.update(&user);
            Ok(Done {})
        })
    }
}

impl Operation for ResyncMFADeviceRequest {
    const NAME: &'static str = "ResyncMFADevice";
    type Response = Done;

    async fn subjects(&self, identity: &Identity, caller: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![identity.subject::<record::User>("iam:ResyncMFADevice", caller, &self.user_name).await?.0])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<Done, Error> {
        change!(identity, by.account(), |work| {
            let (_, mut device) = work.own_device(&self.user_name, &self.serial_number).await?;
            synchronize(&mut device, (&self.authentication_code1, &self.authentication_code2), identity.now())?;
            work.update(&device);
            Ok(Done {})
        })
    }
}

fn synchronize(device: &mut Device, codes: (&str, &str), now: Timestamp) -> Result<(), Error> {
    match device.synchronize(codes, now) {
        true => Ok(()),
        false => Err(Error::InvalidAuthenticationCode("Authentication code for device is not valid.".to_owned())),
    }
}
