//! `strongroom encrypt`: files, folders and pipes into messages of the AWS Encryption SDK.

use std::cell::Cell;
use std::io::Write;

use clap::Args;
use client::message::{Destination, Encryptor, FRAME_LIMIT, Multi, Suite};
use serde_json::json;

use super::Outcome;
use super::args::{self, Demands, Files, Keys, KmsService, Telling};
use super::decrypt::KEYS;
use super::failure::{Failure, Kind};
use super::files::{self, Facts, Place, Work};
use super::header;
use super::input::{Counted, Input};
use super::keys::Purpose;
use super::progress::Progress;
use super::report::complain;

/// Bytes of plaintext in a frame: every client reads any length, and a mebibyte costs a third less time than AWS's default of 4,096.
/// Readers hold one frame; a message that is shorter has one frame of its own length.
const FRAME_LENGTH: u32 = 1 << 20;

/// Encrypts files, folders and pipes into messages of the AWS Encryption SDK
///
/// A file has its final name only once it is complete and on disk. Of a folder every file is encrypted by itself, under its own name in
/// the other folder; symbolic links and what is no file are refused one by one, and the rest goes on.
#[derive(Debug, Args)]
pub(super) struct Encrypt {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    demands: Demands,

    /// The algorithm suite, by number or by AWS's name: 0578 (signed) unless given; 0478 is faster, and streams to a pipe when decrypted
    #[arg(long, value_parser = args::suite, value_name = "SUITE")]
    suite: Option<Suite>,

    /// Bytes of plaintext in a frame
    #[arg(long, value_name = "BYTES", default_value_t = FRAME_LENGTH, value_parser = clap::value_parser!(u32).range(1..1 << 31))]
    frame_length: u32,

    #[command(flatten)]
    service: KmsService,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(command: &Encrypt) -> Outcome {
    if command.frame_length > FRAME_LIMIT {
        let text = format!(
            "warning: readers take frames of at most {FRAME_LIMIT} bytes unless told otherwise (--frame-limit)"
        );
        complain(&Failure::new(Kind::Refused, text));
    }
    if command.keys.count() > KEYS.into() {
        let text = format!(
            "warning: readers try at most {KEYS} wrapped data keys unless told otherwise (--max-encrypted-data-keys)"
        );
        complain(&Failure::new(Kind::Refused, text));
    }
    let mut encryptor = Encryptor::new(command.keys.keyring(Purpose::Encrypt, &command.service)?)
        .context(command.demands.context()?)
        .require_context(&command.demands.required_context)
        .commitment(command.demands.commitment_policy.into())
        .frame_length(command.frame_length);
    if let Some(suite) = command.suite {
        encryptor = encryptor.suite(suite);
    }
    if let Some(keys) = command.demands.max_encrypted_data_keys.filter(|keys| *keys > 0) {
        encryptor = encryptor.max_encrypted_data_keys(keys.into());
    }
    files::each(&Encrypting { encryptor }, &command.files, &command.telling)
}

struct Encrypting {
    encryptor: Encryptor<Multi>,
}

impl Work for Encrypting {
    const NAME: &'static str = "encrypt";
    const BINARY: bool = true;

    fn work(&self, input: Input, place: Place, progress: &Progress) -> Result<Facts, Failure> {
        match place {
            Place::Pipe(pipe) => self.seal(input, pipe, progress).map(|(_, facts)| facts),
            Place::File(file) => {
                let (mut file, facts) = self.seal(input, file, progress)?;
                file.keep().map_err(|error| Failure::file(file.target(), &error))?;
                Ok(facts)
            }
        }
    }
}

impl Encrypting {
    fn seal<W: Write>(&self, input: Input, output: W, progress: &Progress) -> Result<(W, Facts), Failure> {
        let (plain, sealed) = (Cell::new(0), Cell::new(0));
        let mut message = self.encryptor.start(Counted::new(output, &sealed, None))?;
        message.copy_from(&mut Counted::new(input.steady(), &plain, Some(progress)))?;
        let (output, header) = message.finish()?;
        let facts = [
            ("plaintext_bytes", json!(plain.get())),
            ("sealed_bytes", json!(sealed.get())),
            ("header", header::json(&header)),
        ];
        Ok((output.into_inner(), facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }
}
