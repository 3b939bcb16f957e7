//! Why something failed, and the exit code that says so.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use client::Error;
use client::aws::AwsError;
use serde_json::{Map, Value};

/// What a script can tell apart. docs/client.md has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Files, network, service.
    Failed = 1,
    /// What was asked makes no sense.
    Usage = 2,
    /// The input is not what was sealed.
    Input = 3,
    /// No key opens it, or access is denied.
    Key = 4,
    /// The encryption context or a policy refuses.
    Refused = 5,
}

/// A kind, and words for a person.
#[derive(Debug)]
pub(super) struct Failure {
    kind: Kind,
    text: String,
    facts: Map<String, Value>,
}

impl Failure {
    pub(super) fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), facts: Map::new() }
    }

    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::new(Kind::Usage, text)
    }

    /// An error of a file.
    pub(super) fn file(path: &Path, error: &io::Error) -> Self {
        Self::new(Kind::Failed, format!("{}: {error}", path.display()))
    }

    /// The number that stands in JSON, too.
    pub(super) fn number(&self) -> u8 {
        self.kind as u8
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn code(&self) -> Code {
        Code(self.number())
    }

    /// With members for its JSON.
    pub(super) fn with(self, facts: Map<String, Value>) -> Self {
        Self { facts, ..self }
    }

    /// What its JSON has beside the code and the words.
    pub(super) fn facts(&self) -> &Map<String, Value> {
        &self.facts
    }

    /// With a name in front, unless it stands there already.
    pub(super) fn within(self, place: impl fmt::Display) -> Self {
        let place = format!("{place}: ");
        if self.text.starts_with(&place) { self } else { Self { text: place + &self.text, ..self } }
    }
}

/// An exit code that is not that of success.
pub(super) struct Code(u8);

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Messages quote what strangers wrote: it ends no line and commands no terminal.
        formatter.write_str(&clean(&self.text))
    }
}

/// As it may go to a terminal: what ends lines, commands a terminal or turns the direction of text around is written out.
pub(super) fn clean(text: &str) -> String {
    let is_command = |c: char| {
        // Directional marks, embeddings, overrides and isolates (Unicode, UAX #9), and the separators of lines and paragraphs.
        let is_direction =
            matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        c.is_control() || is_direction
    };
    text.chars().fold(String::with_capacity(text.len()), |mut clean, c| {
        if is_command(c) {
            clean.extend(c.escape_default());
        } else {
            clean.push(c);
        }
        clean
    })
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let kind = kind(&error);
        let text = match &error {
            Error::HoldLimit { limit } => format!(
                "more than {limit} bytes would have to be held until the message is verified as a whole: name a file with -o, which gets its \
                 name once that is done, or, for a signed message, take frames before the signature with --release-frames"
            ),
            Error::FrameLimit { length, limit } => {
                format!("a frame of {length} bytes, where {limit} are held at most: raise --frame-limit")
            }
            Error::TooManyKeys { limit, .. } if *limit < u16::MAX.into() => {
                format!("{error}: raise --max-encrypted-data-keys")
            }
            Error::LegacyWrapping(_) | Error::LegacyContent(_) => error.to_string().replace("`legacy`", "--legacy"),
            Error::CommitmentPolicy(0x0478 | 0x0578 | 0x0073) => {
                format!(
                    "{error}, which commits to its data key: it is not written under --commitment-policy forbid-encrypt-allow-decrypt"
                )
            }
            Error::CommitmentPolicy(_) => format!(
                "{error}, which does not commit to its data key: --commitment-policy require-encrypt-allow-decrypt reads it, \
                 forbid-encrypt-allow-decrypt writes it"
            ),
            Error::RangesOff => {
                "what is read of a range is not authenticated: --unauthenticated-range allows it".to_owned()
            }
            Error::SuffixRange(_) => format!("{error}, but --range=first-last and first- can"),
            error => error.to_string(),
        };
        Self::new(kind, text)
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        Self::new(of_aws(&error), error.to_string())
    }
}

fn of_aws(error: &AwsError) -> Kind {
    match error {
        AwsError::Service(error) => of_service(&error.code),
        AwsError::Config(_) => Kind::Usage,
        AwsError::Checksum { .. } => Kind::Input,
        _ => Kind::Failed,
    }
}

fn kind(error: &Error) -> Kind {
    match error {
        Error::Truncated(_)
        | Error::Trailing
        | Error::Version(_)
        | Error::Header(_)
        | Error::HeaderLength { .. }
        | Error::UnknownSuite(_)
        | Error::Commitment
        | Error::HeaderTag
        | Error::FrameOrder { .. }
        | Error::FrameTag(_)
        | Error::LastFrameLength { .. }
        | Error::BodyTag
        | Error::BodyLength(_)
        | Error::Signature
        | Error::SignatureKey
        | Error::KeyArn(_)
        | Error::NotEncrypted
        | Error::InstructionFileMissing
        | Error::SeveralVersions(..)
        | Error::MissingMember(_)
        | Error::ForeignMember(_)
        | Error::Member(..)
        | Error::MetadataLength { .. }
        | Error::InstructionFile(_)
        | Error::RepeatedMember(_)
        | Error::Padding
        | Error::ContentLength { .. } => Kind::Input,
        Error::NoKeyOpens(failures) => {
            failures.iter().map(kind).find(|kind| *kind == Kind::Failed).unwrap_or(Kind::Key)
        }
        Error::Unwrap | Error::OtherKey { .. } | Error::OtherWrapping(_) => Kind::Key,
        Error::Kms(error) => of_service(&error.code),
        Error::CommitmentPolicy(_)
        | Error::TooManyKeys { .. }
        | Error::Tries { .. }
        | Error::MissingContext(_)
        | Error::ContextMismatch(_)
        | Error::FrameLimit { .. }
        | Error::HoldLimit { .. }
        | Error::LegacyWrapping(_)
        | Error::LegacyContent(_)
        | Error::RangesOff
        | Error::NotRotated
        | Error::Signed => Kind::Refused,
        Error::ReservedContext(_)
        | Error::ContextLength
        | Error::KeyringCannot(_)
        | Error::NoDataKey
        | Error::KeyName(_)
        | Error::Key(_)
        | Error::ContextUnbound
        | Error::SameDescription
        | Error::NoInstructionFile
        | Error::Range
        | Error::SuffixRange(_)
        | Error::Setting(_) => Kind::Usage,
        Error::Aws(error) => of_aws(error),
        Error::Resumed(error) | Error::OfInstructionFile { error, .. } => kind(error),
        // An error of the transport that came through a reader.
        Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<AwsError>()) {
            Some(error) => of_aws(error),
            None => Kind::Failed,
        },
        _ => Kind::Failed,
    }
}

/// What a key management service or an S3 says of keys and of access; everything else it says is a failure.
fn of_service(code: &str) -> Kind {
    const REFUSALS: [&str; 22] = [
        "AccessDenied",
        "AccessDeniedException",
        "DisabledException",
        "ExpiredToken",
        "ExpiredTokenException",
        "Forbidden",
        "IncorrectKeyException",
        "InvalidAccessKeyId",
        "InvalidCiphertextException",
        "InvalidClientTokenId",
        "InvalidGrantTokenException",
        "InvalidKeyUsageException",
        "InvalidSignatureException",
        "InvalidToken",
        "KeyUnavailableException",
        "KMS.DisabledException",
        "KMSInvalidStateException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotFoundException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ];
    match code {
        // The client's own word: see `client::aws`.
        "Configuration" => Kind::Usage,
        code if REFUSALS.contains(&code) => Kind::Key,
        _ => Kind::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::steady::CHANGED;
    use super::*;
    use client::kms::KmsError;

    #[test]
    fn every_kind_has_its_code() {
        let cases = [
            (Error::Io(io::Error::other("disk")), 1),
            (Error::Kms(KmsError::new("ThrottlingException", "slow down")), 1),
            (Error::NoKeyOpens(vec![Error::Unwrap, Error::Kms(KmsError::new("Connection", "refused"))].into()), 1),
            (Error::Key("not a key"), 2),
            (Error::FrameTag(3), 3),
            (Error::Commitment, 3),
            (Error::Truncated("a frame"), 3),
            (Error::Resumed(Box::new(Error::BodyTag)), 3),
            (Error::Io(io::Error::other(CHANGED)), 1),
            (Error::NoKeyOpens(vec![].into()), 4),
            (
                Error::NoKeyOpens(
                    vec![Error::Tries { limit: 1 }, Error::Kms(KmsError::new("AccessDeniedException", "no"))].into(),
                ),
                4,
            ),
            (Error::Kms(KmsError::new("DisabledException", "disabled")), 4),
            (Error::ContextMismatch("a".to_owned()), 5),
            (Error::CommitmentPolicy(0x178), 5),
        ];
        for (error, code) in cases {
            let words = error.to_string();
            assert_eq!(Failure::from(error).number(), code, "{words}");
        }
    }

    #[test]
    fn a_name_stands_in_front_once() {
        let missing = || Failure::file(Path::new("a"), &io::Error::other("gone"));
        assert_eq!(missing().within("a").to_string(), "a: gone");
        assert_eq!(missing().within("b").to_string(), "b: a: gone");
        assert_eq!(Failure::usage("ab: gone").within("a").to_string(), "a: ab: gone");
    }

    #[test]
    fn nothing_that_a_stranger_wrote_commands_a_terminal() {
        let failure = Failure::from(Error::ContextMismatch("\u{1b}[2J".to_owned()));
        assert!(!failure.to_string().contains('\u{1b}'), "{failure}");
        assert!(!Failure::usage("\u{1b}[2J\u{9b}").to_string().contains(['\u{1b}', '\u{9b}']));
        let told =
            Failure::usage("bad key").within("x\nstrongroom: verified\u{202e}\u{2066}\u{200f}\u{2028}").to_string();
        assert_eq!(told, "x\\nstrongroom: verified\\u{202e}\\u{2066}\\u{200f}\\u{2028}: bad key");
        assert_eq!(clean("ü \u{fffd}"), "ü \u{fffd}");
    }
}
