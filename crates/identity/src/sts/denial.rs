//! Authorization messages: why a request was denied, sealed, so that only who may know it learns it.
//!
//! The gateway sends one with a denial ([`encode_denial`]); DecodeAuthorizationMessage opens it for whoever of the same account may
//! call it. The JSON is AWS's (STS API Reference, DecodeAuthorizationMessage, with its example).

use data_encoding::BASE64URL_NOPAD;
use keys::RecordSealer;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use policy::{AccountId, Context, Principal};
use serde_json::{Value, json};

/// The longest message, in characters: `encodedMessageType` of the STS model.
pub const MAX_MESSAGE: usize = 10_240;
/// Bytes of the JSON.
const MAX_JSON: usize = 64 * 1024;
const KIND: &[u8] = b"authorization message";
const VERSION: u8 = 1;
const LEVEL: u8 = 6;

/// A denied request.
pub struct Denial<'a> {
    /// Who asked.
    pub principal: &'a Principal,
    /// The action.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The statement that denies: its policy and Sid; none if nothing allows.
    pub denied_by: Option<(&'a str, &'a str)>,
    /// The condition keys.
    pub context: &'a dyn Context,
}

impl Denial<'_> {
    /// The JSON that DecodeAuthorizationMessage gives.
    pub fn to_json(&self) -> String {
        document(self).to_string()
    }
}

/// The message with a denial's JSON for `account`, whose principals may have it decoded. `None`: it is longer than such a message may be.
pub fn encode_denial(sealer: &RecordSealer, account: AccountId, json: &str) -> Option<String> {
    let mut plain = vec![VERSION];
    plain.extend_from_slice(&compress_to_vec(json.as_bytes(), LEVEL));
    let message = BASE64URL_NOPAD.encode(&sealer.seal(KIND, account.as_bytes(), &plain));
    (json.len() <= MAX_JSON && message.len() <= MAX_MESSAGE).then_some(message)
}

/// The JSON of a message for `account`.
pub(super) fn decode(sealer: &RecordSealer, account: AccountId, message: &str) -> Option<String> {
    let sealed = BASE64URL_NOPAD.decode(message.as_bytes()).ok()?;
    let plain = sealer.open(KIND, account.as_bytes(), &sealed).ok()?;
    let (VERSION, packed) = plain.split_first().map(|(version, rest)| (*version, rest))? else { return None };
    String::from_utf8(decompress_to_vec_with_limit(packed, MAX_JSON).ok()?).ok()
}

fn document(denial: &Denial<'_>) -> Value {
    let statements: Vec<Value> = denial
        .denied_by
        .iter()
        .map(|(source, sid)| json!({ "statementId": sid, "effect": "DENY", "source": source }))
        .collect();
    let conditions: Vec<Value> = KEYS
        .iter()
        .filter_map(|key| {
            let values: Vec<Value> = match denial.context.value(&key.to_ascii_lowercase())? {
                policy::Value::One(one) => vec![json!({ "value": one })],
                policy::Value::Many(many) => many.iter().map(|one| json!({ "value": one })).collect(),
            };
            Some(json!({ "key": key, "values": { "items": values } }))
        })
        .collect();
    let Principal { user_id, arn, .. } = denial.principal;
    let name = arn.rsplit_once(['/', ':']).map_or(arn.as_str(), |(_, name)| name);
    json!({
        "allowed": false,
        "explicitDeny": denial.denied_by.is_some(),
        "matchedStatements": { "items": statements },
        "failures": { "items": [] },
        "context": {
            "principal": { "id": user_id, "name": name, "arn": arn },
            "action": denial.action,
            "resource": denial.resource,
            "conditions": { "items": conditions },
        },
    })
}

/// The keys that are told if the request has them. A request's own tags and encryption context are many, and the caller's: left out.
const KEYS: &[&str] = &[
    "aws:CurrentTime",
    "aws:FederatedProvider",
    "aws:MultiFactorAuthAge",
    "aws:MultiFactorAuthPresent",
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalType",
    "aws:Referer",
    "aws:RequestedRegion",
    "aws:ResourceAccount",
    "aws:SecureTransport",
    "aws:SourceIdentity",
    "aws:SourceIp",
    "aws:SourceVpce",
    "aws:TagKeys",
    "aws:TokenIssueTime",
    "aws:UserAgent",
    "aws:ViaAWSService",
    "aws:userid",
    "aws:username",
    "iam:PermissionsBoundary",
    "iam:PolicyARN",
    "kms:CallerAccount",
    "kms:EncryptionAlgorithm",
    "kms:EncryptionContextKeys",
    "kms:KeyOrigin",
    "kms:KeySpec",
    "kms:KeyUsage",
    "kms:RequestAlias",
    "kms:ResourceAliases",
    "kms:ViaService",
    "s3:delimiter",
    "s3:max-keys",
    "s3:prefix",
    "s3:signatureversion",
    "s3:x-amz-acl",
    "s3:x-amz-copy-source",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "sts:DurationSeconds",
    "sts:ExternalId",
    "sts:RoleSessionName",
    "sts:SourceIdentity",
    "sts:TransitiveTagKeys",
];
