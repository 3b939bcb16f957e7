//! What an operation can fail with: one variant for each exception of the KMS service model, and what only the operator may know.

use std::fmt;

/// An identifier that is not what it claims to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this is not {0}")]
pub struct InvalidIdentifier(pub(crate) &'static str);

model::errors! {
    Internal(#[from] Internal) = "KMSInternalException", "An internal failure occurred. The request can be retried.";
    /// The caller may not do this with this key.
    AccessDenied = "AccessDeniedException",
    /// An alias of this name exists.
    AlreadyExists = "AlreadyExistsException",
    /// The HSM, or a copy of it, is a custom key store already.
    CloudHsmClusterInUse = "CloudHsmClusterInUseException",
    /// The HSM cannot be used as it is set up.
    CloudHsmClusterInvalidConfiguration = "CloudHsmClusterInvalidConfigurationException",
    /// The HSM is not there.
    CloudHsmClusterNotActive = "CloudHsmClusterNotActiveException",
    /// The operator has set up no such HSM.
    CloudHsmClusterNotFound = "CloudHsmClusterNotFoundException",
    /// The HSM is no copy of the one that the custom key store has.
    CloudHsmClusterNotRelated = "CloudHsmClusterNotRelatedException",
    /// Somebody else changed the same key over and over while this request tried.
    Conflict = "ConflictException",
    /// The custom key store holds keys.
    CustomKeyStoreHasCmks = "CustomKeyStoreHasCMKsException",
    /// The custom key store's connection state does not allow this.
    CustomKeyStoreInvalidState = "CustomKeyStoreInvalidStateException",
    /// Another custom key store has this name.
    CustomKeyStoreNameInUse = "CustomKeyStoreNameInUseException",
    /// A custom key store that does not exist.
    CustomKeyStoreNotFound = "CustomKeyStoreNotFoundException",
    /// What this server depends on did not answer in time: an HSM.
    DependencyTimeout = "DependencyTimeoutException",
    /// The key is disabled.
    Disabled = "DisabledException",
    /// `DryRun`: the request would have succeeded.
    DryRunOperation = "DryRunOperationException",
    /// The import token is older than a day.
    ExpiredImportToken = "ExpiredImportTokenException",
    /// The ciphertext is another key's than the one named.
    IncorrectKey = "IncorrectKeyException",
    /// The key material is not the one that was imported before, or not of the key's spec.
    IncorrectKeyMaterial = "IncorrectKeyMaterialException",
    /// The certificate is not the HSM's.
    IncorrectTrustAnchor = "IncorrectTrustAnchorException",
    /// The alias name cannot be used.
    InvalidAliasName = "InvalidAliasNameException",
    /// An ARN that names something else than the operation takes.
    InvalidArn = "InvalidArnException",
    /// The ciphertext, or the encryption context that it was made with, is not what it was. Carries no text: never why.
    InvalidCiphertext = "InvalidCiphertextException",
    /// What cannot be a grant's id.
    InvalidGrantId = "InvalidGrantIdException",
    /// No grant has this token.
    InvalidGrantToken = "InvalidGrantTokenException",
    /// The import token is not one of this key's.
    InvalidImportToken = "InvalidImportTokenException",
    /// The key or algorithm is for something else.
    InvalidKeyUsage = "InvalidKeyUsageException",
    /// The MAC is not the key's over the message. Carries no text.
    InvalidMac = "KMSInvalidMacException",
    /// The signature is not the key's over the message. Carries no text.
    InvalidSignature = "KMSInvalidSignatureException",
    /// A pagination marker that this server did not give.
    InvalidMarker = "InvalidMarkerException",
    /// The key's state does not allow this.
    KmsInvalidState = "KMSInvalidStateException",
    /// A quota or length is exceeded.
    LimitExceeded = "LimitExceededException",
    /// What is no key policy, or would lock the caller out.
    MalformedPolicyDocument = "MalformedPolicyDocumentException",
    /// A reserved alias name (`alias/aws/`).
    NotAuthorized = "NotAuthorizedException",
    /// The key or alias does not exist.
    NotFound = "NotFoundException",
    /// The request's JSON is not of the shape that the operation takes.
    Serialization = "SerializationException",
    /// A tag is not valid.
    Tag = "TagException",
    /// More requests than a request quota allows.
    Throttling = "ThrottlingException",
    /// The parameter or key type is not supported.
    UnsupportedOperation = "UnsupportedOperationException",
    /// A parameter breaks the service model's constraints.
    Validation = "ValidationException",
    /// Another KMS key of the external key store has this external key.
    XksKeyAlreadyInUse = "XksKeyAlreadyInUseException",
    /// The external key is no enabled AES-256 key for encryption and decryption.
    XksKeyInvalidConfiguration = "XksKeyInvalidConfigurationException",
    /// The proxy knows no such external key.
    XksKeyNotFound = "XksKeyNotFoundException",
    /// The proxy did not take our signature.
    XksProxyIncorrectAuthenticationCredential = "XksProxyIncorrectAuthenticationCredentialException",
    /// The proxy does not serve what it was said to.
    XksProxyInvalidConfiguration = "XksProxyInvalidConfigurationException",
    /// The proxy gave an answer that its specification does not allow.
    XksProxyInvalidResponse = "XksProxyInvalidResponseException",
    /// Another external key store has this endpoint and path.
    XksProxyUriInUse = "XksProxyUriInUseException",
    /// The proxy, or every key manager behind it, cannot be reached.
    XksProxyUriUnreachable = "XksProxyUriUnreachableException",
    /// A VPC endpoint service that is not there: here there are none.
    XksProxyVpcEndpointServiceNotFound = "XksProxyVpcEndpointServiceNotFoundException",
}

/// What failed inside; for the log.
#[derive(Debug, thiserror::Error)]
pub enum Internal {
    /// The metadata store refused or failed.
    #[error("the metadata store: {0}")]
    Store(#[from] meta::Error),
    /// The root key provider refused or failed.
    #[error("the root key: {0}")]
    RootKey(#[from] crate::root::RootKeyError),
    /// An HSM refused or failed.
    #[error("the HSM: {0}")]
    Hsm(hsm::Error),
    /// The cryptographic library failed.
    #[error("cryptography: {0}")]
    Cryptography(material::Error),
    /// Who knows the principals does not answer.
    #[error("the principals: {0}")]
    Principals(crate::principals::PrincipalsFailure),
    /// A stored row does not open or does not parse: damaged, swapped or forged.
    #[error("stored record damaged: {0}")]
    Damaged(Damage),
}

/// Which stored row is damaged. Holds no secret: row keys and ids alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// What the row holds: "key", "material", "alias", ...
    pub what: &'static str,
    /// The row key in hexadecimal.
    pub row: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at row {}", self.what, self.row)
    }
}

impl Error {
    pub(crate) fn damaged(what: &'static str, row: &[u8]) -> Self {
        Internal::Damaged(Damage { what, row: data_encoding::HEXLOWER.encode(row) }).into()
    }
}

impl From<meta::Error> for Error {
    fn from(error: meta::Error) -> Self {
        Internal::Store(error).into()
    }
}

impl From<crate::root::RootKeyError> for Error {
    fn from(error: crate::root::RootKeyError) -> Self {
        Internal::RootKey(error).into()
    }
}

impl From<model::Error> for Error {
    fn from(error: model::Error) -> Self {
        match error {
            model::Error::Serialization(message) => Self::Serialization(message),
            model::Error::Validation(message) => Self::Validation(message),
        }
    }
}
