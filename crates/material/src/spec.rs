//! Key specs, usages and algorithms by AWS's names, and what offers what.
//!
//! The names are those of the KMS service model (`KeySpec`, `KeyUsageType`, `SigningAlgorithmSpec` …). SM2 exists in AWS's
//! China Regions only and is not here: its name is no key spec, as elsewhere at AWS.
//!
//! # The stored form of private key material
//!
//! | specs | stored bytes ([`crate::Secret`]) |
//! |---|---|
//! | `SYMMETRIC_DEFAULT` | 32 random bytes, the AES-256 key |
//! | `HMAC_224` … `HMAC_512` | the HMAC key as it is; generated ones have the length of the hash: 28, 32, 48, 64 bytes |
//! | `RSA_*` | PKCS#8 `PrivateKeyInfo`, DER (RFC 5958 version 1, RFC 8017 `RSAPrivateKey`), unencrypted |
//! | `ECC_NIST_P*`, `ECC_SECG_P256K1` | PKCS#8 `PrivateKeyInfo`, DER (RFC 5958 version 1, RFC 5915 `ECPrivateKey` on a named curve) |
//! | `ECC_NIST_EDWARDS25519` | PKCS#8 `PrivateKeyInfo`, DER (RFC 5958 version 1, RFC 8410): 48 bytes |
//! | `ML_DSA_*` | the 32-byte seed ξ (FIPS 204, algorithm 1) |
//! | `ML_KEM_*` | the 64-byte seed d ‖ z (FIPS 203, algorithm 16) |

/// An enum whose variants have AWS's names.
macro_rules! named {
    ($(#[$meta:meta])* pub enum $type:ident { $($(#[$doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type { $($(#[$doc])* $variant,)+ }

        impl $type {
            /// All of them, in the order of the service model.
            pub const ALL: &'static [$type] = &[$($type::$variant,)+];

            /// AWS's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)+ }
            }

            /// The one of this name; `None` if there is none.
            #[must_use]
            pub fn named(name: &str) -> Option<$type> {
                match name { $($name => Some($type::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.name())
            }
        }
    };
}

pub(crate) use named;

named! {
    /// What kind of key: the model's `KeySpec` without SM2.
    pub enum KeySpec {
        /// RSA, 2,048-bit modulus.
        Rsa2048 = "RSA_2048",
        /// RSA, 3,072-bit modulus.
        Rsa3072 = "RSA_3072",
        /// RSA, 4,096-bit modulus.
        Rsa4096 = "RSA_4096",
        /// NIST P-256 (secp256r1).
        EccNistP256 = "ECC_NIST_P256",
        /// NIST P-384 (secp384r1).
        EccNistP384 = "ECC_NIST_P384",
        /// NIST P-521 (secp521r1).
        EccNistP521 = "ECC_NIST_P521",
        /// secp256k1 (SEC 2).
        EccSecgP256K1 = "ECC_SECG_P256K1",
        /// AES-256-GCM.
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        /// HMAC-SHA-224.
        Hmac224 = "HMAC_224",
        /// HMAC-SHA-256.
        Hmac256 = "HMAC_256",
        /// HMAC-SHA-384.
        Hmac384 = "HMAC_384",
        /// HMAC-SHA-512.
        Hmac512 = "HMAC_512",
        /// ML-DSA-44 (FIPS 204).
        MlDsa44 = "ML_DSA_44",
        /// ML-DSA-65 (FIPS 204).
        MlDsa65 = "ML_DSA_65",
        /// ML-DSA-87 (FIPS 204).
        MlDsa87 = "ML_DSA_87",
        /// Edwards25519, Ed25519 (RFC 8032, FIPS 186-5).
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        /// ML-KEM-512 (FIPS 203).
        MlKem512 = "ML_KEM_512",
        /// ML-KEM-768 (FIPS 203).
        MlKem768 = "ML_KEM_768",
        /// ML-KEM-1024 (FIPS 203).
        MlKem1024 = "ML_KEM_1024",
    }
}

named! {
    /// What a key is for: the model's `KeyUsageType`.
    pub enum KeyUsage {
        /// Signatures.
        SignVerify = "SIGN_VERIFY",
        /// Encryption: symmetric or RSA-OAEP.
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        /// HMAC.
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        /// ECDH.
        KeyAgreement = "KEY_AGREEMENT",
        /// ML-KEM.
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

named! {
    /// The model's `EncryptionAlgorithmSpec` without SM2PKE.
    pub enum EncryptionAlgorithm {
        /// AES-256-GCM under a derived key; done by the KMS core, not by this crate.
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        /// RSAES-OAEP with SHA-1 and MGF1-SHA-1 (RFC 8017).
        RsaesOaepSha1 = "RSAES_OAEP_SHA_1",
        /// RSAES-OAEP with SHA-256 and MGF1-SHA-256 (RFC 8017).
        RsaesOaepSha256 = "RSAES_OAEP_SHA_256",
    }
}

named! {
    /// The model's `SigningAlgorithmSpec` without SM2DSA.
    pub enum SigningAlgorithm {
        /// RSASSA-PSS, SHA-256, MGF1-SHA-256, a salt of 32 bytes (RFC 8017).
        RsassaPssSha256 = "RSASSA_PSS_SHA_256",
        /// RSASSA-PSS, SHA-384, MGF1-SHA-384, a salt of 48 bytes (RFC 8017).
        RsassaPssSha384 = "RSASSA_PSS_SHA_384",
        /// RSASSA-PSS, SHA-512, MGF1-SHA-512, a salt of 64 bytes (RFC 8017).
        RsassaPssSha512 = "RSASSA_PSS_SHA_512",
        /// RSASSA-PKCS1-v1_5, SHA-256 (RFC 8017).
        RsassaPkcs1V15Sha256 = "RSASSA_PKCS1_V1_5_SHA_256",
        /// RSASSA-PKCS1-v1_5, SHA-384 (RFC 8017).
        RsassaPkcs1V15Sha384 = "RSASSA_PKCS1_V1_5_SHA_384",
        /// RSASSA-PKCS1-v1_5, SHA-512 (RFC 8017).
        RsassaPkcs1V15Sha512 = "RSASSA_PKCS1_V1_5_SHA_512",
        /// ECDSA, SHA-256, DER signature (FIPS 186-5, RFC 3279 `Ecdsa-Sig-Value`).
        EcdsaSha256 = "ECDSA_SHA_256",
        /// ECDSA, SHA-384, DER signature.
        EcdsaSha384 = "ECDSA_SHA_384",
        /// ECDSA, SHA-512, DER signature.
        EcdsaSha512 = "ECDSA_SHA_512",
        /// ML-DSA with an empty context (FIPS 204).
        MlDsaShake256 = "ML_DSA_SHAKE_256",
        /// Pure Ed25519 (RFC 8032); takes `RAW` alone.
        Ed25519Sha512 = "ED25519_SHA_512",
        /// Ed25519ph (RFC 8032); takes `DIGEST` alone, and hashes the given digest again.
        Ed25519PhSha512 = "ED25519_PH_SHA_512",
    }
}

named! {
    /// The model's `MacAlgorithmSpec`.
    pub enum MacAlgorithm {
        /// HMAC-SHA-224, 28 bytes.
        HmacSha224 = "HMAC_SHA_224",
        /// HMAC-SHA-256, 32 bytes.
        HmacSha256 = "HMAC_SHA_256",
        /// HMAC-SHA-384, 48 bytes.
        HmacSha384 = "HMAC_SHA_384",
        /// HMAC-SHA-512, 64 bytes.
        HmacSha512 = "HMAC_SHA_512",
    }
}

named! {
    /// The model's `KeyAgreementAlgorithmSpec`.
    pub enum KeyAgreementAlgorithm {
        /// Elliptic curve cofactor Diffie-Hellman (SP 800-56A); the shared secret is the x coordinate.
        Ecdh = "ECDH",
    }
}

named! {
    /// The model's `EncapsulationAlgorithmSpec`.
    pub enum EncapsulationAlgorithm {
        /// ML-KEM (FIPS 203).
        MlKem = "ML_KEM",
    }
}

named! {
    /// What a message to sign is: the model's `MessageType`.
    pub enum MessageType {
        /// The message itself.
        Raw = "RAW",
        /// Its digest by the algorithm's hash.
        Digest = "DIGEST",
        /// ML-DSA's 64-byte message representative μ (FIPS 204, section 6.2).
        ExternalMu = "EXTERNAL_MU",
    }
}

impl KeySpec {
    /// One byte for stored records. Never reused, never renumbered; 0 is no spec.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            KeySpec::SymmetricDefault => 1,
            KeySpec::Rsa2048 => 2,
            KeySpec::Rsa3072 => 3,
            KeySpec::Rsa4096 => 4,
            KeySpec::EccNistP256 => 5,
            KeySpec::EccNistP384 => 6,
            KeySpec::EccNistP521 => 7,
            KeySpec::EccSecgP256K1 => 8,
            KeySpec::EccNistEdwards25519 => 9,
            KeySpec::Hmac224 => 10,
            KeySpec::Hmac256 => 11,
            KeySpec::Hmac384 => 12,
            KeySpec::Hmac512 => 13,
            KeySpec::MlDsa44 => 14,
            KeySpec::MlDsa65 => 15,
            KeySpec::MlDsa87 => 16,
            KeySpec::MlKem512 => 17,
            KeySpec::MlKem768 => 18,
            KeySpec::MlKem1024 => 19,
        }
    }

    /// The spec of a stored byte; `None` for a byte that no version wrote.
    #[must_use]
    pub fn from_code(code: u8) -> Option<KeySpec> {
        KeySpec::ALL.iter().copied().find(|spec| spec.code() == code)
    }

    /// What a key of this spec can be for. The first is the only one, or the caller must choose (`CreateKey`, `KeyUsage`).
    #[must_use]
    pub const fn usages(self) -> &'static [KeyUsage] {
        match self {
            KeySpec::SymmetricDefault => &[KeyUsage::EncryptDecrypt],
            KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify],
            KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521 => {
                &[KeyUsage::SignVerify, KeyUsage::KeyAgreement]
            }
            KeySpec::EccSecgP256K1
            | KeySpec::EccNistEdwards25519
            | KeySpec::MlDsa44
            | KeySpec::MlDsa65
            | KeySpec::MlDsa87 => &[KeyUsage::SignVerify],
            KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512 => &[KeyUsage::GenerateVerifyMac],
            KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024 => &[KeyUsage::EncapsulateDecapsulate],
        }
    }

    /// `KeyMetadata.EncryptionAlgorithms`, in AWS's order; empty for another usage than `ENCRYPT_DECRYPT`.
    #[must_use]
    pub const fn encryption_algorithms(self, usage: KeyUsage) -> &'static [EncryptionAlgorithm] {
        match (self, usage) {
            (KeySpec::SymmetricDefault, KeyUsage::EncryptDecrypt) => &[EncryptionAlgorithm::SymmetricDefault],
            (KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096, KeyUsage::EncryptDecrypt) => {
                &[EncryptionAlgorithm::RsaesOaepSha1, EncryptionAlgorithm::RsaesOaepSha256]
            }
            _ => &[],
        }
    }

    /// `KeyMetadata.SigningAlgorithms`, in AWS's order; empty for another usage than `SIGN_VERIFY`.
    #[must_use]
    pub const fn signing_algorithms(self, usage: KeyUsage) -> &'static [SigningAlgorithm] {
        match (self, usage) {
            (KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096, KeyUsage::SignVerify) => &[
                SigningAlgorithm::RsassaPkcs1V15Sha256,
                SigningAlgorithm::RsassaPkcs1V15Sha384,
                SigningAlgorithm::RsassaPkcs1V15Sha512,
                SigningAlgorithm::RsassaPssSha256,
                SigningAlgorithm::RsassaPssSha384,
                SigningAlgorithm::RsassaPssSha512,
            ],
            (KeySpec::EccNistP256 | KeySpec::EccSecgP256K1, KeyUsage::SignVerify) => &[SigningAlgorithm::EcdsaSha256],
            (KeySpec::EccNistP384, KeyUsage::SignVerify) => &[SigningAlgorithm::EcdsaSha384],
            (KeySpec::EccNistP521, KeyUsage::SignVerify) => &[SigningAlgorithm::EcdsaSha512],
            (KeySpec::EccNistEdwards25519, KeyUsage::SignVerify) => {
                &[SigningAlgorithm::Ed25519PhSha512, SigningAlgorithm::Ed25519Sha512]
            }
            (KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87, KeyUsage::SignVerify) => {
                &[SigningAlgorithm::MlDsaShake256]
            }
            _ => &[],
        }
    }

    /// `KeyMetadata.MacAlgorithms`; empty for another usage than `GENERATE_VERIFY_MAC`.
    #[must_use]
    pub const fn mac_algorithms(self, usage: KeyUsage) -> &'static [MacAlgorithm] {
        match (self, usage) {
            (KeySpec::Hmac224, KeyUsage::GenerateVerifyMac) => &[MacAlgorithm::HmacSha224],
            (KeySpec::Hmac256, KeyUsage::GenerateVerifyMac) => &[MacAlgorithm::HmacSha256],
            (KeySpec::Hmac384, KeyUsage::GenerateVerifyMac) => &[MacAlgorithm::HmacSha384],
            (KeySpec::Hmac512, KeyUsage::GenerateVerifyMac) => &[MacAlgorithm::HmacSha512],
            _ => &[],
        }
    }

    /// `KeyMetadata.KeyAgreementAlgorithms`; empty for another usage than `KEY_AGREEMENT`.
    #[must_use]
    pub const fn key_agreement_algorithms(self, usage: KeyUsage) -> &'static [KeyAgreementAlgorithm] {
        match (self, usage) {
            (KeySpec::EccNistP256 | KeySpec::EccNistP384 | KeySpec::EccNistP521, KeyUsage::KeyAgreement) => {
                &[KeyAgreementAlgorithm::Ecdh]
            }
            _ => &[],
        }
    }

    /// `KeyMetadata.EncapsulationAlgorithms`; empty for another usage than `ENCAPSULATE_DECAPSULATE`.
    #[must_use]
    pub const fn encapsulation_algorithms(self, usage: KeyUsage) -> &'static [EncapsulationAlgorithm] {
        match (self, usage) {
            (KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024, KeyUsage::EncapsulateDecapsulate) => {
                &[EncapsulationAlgorithm::MlKem]
            }
            _ => &[],
        }
    }

    /// Whether it has a public half.
    #[must_use]
    pub const fn is_asymmetric(self) -> bool {
        !matches!(
            self,
            KeySpec::SymmetricDefault | KeySpec::Hmac224 | KeySpec::Hmac256 | KeySpec::Hmac384 | KeySpec::Hmac512
        )
    }

    /// Whether `GenerateDataKeyPair` makes pairs of it: the model's `DataKeyPairSpec`.
    #[must_use]
    pub const fn is_data_key_pair(self) -> bool {
        self.is_asymmetric() && !matches!(self, KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87)
    }

    /// Whether making one takes long enough (tens of milliseconds to seconds) to belong on a blocking thread: RSA.
    #[must_use]
    pub const fn is_slow_to_generate(self) -> bool {
        matches!(self, KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096)
    }
}

impl KeyUsage {
    /// One byte for stored records. Never reused, never renumbered; 0 is no usage.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            KeyUsage::EncryptDecrypt => 1,
            KeyUsage::SignVerify => 2,
            KeyUsage::GenerateVerifyMac => 3,
            KeyUsage::KeyAgreement => 4,
            KeyUsage::EncapsulateDecapsulate => 5,
        }
    }

    /// The usage of a stored byte; `None` for a byte that no version wrote.
    #[must_use]
    pub fn from_code(code: u8) -> Option<KeyUsage> {
        KeyUsage::ALL.iter().copied().find(|usage| usage.code() == code)
    }
}

impl KeySpec {
    /// The longest plaintext in bytes that RSA-OAEP takes: modulus − 2·hash − 2 (RFC 8017, section 7.1.1; the table of `Encrypt`).
    /// `None` if the spec has not this algorithm, or it is `SYMMETRIC_DEFAULT`, whose limit is the service's.
    #[must_use]
    pub const fn plaintext_limit(self, algorithm: EncryptionAlgorithm) -> Option<usize> {
        let hash = match algorithm {
            EncryptionAlgorithm::RsaesOaepSha1 => 20,
            EncryptionAlgorithm::RsaesOaepSha256 => 32,
            EncryptionAlgorithm::SymmetricDefault => return None,
        };
        match self.modulus_len() {
            Some(modulus) => Some(modulus - 2 * hash - 2),
            None => None,
        }
    }

    /// The modulus in bytes; `None` if not RSA.
    pub(crate) const fn modulus_len(self) -> Option<usize> {
        match self {
            KeySpec::Rsa2048 => Some(256),
            KeySpec::Rsa3072 => Some(384),
            KeySpec::Rsa4096 => Some(512),
            _ => None,
        }
    }
}

impl SigningAlgorithm {
    /// The length in bytes of a message of type `DIGEST`, or `EXTERNAL_MU` for ML-DSA.
    #[must_use]
    pub const fn digest_len(self) -> usize {
        match self {
            SigningAlgorithm::RsassaPssSha256
            | SigningAlgorithm::RsassaPkcs1V15Sha256
            | SigningAlgorithm::EcdsaSha256 => 32,
            SigningAlgorithm::RsassaPssSha384
            | SigningAlgorithm::RsassaPkcs1V15Sha384
            | SigningAlgorithm::EcdsaSha384 => 48,
            SigningAlgorithm::RsassaPssSha512
            | SigningAlgorithm::RsassaPkcs1V15Sha512
            | SigningAlgorithm::EcdsaSha512
            | SigningAlgorithm::MlDsaShake256
            | SigningAlgorithm::Ed25519Sha512
            | SigningAlgorithm::Ed25519PhSha512 => 64,
        }
    }

    /// The message types that it takes.
    #[must_use]
    pub const fn message_types(self) -> &'static [MessageType] {
        match self {
            SigningAlgorithm::Ed25519Sha512 => &[MessageType::Raw],
            SigningAlgorithm::Ed25519PhSha512 => &[MessageType::Digest],
            SigningAlgorithm::MlDsaShake256 => &[MessageType::Raw, MessageType::ExternalMu],
            _ => &[MessageType::Raw, MessageType::Digest],
        }
    }
}

impl MacAlgorithm {
    /// The MAC's length in bytes.
    #[must_use]
    pub const fn output_len(self) -> usize {
        match self {
            MacAlgorithm::HmacSha224 => 28,
            MacAlgorithm::HmacSha256 => 32,
            MacAlgorithm::HmacSha384 => 48,
            MacAlgorithm::HmacSha512 => 64,
        }
    }
}

#[cfg(test)]
mod tests;
