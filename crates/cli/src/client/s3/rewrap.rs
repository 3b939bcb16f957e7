//! `strongroom rewrap`: the data keys of objects under another key, in their instruction files.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use client::object::Rotation;

use super::super::Outcome;
use super::super::args::{Keys, Objects, Service, Telling, pair, pairs};
use super::super::failure::Failure;
use super::super::keys::Purpose;
use super::super::report::Report;
use super::remote::{Remote, Settings};
use super::url::S3Url;

/// Wraps the data keys of objects anew, in their instruction files; the objects themselves are not touched
///
/// The old key (options as of cat) opens the data key, the new one wraps it. For objects that were written with --instruction-file.
#[derive(Debug, Args)]
pub(in crate::client) struct Rewrap {
    /// s3://bucket/key; may be given again
    #[arg(value_name = "URL", required = true)]
    urls: Vec<S3Url>,

    #[command(flatten)]
    new: NewKey,

    /// Refuse a new key under which the old one still opens
    #[arg(long, action = ArgAction::SetTrue)]
    check_rotation: bool,

    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    objects: Objects,
    #[command(flatten)]
    service: Service,
    #[command(flatten)]
    telling: Telling,
}

/// The key that wraps from now on.
#[derive(Debug, Args)]
#[command(next_help_heading = "The new key")]
struct NewKey {
    /// A key file that `strongroom keygen` made
    #[arg(long, value_name = "FILE", group = "new-key", required_unless_present_any = ["new_kms_key", "new_raw_key", "new_rsa_public_key"])]
    new_key_file: Option<PathBuf>,

    /// A KMS key: ARN, id or alias
    #[arg(long, value_name = "KEY", group = "new-key")]
    new_kms_key: Option<String>,

    /// The 16, 24 or 32 bytes of an AES key
    #[arg(long, value_name = "FILE", group = "new-key")]
    new_raw_key: Option<PathBuf>,

    /// An RSA public key, PEM or DER
    #[arg(long, value_name = "FILE", group = "new-key")]
    new_rsa_public_key: Option<PathBuf>,

    /// A pair of the material description of the new raw AES or RSA key, which must differ from the old one's; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    new_material_description: Vec<(String, String)>,
}

impl NewKey {
    fn keys(&self) -> Keys {
        Keys {
            kms_key: self.new_kms_key.iter().cloned().collect(),
            key_file: self.new_key_file.iter().cloned().collect(),
            raw_key: self.new_raw_key.clone(),
            rsa_public_key: self.new_rsa_public_key.clone(),
            ..Keys::default()
        }
    }
}

pub(in crate::client) fn run(command: &Rewrap) -> Outcome {
    let settings = Settings {
        keys: &command.keys,
        objects: &command.objects,
        written: None,
        service: &command.service,
        purpose: Purpose::Decrypt,
        resume: false,
    };
    let remote = Remote::new(&settings, "rewrap", command.telling.quiet)?;
    let description = pairs("--new-material-description", &command.new.new_material_description)?;
    let new = command.new.keys().of_objects(Purpose::Encrypt, &command.service.config()?, &description)?;
    let rotation = if command.check_rotation { Rotation::Checked } else { Rotation::Unchecked };
    let report = Report::new("rewrap", command.telling.json, false);
    for url in &command.urls {
        if url.is_folder() {
            return Err(Failure::usage(format!("{url} names no object")));
        }
        let name = url.to_string();
        match remote.rewrap(url, &new, rotation) {
            Ok(facts) => report.did(&name, &name, "rewrap", facts),
            Err(failure) => report.failed(&name, &name, failure),
        }
    }
    Ok(report.end())
}
