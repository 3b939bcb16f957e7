//! Envelope encryption in eight steps, as the guide of AWS KMS tells it. What is left on the disk: docs/formats/envelope-by-hand.md.
//!
//! ```sh
//! # 1. A key that never leaves the service.
//! KEY=$(aws kms create-key --query KeyMetadata.Arn --output text)
//! cargo run --release -p strongroom-client --features transport --example envelope -- seal "$KEY" report
//! cargo run --release -p strongroom-client --features transport --example envelope -- open "$KEY" report
//! ```
//!
//! Endpoint, Region and credentials come from where AWS's clients take them, too.

use client::aws::{Config, KmsClient};
use client::keys::AesKey;
use client::kms::{KeyRequest, Kms};
use client::{EncryptionContext, Error};
use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Bytes of AES-GCM's initialization vector, which lies before the ciphertext.
const IV: usize = 12;

fn main() -> Result<(), Box<dyn StdError>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let kms = KmsClient::new(&Config::from_env()?)?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["seal", key, file] => seal(&kms, key, Path::new(file)),
        ["open", key, file] => open(&kms, key, Path::new(file)),
        _ => Err("usage: envelope seal|open KEY FILE".into()),
    }
}

fn seal(kms: &impl Kms, key_id: &str, file: &Path) -> Result<(), Box<dyn StdError>> {
    let context = context(file)?;
    let request = KeyRequest { key_id, context: &context, grant_tokens: &[] };

    // 2. A data key of 256 bits, in clear and wrapped.
    let data_key = kms.generate_data_key(&request, 32)?;

    // 3. The wrapped one is stored beside the data.
    fs::write(beside(file, "key"), &data_key.ciphertext)?;

    // 4. The one in clear encrypts the data, bound to the same context.
    let (iv, sealed) = AesKey::new(data_key.plaintext.as_bytes())?.seal(&context.serialize()?, &fs::read(file)?)?;
    fs::write(beside(file, "sealed"), [&iv[..], &sealed].concat())?;

    // 5. It is forgotten: `DataKey` and `AesKey` are wiped as they go.
    Ok(())
}

fn open(kms: &impl Kms, key_id: &str, file: &Path) -> Result<(), Box<dyn StdError>> {
    let context = context(file)?;
    let request = KeyRequest { key_id, context: &context, grant_tokens: &[] };

    // 6. The wrapped data key goes to the service, which decides whether we may, and unwraps it.
    let data_key = kms.decrypt(&request, &fs::read(beside(file, "key"))?)?.plaintext;

    // 7. It decrypts the data; nothing is written before the tag is right.
    let stored = fs::read(beside(file, "sealed"))?;
    let (iv, sealed) = stored.split_first_chunk::<IV>().ok_or(Error::Truncated("the initialization vector"))?;
    let plaintext = AesKey::new(data_key.as_bytes())?.open(iv, &context.serialize()?, sealed)?;
    fs::write(beside(file, "opened"), plaintext.as_bytes())?;

    // 8. And it is forgotten again.
    Ok(())
}

/// Binds data and wrapped key to the name of the file, and shows in the service's log.
fn context(file: &Path) -> Result<EncryptionContext, Box<dyn StdError>> {
    let name = file.file_name().and_then(|name| name.to_str()).ok_or("the file's name is not UTF-8")?;
    Ok(EncryptionContext::from([("file", name)]))
}

fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}
