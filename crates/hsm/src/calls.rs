//! What is asked of a token, in PKCS#11's words. Everything here blocks.

use cryptoki::error::{Error as Pkcs11Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use zeroize::Zeroizing;

use crate::Error;
use crate::error::Failure;
use crate::link::Visit;
use crate::token::{KeyId, KeyInfo, PRF_LEN};

/// Makes a key inside the token. `tried` says whether an earlier trial of the same call may have made it.
pub(crate) fn create(visit: &Visit<'_>, key: KeyId, label: &str, tried: &mut bool) -> Result<(), Failure> {
    let _writing = visit.writing();
    match (search(visit, key)?.as_slice(), *tried) {
        ([], _) => {}
        // It was not there before the first trial, whose answer got lost.
        ([handle], true) => {
            visit.remember(key, Some(*handle));
            return Ok(());
        }
        _ => return Err(Failure::Final(Error::KeyExists)),
    }
    *tried = true;
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        // Every token computes HMACs with generic secrets; CKK_SHA256_HMAC came with version 3.
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::ValueLen(u8::try_from(PRF_LEN).map_or(32, Into::into).into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Sign(true),
        Attribute::Verify(false),
        Attribute::Encrypt(false),
        Attribute::Decrypt(false),
        Attribute::Derive(false),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Id(key.to_vec()),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let handle = visit.session.generate_key(&Mechanism::GenericSecretKeyGen, &template)?;
    visit.remember(key, Some(handle));
    Ok(())
}

/// What the token says of a key, if it has it.
pub(crate) fn find(visit: &Visit<'_>, key: KeyId) -> Result<Option<KeyInfo>, Failure> {
    let handle = match lookup(visit, key) {
        Ok(handle) => handle,
        Err(Failure::Final(Error::KeyMissing)) => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let asked = [
        AttributeType::Label,
        AttributeType::Sensitive,
        AttributeType::Extractable,
        AttributeType::NeverExtractable,
        AttributeType::Local,
    ];
    let mut info = KeyInfo::default();
    for attribute in visit.session.get_attributes(handle, &asked)? {
        match attribute {
            Attribute::Label(label) => info.label = String::from_utf8_lossy(&label).into_owned(),
            Attribute::Sensitive(sensitive) => info.sensitive = sensitive,
            Attribute::Extractable(extractable) => info.extractable = extractable,
            Attribute::NeverExtractable(never) => info.never_extractable = never,
            Attribute::Local(local) => info.local = local,
            _ => {}
        }
    }
    Ok(Some(info))
}

/// Destroys a key. One that is not there is no error: the call may be repeated.
pub(crate) fn destroy(visit: &Visit<'_>, key: KeyId) -> Result<bool, Failure> {
    let _writing = visit.writing();
    visit.remember(key, None);
    let handles = search(visit, key)?;
    for handle in &handles {
        visit.session.destroy_object(*handle)?;
    }
    Ok(!handles.is_empty())
}

/// HMAC-SHA256 of `data` under a key.
pub(crate) fn prf(visit: &Visit<'_>, key: KeyId, data: &[u8]) -> Result<Zeroizing<[u8; PRF_LEN]>, Failure> {
    let sign = |handle| visit.session.sign(&Mechanism::Sha256Hmac, handle, data).map(Zeroizing::new);
    let signed = match visit.handle(key) {
        Some(handle) => match sign(handle) {
            // The key may have been replaced, restored or destroyed by others: its name decides, not the number.
            Err(Pkcs11Error::Pkcs11(RvError::KeyHandleInvalid | RvError::ObjectHandleInvalid, _)) => {
                visit.remember(key, None);
                sign(lookup(visit, key)?)
            }
            other => other,
        },
        None => sign(lookup(visit, key)?),
    }?;
    let mut output = Zeroizing::new([0; PRF_LEN]);
    if signed.len() != PRF_LEN {
        return Err(Failure::Final(Error::Unsuitable(format!("an HMAC-SHA256 of {} bytes", signed.len()))));
    }
    output.copy_from_slice(&signed);
    Ok(output)
}

/// Bytes of the token's own random generator.
pub(crate) fn random(visit: &Visit<'_>, len: u32) -> Result<Zeroizing<Vec<u8>>, Failure> {
    Ok(Zeroizing::new(visit.session.generate_random_vec(len)?))
}

/// The one key of this id.
fn lookup(visit: &Visit<'_>, key: KeyId) -> Result<ObjectHandle, Failure> {
    match search(visit, key)?.as_slice() {
        [handle] => {
            visit.remember(key, Some(*handle));
            Ok(*handle)
        }
        [] => Err(Failure::Final(Error::KeyMissing)),
        _ => Err(Failure::Final(Error::KeyExists)),
    }
}

/// Every key of this id, from a token that is certainly there: SoftHSM's finds nothing in one whose files are gone.
fn search(visit: &Visit<'_>, key: KeyId) -> Result<Vec<ObjectHandle>, Failure> {
    let template = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Token(true), Attribute::Id(key.to_vec())];
    let handles = visit.session.find_objects(&template)?;
    if handles.is_empty() {
        visit.stands()?;
    }
    Ok(handles)
}
