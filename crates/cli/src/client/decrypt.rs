//! `strongroom decrypt`: messages of the AWS Encryption SDK, whoever wrote them, into files, folders and pipes.

use std::cell::Cell;
use std::io::{BufRead, Write};

use clap::{ArgAction, Args};
use client::message::{Decryptor, FRAME_LIMIT, Header, MessageReader, Multi, Release};
use client::{EncryptionContext, Error};
use serde_json::json;

use super::Outcome;
use super::args::{Demands, Files, Keys, KmsService, Telling};
use super::failure::{Failure, Kind};
use super::files::{self, Facts, Place, Work};
use super::header;
use super::input::{Counted, Head, Input};
use super::keys::Purpose;
use super::progress::Progress;

/// Wrapped data keys that a message may have unless something else is said. Each can cost a call of the KMS, and a message has room for
/// thousands.
pub(super) const KEYS: u16 = 32;

/// Decrypts messages of the AWS Encryption SDK, whoever wrote them
///
/// A file has its final name only once all of the message is verified, its signature too. A pipe gets the plaintext of an unsigned
/// message frame by frame, each verified: what has left is right, and only an exit code of 0 says that it is all. A signed message goes
/// to a pipe after its signature is verified, and is held in memory until then: up to 16 MiB.
#[derive(Debug, Args)]
pub(super) struct Decrypt {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    demands: Demands,

    /// To a pipe: write frames as they verify, before the signature is. If the exit code is not 0, what came must be undone
    #[arg(long, action = ArgAction::SetTrue, conflicts_with = "unsigned_only")]
    release_frames: bool,

    /// Refuse signed messages
    #[arg(long, action = ArgAction::SetTrue)]
    unsigned_only: bool,

    /// The longest frame that is read; one is held in memory
    #[arg(long, value_name = "BYTES", default_value_t = FRAME_LIMIT)]
    frame_limit: u32,

    /// Open, too, what version 4.0.0 of AWS's .NET client wrote, whose headers have a wrong tag
    #[arg(long, action = ArgAction::SetTrue)]
    accept_net_4_0_0: bool,

    #[command(flatten)]
    service: KmsService,
    #[command(flatten)]
    telling: Telling,
}

pub(super) fn run(command: &Decrypt) -> Outcome {
    let release = match (command.release_frames, command.unsigned_only) {
        (true, _) => Release::Frames,
        (_, true) => Release::UnsignedOnly,
        _ => Release::Verified,
    };
    let context = command.demands.context()?;
    let mut decryptor = Decryptor::new(command.keys.keyring(Purpose::Decrypt, &command.service)?)
        .context(context.clone())
        .require_context(&command.demands.required_context)
        .commitment(command.demands.commitment_policy.into())
        .release(release)
        .frame_limit(command.frame_limit);
    if command.accept_net_4_0_0 {
        decryptor = decryptor.accept_net_4_0_0();
    }
    match command.demands.max_encrypted_data_keys.unwrap_or(KEYS) {
        0 => {}
        keys => decryptor = decryptor.max_encrypted_data_keys(keys.into()),
    }
    files::each(&Decrypting { decryptor, context }, &command.files, &command.telling)
}

struct Decrypting {
    decryptor: Decryptor<Multi>,
    /// What the caller gave.
    context: EncryptionContext,
}

impl Work for Decrypting {
    const NAME: &'static str = "decrypt";
    const BINARY: bool = false;

    fn work(&self, input: Input, place: Place, progress: &Progress) -> Result<Facts, Failure> {
        let (head, sealed, plain) = (Head::default(), Cell::new(0), Cell::new(0));
        let source = head.of(Counted::new(input.file, &sealed, Some(progress)));
        let reader = self.decryptor.start(source).map_err(|error| self.explained(error, head.header()))?;
        head.over();
        let header = match place {
            Place::Pipe(mut pipe) => pour(reader, &mut Counted::new(&mut pipe, &plain, None))?,
            Place::File(file) => reader.decrypt_into(&mut Counted::new(file, &plain, None))?,
        };
        let facts = [
            ("plaintext_bytes", json!(plain.get())),
            ("sealed_bytes", json!(sealed.get())),
            ("header", header::json(&header)),
        ];
        Ok(facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Decrypting {
    /// With what the header tells of why no key opens it: it names its keys, and which context it stores.
    fn explained(&self, error: Error, header: Option<Header>) -> Failure {
        let Some(header) = header.filter(|_| matches!(error, Error::NoKeyOpens(_) | Error::HeaderTag)) else {
            return error.into();
        };
        let failure = Failure::from(error);
        if failure.kind() == Kind::Failed {
            return failure;
        }
        let supplied: Vec<&str> =
            self.context.iter().map(|(name, _)| name).filter(|name| header.context().get(name).is_none()).collect();
        if !supplied.is_empty() {
            let text = format!(
                "{failure}; the message does not store {supplied:?} of the encryption context, so it was taken as required: \
                 it is not, or it has another value, or the key is another"
            );
            return Failure::new(Kind::Refused, text);
        }
        let required = if self.context.is_empty() {
            "; if names of its encryption context were required, which are not stored, --context has to give them"
        } else {
            ""
        };
        Failure::new(failure.kind(), format!("{failure}; it is sealed with {}{required}", header::named(&header)))
    }
}

/// All of the plaintext to a pipe, from where it lies.
fn pour<R: BufRead>(mut reader: MessageReader<R>, pipe: &mut impl Write) -> Result<Header, Failure> {
    loop {
        let ready = reader.fill_buf().map_err(Error::from)?;
        if ready.is_empty() {
            break;
        }
        let length = ready.len();
        pipe.write_all(ready).map_err(|error| Failure::new(Kind::Failed, format!("standard output: {error}")))?;
        reader.consume(length);
    }
    Ok(reader.header().clone())
}
