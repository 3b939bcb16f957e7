//! What a caller demands, and what happens otherwise.

use crate::support::{aes, decryptor, encryptor, named, open};
use client::keys::{AesKey, RsaPadding};
use client::message::{
    CommitmentPolicy, Decryptor, EncryptedDataKey, Encryptor, Keyring, Multi, RawAes, RawRsa, Request, Suite, Wrapped,
};
use client::{DataKey, EncryptionContext, Error};
use std::io::Write;

use CommitmentPolicy::{ForbidEncryptAllowDecrypt, RequireEncryptAllowDecrypt, RequireEncryptRequireDecrypt};

#[test]
fn the_commitment_policy_decides_what_is_written_and_read() {
    for policy in [ForbidEncryptAllowDecrypt, RequireEncryptAllowDecrypt, RequireEncryptRequireDecrypt] {
        for suite in Suite::all() {
            let written = Encryptor::new(aes()).commitment(policy).suite(suite).encrypt(b"text");
            assert_eq!(written.is_ok(), suite.commits() == (policy != ForbidEncryptAllowDecrypt), "{policy:?} {suite}");
            assert!(written.is_ok() || matches!(written, Err(Error::CommitmentPolicy(id)) if id == suite.id()));
            let message = encryptor(suite, aes()).encrypt(b"text").unwrap();
            let read = Decryptor::new(aes()).commitment(policy).decrypt(&message);
            assert_eq!(read.is_ok(), suite.commits() || policy != RequireEncryptRequireDecrypt, "{policy:?} {suite}");
            assert!(read.is_ok() || matches!(read, Err(Error::CommitmentPolicy(id)) if id == suite.id()));
        }
        let message = Encryptor::new(aes()).commitment(policy).encrypt(b"text").unwrap();
        assert_eq!(open(&message).unwrap().header.suite(), policy.default_suite());
    }
    assert_eq!(CommitmentPolicy::default().default_suite().id(), 0x0578);
}

#[test]
fn wrapped_keys_are_counted_on_both_sides() {
    let three = || Multi::new(named("a", 1)).with(named("b", 2)).with(named("c", 3));
    let message = Encryptor::new(three()).max_encrypted_data_keys(3).encrypt(b"text").unwrap();
    let refused = Encryptor::new(three()).max_encrypted_data_keys(2).encrypt(b"text");
    assert!(matches!(refused, Err(Error::TooManyKeys { count: 3, limit: 2 })));
    let reader = || Decryptor::new(named("c", 3));
    assert!(reader().max_encrypted_data_keys(3).decrypt(&message).is_ok());
    assert!(matches!(
        reader().max_encrypted_data_keys(2).decrypt(&message),
        Err(Error::TooManyKeys { count: 3, limit: 2 })
    ));
}

#[test]
fn context_that_is_not_stored_has_to_be_supplied() {
    let context = [("tenant", "7"), ("purpose", "test")];
    for suite in Suite::all() {
        let message = encryptor(suite, aes()).context(context).require_context(["tenant"]).encrypt(b"text").unwrap();
        assert!(!message.windows(6).any(|window| window == b"tenant"), "{suite}: it is not in the message");
        let opened = decryptor(aes()).context([("tenant", "7")]).require_context(["tenant"]).decrypt(&message).unwrap();
        assert_eq!((opened.context.get("tenant"), opened.header.context().get("tenant")), (Some("7"), None));
        assert!(decryptor(aes()).context(context).decrypt(&message).is_ok(), "what is stored may be said again");
        // The data key is bound to it, too, so a raw AES key does not open.
        for wrong in [EncryptionContext::new(), [("tenant", "8")].into(), [("tenant", "7"), ("more", "x")].into()] {
            assert!(matches!(decryptor(aes()).context(wrong).decrypt(&message), Err(Error::NoKeyOpens(_))), "{suite}");
        }
        let wrong = decryptor(aes()).context([("tenant", "7"), ("purpose", "other")]).decrypt(&message);
        assert!(matches!(wrong, Err(Error::ContextMismatch(name)) if name == "purpose"));
        let lacking = decryptor(aes()).context([("purpose", "test")]).require_context(["tenant"]).decrypt(&message);
        assert!(matches!(lacking, Err(Error::MissingContext(name)) if name == "tenant"));
    }
    let lacking = Encryptor::new(aes()).require_context(["tenant"]).encrypt(b"text");
    assert!(matches!(lacking, Err(Error::MissingContext(_))));
}

/// A keyring that binds no context: then the header's own tag does.
struct Unbound;

impl Keyring for Unbound {
    fn on_encrypt(&self, request: &Request<'_>, wrapped: &mut Wrapped) -> Result<(), Error> {
        wrapped.data_key = Some(DataKey::from_bytes(vec![5; request.suite.key_length()].into()));
        wrapped.keys.push(EncryptedDataKey {
            provider: "unbound".to_owned(),
            info: Vec::new(),
            ciphertext: Vec::new(),
        });
        Ok(())
    }

    fn on_decrypt(&self, request: &Request<'_>, _: &[EncryptedDataKey]) -> Result<DataKey, Error> {
        Ok(DataKey::from_bytes(vec![5; request.suite.key_length()].into()))
    }
}

#[test]
fn the_header_binds_context_that_is_not_stored() {
    for suite in Suite::all() {
        let writer = encryptor(suite, Unbound).context([("tenant", "7"), ("x", "y")]).require_context(["tenant"]);
        let message = writer.encrypt(b"text").unwrap();
        assert!(decryptor(Unbound).context([("tenant", "7")]).decrypt(&message).is_ok());
        for wrong in [EncryptionContext::new(), [("tenant", "8")].into(), [("tenant", "7"), ("more", "")].into()] {
            assert!(matches!(decryptor(Unbound).context(wrong).decrypt(&message), Err(Error::HeaderTag)), "{suite}");
        }
    }
}

#[test]
fn reserved_names_are_refused() {
    for name in ["aws-crypto-public-key", "aws-crypto-", "aws-crypto-anything"] {
        assert!(matches!(Encryptor::new(aes()).context([(name, "x")]).encrypt(b""), Err(Error::ReservedContext(_))));
        let message = Encryptor::new(aes()).encrypt(b"").unwrap();
        assert!(matches!(
            Decryptor::new(aes()).context([(name, "x")]).decrypt(&message),
            Err(Error::ReservedContext(_))
        ));
    }
    assert!(Encryptor::new(aes()).context([("aws-crypto", "x")]).encrypt(b"").is_ok());
}

#[test]
fn raw_keys_open_by_name_space_name_and_key_together() {
    let message = Encryptor::new(aes()).encrypt(b"text").unwrap();
    let failures = |keyring: RawAes| match Decryptor::new(keyring).decrypt(&message) {
        Err(Error::NoKeyOpens(failures)) => failures.len(),
        other => panic!("{other:?}"),
    };
    let raw = |space: &str, name: &str, byte: u8| RawAes::new(space, name, AesKey::new(&[byte; 32]).unwrap()).unwrap();
    assert_eq!(failures(raw("tests", "key 1", 2)), 1, "its name, another key: tried");
    assert_eq!(failures(raw("tests", "key 2", 1)), 0, "another name: not tried");
    assert_eq!(failures(raw("tests", "key", 1)), 0, "the beginning of a name is another name");
    assert_eq!(failures(raw("other", "key 1", 1)), 0);
    let short = RawAes::new("tests", "key 1", AesKey::new(&[1; 16]).unwrap()).unwrap();
    assert_eq!(failures(short), 1);
    assert!(matches!(RawAes::new("aws-kms", "x", AesKey::generate().unwrap()), Err(Error::KeyName(_))));
    assert!(matches!(RawRsa::new("aws-kms", "x", RsaPadding::OaepSha1), Err(Error::KeyName(_))));
    assert!(matches!(RawRsa::new("x", "x", RsaPadding::OaepSha256Mgf1Sha1), Err(Error::Setting(_))));
}

#[test]
fn keyrings_that_cannot_are_told_apart() {
    let empty = || RawRsa::new("x", "y", RsaPadding::OaepSha256).unwrap();
    assert!(matches!(Encryptor::new(empty()).encrypt(b""), Err(Error::KeyringCannot(_))));
    let message = Encryptor::new(aes()).encrypt(b"").unwrap();
    assert!(matches!(Decryptor::new(empty()).decrypt(&message), Err(Error::KeyringCannot(_))));
    assert!(matches!(Encryptor::new(Multi::without_generator().with(aes())).encrypt(b""), Err(Error::NoDataKey)));
    let nested = Multi::new(aes()).with(Multi::new(aes()));
    assert!(matches!(Encryptor::new(nested).encrypt(b""), Err(Error::KeyringCannot(_))));
    let nested = Multi::new(aes()).with(Multi::without_generator().with(named("b", 2)));
    let message = Encryptor::new(nested).encrypt(b"text").unwrap();
    // A multi-keyring goes on after a member that cannot decrypt at all.
    assert!(Decryptor::new(Multi::without_generator().with(empty()).with(named("b", 2))).decrypt(&message).is_ok());
}

/// Gives a data key of a wrong length.
struct Short;

impl Keyring for Short {
    fn on_encrypt(&self, _: &Request<'_>, wrapped: &mut Wrapped) -> Result<(), Error> {
        wrapped.data_key = Some(DataKey::random(31)?);
        wrapped.keys.push(EncryptedDataKey { provider: String::new(), info: Vec::new(), ciphertext: Vec::new() });
        Ok(())
    }

    fn on_decrypt(&self, _: &Request<'_>, _: &[EncryptedDataKey]) -> Result<DataKey, Error> {
        DataKey::random(31)
    }
}

#[test]
fn a_data_key_has_the_suites_length() {
    let wrong = Error::DataKeyLength { expected: 32, found: 31 }.to_string();
    assert_eq!(Encryptor::new(Short).encrypt(b"").unwrap_err().to_string(), wrong);
    let message = Encryptor::new(aes()).encrypt(b"").unwrap();
    assert_eq!(Decryptor::new(Short).decrypt(&message).unwrap_err().to_string(), wrong);
}

#[test]
fn no_more_is_written_than_was_announced() {
    let writer = || Encryptor::new(aes()).plaintext_length(10);
    assert!(matches!(writer().encrypt(&[0; 11]), Err(Error::PlaintextLength(10))));
    assert!(writer().encrypt(&[0; 9]).is_ok());
    let mut message = writer().start(Vec::new()).unwrap();
    message.write_all(&[0; 10]).unwrap();
    assert!(matches!(Error::from(message.write_all(&[0]).unwrap_err()), Error::PlaintextLength(10)));
    assert!(matches!(Error::from(message.write_all(b"x").unwrap_err()), Error::Failed));
    assert!(matches!(message.finish(), Err(Error::Failed)));

    let mut whole = writer().whole().start(Vec::new()).unwrap();
    whole.write_all(&[0; 7]).unwrap();
    assert!(matches!(whole.finish(), Err(Error::Missing(3))));
    assert!(matches!(Encryptor::new(aes()).whole().start(Vec::new()), Err(Error::Setting(_))));
    assert!(matches!(Encryptor::new(aes()).frame_length(0).encrypt(b""), Err(Error::Setting(_))));
}

/// Takes so many bytes, then fails.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.len() > self.0 {
            return Err(std::io::Error::other("the disk is full"));
        }
        self.0 -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failing_output_is_reported_and_ends_the_message() {
    let mut message = Encryptor::new(aes()).start(Full(100_000)).unwrap();
    let error = std::io::copy(&mut &[0; 300_000][..], &mut message).unwrap_err();
    assert_eq!(error.to_string(), "the disk is full");
    assert!(matches!(message.finish(), Err(Error::Failed)));
}

#[test]
fn what_was_opened_is_printed_without_its_plaintext() {
    let opened = open(&Encryptor::new(aes()).context([("tenant", "7")]).encrypt(b"secret").unwrap()).unwrap();
    let printed = format!("{opened:?}");
    assert!(printed.contains("6 bytes") && printed.contains("tenant"), "{printed}");
    assert!(!printed.contains("secret") && !printed.contains("115, 101, 99"), "{printed}");
}
