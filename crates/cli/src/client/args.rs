//! Options that several commands share.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use client::EncryptionContext;
use client::aws::Config;
use client::keys::RsaPadding;
use client::message::{CommitmentPolicy, Suite};
use client::object::Version;

use super::failure::Failure;

/// The keys that wrap data keys. With several, each wraps, and any one opens.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Keys")]
pub(super) struct Keys {
    /// A KMS key: ARN, id or alias to encrypt, ARN to decrypt a message; may be given again. Multi-Region keys open what their replicas sealed
    #[arg(long, value_name = "KEY")]
    pub(super) kms_key: Vec<String>,

    /// To decrypt messages: whichever KMS key each names, as far as you may use it
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) discovery: bool,

    /// With --discovery: only keys of this account; may be given again
    #[arg(long, value_name = "ID", requires = "discovery")]
    pub(super) discovery_account: Vec<String>,

    /// With --discovery-account: the partition of the accounts
    #[arg(long, value_name = "NAME", default_value = "aws", requires = "discovery_account")]
    pub(super) discovery_partition: String,

    /// With --discovery: multi-Region keys in this Region, wherever they sealed; and no others but this Region's
    #[arg(long, value_name = "REGION", requires = "discovery")]
    pub(super) discovery_region: Option<String>,

    /// A grant token for the KMS; may be given again
    #[arg(long, value_name = "TOKEN")]
    pub(super) grant_token: Vec<String>,

    /// A key file that `strongroom keygen` made; may be given again
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Vec<PathBuf>,

    /// The 16, 24 or 32 bytes of an AES key
    #[arg(long, value_name = "FILE")]
    pub(super) raw_key: Option<PathBuf>,

    /// An RSA public key, PEM or DER: it encrypts
    #[arg(long, value_name = "FILE", conflicts_with = "raw_key")]
    pub(super) rsa_public_key: Option<PathBuf>,

    /// An RSA private key, PEM or DER, not encrypted itself: it decrypts
    #[arg(long, value_name = "FILE", conflicts_with = "raw_key")]
    pub(super) rsa_private_key: Option<PathBuf>,

    /// How RSA pads in messages [default: oaep-sha256]; objects have a padding of their own
    #[arg(long, value_name = "PADDING", value_enum)]
    pub(super) rsa_padding: Option<Padding>,

    /// Name space (provider id) of the raw AES or RSA key, as it stands in messages; objects have none
    #[arg(long, value_name = "TEXT")]
    pub(super) key_namespace: Option<String>,

    /// Name of the raw AES or RSA key, as it stands in messages; objects have none
    #[arg(long, value_name = "TEXT")]
    pub(super) key_name: Option<String>,
}

/// As whom, and in which Region: AWS's own variables and files say so, unless these do.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS, or whoever speaks as it does")]
struct Caller {
    /// A profile of ~/.aws/config and ~/.aws/credentials [env: AWS_PROFILE]
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,

    /// The Region [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

impl Caller {
    fn config(&self) -> Result<Config, Failure> {
        let config = match &self.profile {
            Some(name) => Config::from_profile(name)?,
            None => Config::from_env()?,
        };
        Ok(match &self.region {
            Some(region) => config.region(region.parse()?),
            None => config,
        })
    }
}

/// KMS alone, for messages.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS, or whoever speaks as it does")]
pub(super) struct KmsService {
    #[command(flatten)]
    caller: Caller,

    #[command(flatten)]
    kms: KmsEndpoint,
}

impl KmsService {
    pub(super) fn config(&self) -> Result<Config, Failure> {
        self.kms.put(self.caller.config()?)
    }
}

/// S3 alone, for what needs no key.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS, or whoever speaks as it does")]
pub(super) struct S3Service {
    #[command(flatten)]
    caller: Caller,

    /// Where S3 listens, if not at AWS's own hosts [env: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
}

impl S3Service {
    pub(super) fn config(&self) -> Result<Config, Failure> {
        let config = self.caller.config()?;
        Ok(match &self.endpoint_url {
            Some(url) => config.endpoint_s3(url)?,
            None => config,
        })
    }
}

/// Both. Who has the objects is not believed to have the keys: each has an endpoint of its own.
#[derive(Debug, Args)]
#[command(next_help_heading = "AWS, or whoever speaks as it does")]
pub(super) struct Service {
    #[command(flatten)]
    s3: S3Service,

    #[command(flatten)]
    kms: KmsEndpoint,
}

impl Service {
    pub(super) fn config(&self) -> Result<Config, Failure> {
        self.kms.put(self.s3.config()?)
    }
}

#[derive(Debug, Args)]
#[command(next_help_heading = "AWS, or whoever speaks as it does")]
struct KmsEndpoint {
    /// Where KMS listens, if not at AWS's own hosts [env: AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL]
    #[arg(long, value_name = "URL")]
    kms_endpoint_url: Option<String>,

    /// Let data keys travel in clear: KMS at an http:// endpoint that is not on this machine
    #[arg(long, action = ArgAction::SetTrue)]
    kms_without_tls: bool,
}

impl KmsEndpoint {
    fn put(&self, config: Config) -> Result<Config, Failure> {
        let config = config.kms_without_tls(self.kms_without_tls);
        Ok(match &self.kms_endpoint_url {
            Some(url) => config.endpoint_kms(url)?,
            None => config,
        })
    }
}

/// How RSA pads a data key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Padding {
    Pkcs1,
    OaepSha1,
    OaepSha256,
    OaepSha384,
    OaepSha512,
}

impl From<Padding> for RsaPadding {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Pkcs1 => RsaPadding::Pkcs1,
            Padding::OaepSha1 => RsaPadding::OaepSha1,
            Padding::OaepSha256 => RsaPadding::OaepSha256,
            Padding::OaepSha384 => RsaPadding::OaepSha384,
            Padding::OaepSha512 => RsaPadding::OaepSha512,
        }
    }
}

/// The encryption context, and what a message must be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Encryption context and policies")]
pub(super) struct Demands {
    /// A pair of the encryption context, authenticated and not secret; may be given again. To decrypt: what the context must have
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,

    /// A name of --context that is not stored: who decrypts has to give it with the same value. May be given again
    #[arg(long, value_name = "NAME")]
    pub(super) required_context: Vec<String>,

    /// Whether messages must commit to their data key
    #[arg(long, value_name = "POLICY", value_enum, default_value_t = Commitment::RequireEncryptRequireDecrypt)]
    pub(super) commitment_policy: Commitment,

    /// The most wrapped data keys that a message may have; 0 for any number [default: 32 to decrypt, any number to encrypt]
    #[arg(long, value_name = "COUNT")]
    pub(super) max_encrypted_data_keys: Option<u16>,
}

impl Demands {
    pub(super) fn context(&self) -> Result<EncryptionContext, Failure> {
        pairs("--context", &self.context)
    }
}

/// Pairs of which no name comes twice.
pub(super) fn pairs(option: &str, pairs: &[(String, String)]) -> Result<EncryptionContext, Failure> {
    let mut context = EncryptionContext::new();
    for (name, value) in pairs {
        if context.insert(name, value).is_some() {
            return Err(Failure::usage(format!("{option} has {name:?} twice")));
        }
    }
    Ok(context)
}

/// What is asked of objects of the S3 Encryption Client.
#[derive(Debug, Args)]
#[command(next_help_heading = "Objects")]
pub(super) struct Objects {
    /// A pair of the encryption context of a KMS key, authenticated and not secret; may be given again
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    context: Vec<(String, String)>,

    /// A pair of the material description of a raw AES or RSA key, stored in clear to tell keys apart; may be given again
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    material_description: Vec<(String, String)>,

    /// Whether objects must commit to their data key [default: require-encrypt-require-decrypt; what --format v2 and --legacy need]
    #[arg(long, value_name = "POLICY", value_enum)]
    commitment_policy: Option<Commitment>,

    /// Read, too, what old clients wrote: version 1, AES-CBC, wrappings without integrity
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) legacy: bool,
}

impl Objects {
    pub(super) fn context(&self) -> Result<EncryptionContext, Failure> {
        pairs("--context", &self.context)
    }

    pub(super) fn material_description(&self) -> Result<EncryptionContext, Failure> {
        pairs("--material-description", &self.material_description)
    }

    /// To read: old objects commit to nothing.
    pub(super) fn reading(&self) -> CommitmentPolicy {
        let unless =
            if self.legacy { Commitment::RequireEncryptAllowDecrypt } else { Commitment::RequireEncryptRequireDecrypt };
        self.commitment_policy.unwrap_or(unless).into()
    }

    /// To write: version 2 does not commit.
    pub(super) fn writing(&self, format: Format) -> CommitmentPolicy {
        let unless = match format {
            Format::V2 => Commitment::ForbidEncryptAllowDecrypt,
            Format::V3 => Commitment::RequireEncryptRequireDecrypt,
        };
        self.commitment_policy.unwrap_or(unless).into()
    }
}

/// How objects are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Objects that are written")]
pub(super) struct Written {
    /// The version of the format [default: v3, which commits to its data key]; v2 is for readers that are too old for that
    #[arg(long, value_name = "VERSION", value_enum)]
    pub(super) format: Option<Format>,

    /// Put the wrapped data key into an instruction file: an object of its own, named as the other with .instruction behind it
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) instruction_file: bool,
}

/// A version of objects that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    V2,
    V3,
}

impl From<Format> for Version {
    fn from(format: Format) -> Self {
        match format {
            Format::V2 => Version::V2,
            Format::V3 => Version::V3,
        }
    }
}

/// In the words of AWS's command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(clippy::enum_variant_names, reason = "AWS's words")]
pub(super) enum Commitment {
    ForbidEncryptAllowDecrypt,
    RequireEncryptAllowDecrypt,
    RequireEncryptRequireDecrypt,
}

impl From<Commitment> for CommitmentPolicy {
    fn from(policy: Commitment) -> Self {
        match policy {
            Commitment::ForbidEncryptAllowDecrypt => CommitmentPolicy::ForbidEncryptAllowDecrypt,
            Commitment::RequireEncryptAllowDecrypt => CommitmentPolicy::RequireEncryptAllowDecrypt,
            Commitment::RequireEncryptRequireDecrypt => CommitmentPolicy::RequireEncryptRequireDecrypt,
        }
    }
}

/// From where to where.
#[derive(Debug, Args)]
pub(super) struct Files {
    /// A file, a folder, or - for standard input
    #[arg(value_name = "IN", default_value = "-")]
    pub(super) input: PathBuf,

    /// A file, a folder for a folder, or - for standard output
    #[arg(short, long, value_name = "OUT")]
    pub(super) output: Option<PathBuf>,

    /// Replace files that exist
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) force: bool,
}

/// What is told on the way.
#[derive(Debug, Args)]
pub(super) struct Telling {
    /// Print a JSON object for each file: on standard output, or on standard error when the data goes there
    #[arg(long, action = ArgAction::SetTrue)]
    pub(super) json: bool,

    /// No progress on the terminal
    #[arg(short, long, action = ArgAction::SetTrue)]
    pub(super) quiet: bool,
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a name, an equals sign and a value".to_owned()),
    }
}

/// A suite by its number or by AWS's name for it.
pub(super) fn suite(text: &str) -> Result<Suite, String> {
    let name = text.strip_prefix("ALG_").unwrap_or(text);
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let is_number = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = if is_number { u16::from_str_radix(digits, 16).ok() } else { None };
    Suite::all().find(|suite| Some(suite.id()) == number || suite.name() == name).ok_or_else(|| {
        let known: Vec<String> = Suite::all().map(|suite| format!("{suite} {}", suite.name())).collect();
        format!("the algorithm suites are:\n  {}", known.join("\n  "))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_suite_has_a_number_and_a_name() {
        let names = ["0478", "0x0478", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY", "ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY"];
        for text in names {
            assert_eq!(suite(text), Ok(Suite::Aes256Commit), "{text}");
        }
        for text in ["", "478", "0479", "+478", "0x478", "aes"] {
            assert!(suite(text).unwrap_err().contains("0578 AES_256"), "{text}");
        }
    }

    /// By what is refused: plain HTTP beyond this machine is where KMS must not be.
    #[test]
    fn the_endpoint_of_objects_is_not_that_of_keys() {
        use clap::FromArgMatches;
        let kms = |arguments: &[&str]| {
            let command = Service::augment_args(clap::Command::new("cp").no_binary_name(true));
            let service = Service::from_arg_matches(&command.try_get_matches_from(arguments).unwrap()).unwrap();
            let signed = client::aws::Credentials::new("AKIA", "secret");
            client::aws::KmsClient::new(&service.config().unwrap().credentials(signed)).map(drop)
        };
        let (objects, keys) = (["--endpoint-url", "http://s3.example"], ["--kms-endpoint-url", "http://kms.example"]);
        assert!(kms(&objects).is_ok());
        assert!(kms(&keys).unwrap_err().to_string().contains("kms.example"));
        assert!(kms(&[&objects[..], &keys[..]].concat()).unwrap_err().to_string().contains("kms.example"));
        assert!(kms(&[&keys[..], &["--kms-without-tls"]].concat()).is_ok());
    }

    #[test]
    fn a_pair_is_parted_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert_eq!(pair("a=").unwrap(), ("a".to_owned(), String::new()));
        assert!(pair("a").is_err() && pair("=b").is_err());
    }
}
