//! Sign, Verify, GenerateMac, VerifyMac, GetPublicKey, DeriveSharedSecret, Encapsulate, Decapsulate, GenerateDataKeyPair and
//! RSA's Encrypt and Decrypt: what AWS answers, over a key of each kind. That the cryptography is right, `material` shows.

use keys::operation::lifecycle::CreateKeyRequest;
use keys::{Error, Keys, Principal};
use serde_json::{Value, json};

use crate::fixture::{Fixture, code};

/// Calls an operation with JSON and gives its JSON.
macro_rules! call {
    ($f:expr, $method:ident, $body:tt) => {
        answer($f.keys.$method(&$f.me, keys::parse(json!($body).to_string().as_bytes()).unwrap()).await)
    };
}

fn answer<T: serde::Serialize>(result: Result<T, Error>) -> Result<Value, Error> {
    Ok(serde_json::to_value(result?).unwrap())
}

async fn made(keys: &Keys, me: &Principal, spec: &str, usage: &str) -> String {
    let request =
        CreateKeyRequest { key_spec: Some(spec.to_owned()), key_usage: Some(usage.to_owned()), ..Default::default() };
    keys.create_key(me, request).await.unwrap().key_metadata.key_id
}

const TEXT: &str = "AQID";
/// 32 zero bytes.
const DIGEST: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[tokio::test]
async fn every_signing_key_signs_with_what_it_describes() {
    let mut f = Fixture::new().await;
    for spec in [
        "RSA_2048",
        "ECC_NIST_P256",
        "ECC_NIST_P384",
        "ECC_NIST_P521",
        "ECC_SECG_P256K1",
        "ECC_NIST_EDWARDS25519",
        "ML_DSA_44",
        "ML_DSA_65",
        "ML_DSA_87",
    ] {
        let key = made(&f.keys, &f.me, spec, "SIGN_VERIFY").await;
        let described = f.describe(&key).await.unwrap();
        assert_eq!((described.key_spec, described.key_usage), (spec, "SIGN_VERIFY"));
        assert!(described.current_key_material_id.is_none() && described.encryption_algorithms.is_empty());
        assert!(!described.signing_algorithms.is_empty());
        f.restart().await;
        for algorithm in described.signing_algorithms {
            let (kind, message): (_, &[u8]) = match algorithm {
                "ED25519_PH_SHA_512" => ("DIGEST", &[0; 64]),
                _ => ("RAW", b"a message"),
            };
            let message = data_encoding::BASE64.encode(message);
            let signed = call!(f, sign, { "KeyId": key, "Message": message, "MessageType": kind,
                "SigningAlgorithm": algorithm });
            let signed = signed.unwrap_or_else(|error| panic!("{spec} {algorithm}: {error}"));
            assert_eq!(signed["SigningAlgorithm"], algorithm);
            let verified = call!(f, verify_signature, { "KeyId": key, "Message": message, "MessageType": kind,
                "Signature": signed["Signature"], "SigningAlgorithm": algorithm });
            assert_eq!(verified.unwrap()["SignatureValid"], true, "{spec} {algorithm}");
            let other = data_encoding::BASE64.encode(&[1; 64]);
            let forged = call!(f, verify_signature, { "KeyId": key, "Message": other, "MessageType": kind,
                "Signature": signed["Signature"], "SigningAlgorithm": algorithm });
            assert_eq!(code(forged), "KMSInvalidSignatureException", "{spec} {algorithm}");
        }
        let public = call!(f, get_public_key, { "KeyId": key }).unwrap();
        assert_eq!(public["KeySpec"], spec);
        assert!(public["PublicKey"].as_str().unwrap().len() > 40);
        let wrong = call!(f, sign, { "KeyId": key, "Message": TEXT, "SigningAlgorithm": "SM2DSA" });
        assert_eq!(code(wrong), "UnsupportedOperationException");
        assert_eq!(code(f.encrypt(&key, "x").await), "InvalidKeyUsageException");
        let mac = call!(f, generate_mac, { "KeyId": key, "Message": TEXT, "MacAlgorithm": "HMAC_SHA_256" });
        assert_eq!(code(mac), "InvalidKeyUsageException");
    }
}

#[tokio::test]
async fn refusals_of_signatures_are_worded_as_aws_words_them() {
    let f = Fixture::new().await;
    let key = made(&f.keys, &f.me, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let wrong = call!(f, sign, { "KeyId": key, "Message": TEXT, "SigningAlgorithm": "RSASSA_PSS_SHA_256" });
    let text = "Algorithm RSASSA_PSS_SHA_256 is incompatible with key spec ECC_NIST_P256.";
    assert_eq!(wrong.unwrap_err().message(), text);
    let short = call!(f, sign, { "KeyId": key, "Message": TEXT, "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256" });
    let short = short.unwrap_err();
    let said = (short.code(), short.message());
    assert_eq!(said, ("ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256."));
    let dry = call!(f, sign, { "KeyId": key, "Message": TEXT, "DryRun": true, "SigningAlgorithm": "ECDSA_SHA_256" });
    assert_eq!(code(dry), "DryRunOperationException");
    f.disable(&key).await.unwrap();
    let disabled = call!(f, sign, { "KeyId": key, "Message": DIGEST, "MessageType": "DIGEST",
        "SigningAlgorithm": "ECDSA_SHA_256" });
    assert_eq!(code(disabled), "DisabledException");
    assert_eq!(code(call!(f, get_public_key, { "KeyId": key })), "DisabledException");
}

#[tokio::test]
async fn macs_of_every_length() {
    let f = Fixture::new().await;
    for (spec, bytes) in [("224", 28), ("256", 32), ("384", 48), ("512", 64)] {
        let key = made(&f.keys, &f.me, &format!("HMAC_{spec}"), "GENERATE_VERIFY_MAC").await;
        let algorithm = format!("HMAC_SHA_{spec}");
        let mac = call!(f, generate_mac, { "KeyId": key, "Message": TEXT, "MacAlgorithm": algorithm }).unwrap();
        let mac = mac["Mac"].as_str().unwrap().to_owned();
        assert_eq!(data_encoding::BASE64.decode(mac.as_bytes()).unwrap().len(), bytes);
        let good = call!(f, verify_mac, { "KeyId": key, "Message": TEXT, "MacAlgorithm": algorithm, "Mac": mac });
        assert_eq!(good.unwrap()["MacValid"], true);
        let bad = call!(f, verify_mac, { "KeyId": key, "Message": "AQIE", "MacAlgorithm": algorithm, "Mac": mac });
        assert_eq!(code(bad), "KMSInvalidMacException");
        let other = if spec == "224" { "HMAC_SHA_256" } else { "HMAC_SHA_224" };
        let other = call!(f, generate_mac, { "KeyId": key, "Message": TEXT, "MacAlgorithm": other });
        assert_eq!(code(other), "InvalidKeyUsageException");
        assert_eq!(code(call!(f, get_public_key, { "KeyId": key })), "UnsupportedOperationException");
    }
}

#[tokio::test]
async fn both_sides_agree_on_a_secret() {
    let f = Fixture::new().await;
    for spec in ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"] {
        let ours = made(&f.keys, &f.me, spec, "KEY_AGREEMENT").await;
        let theirs = made(&f.keys, &f.me, spec, "KEY_AGREEMENT").await;
        let mut secrets = Vec::new();
        for (own, peer) in [(&ours, &theirs), (&theirs, &ours)] {
            let public = call!(f, get_public_key, { "KeyId": peer }).unwrap();
            assert_eq!(public["KeyAgreementAlgorithms"], json!(["ECDH"]));
            let secret = call!(f, derive_shared_secret, { "KeyId": own, "KeyAgreementAlgorithm": "ECDH",
                "PublicKey": public["PublicKey"] });
            secrets.push(secret.unwrap()["SharedSecret"].clone());
        }
        assert_eq!(secrets[0], secrets[1]);
        let junk =
            call!(f, derive_shared_secret, { "KeyId": ours, "KeyAgreementAlgorithm": "ECDH", "PublicKey": TEXT });
        assert_eq!(code(junk), "ValidationException");
    }
}

#[tokio::test]
async fn what_is_encapsulated_comes_out() {
    let f = Fixture::new().await;
    for spec in ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"] {
        let key = made(&f.keys, &f.me, spec, "ENCAPSULATE_DECAPSULATE").await;
        let made = call!(f, encapsulate, { "KeyId": key, "EncapsulationAlgorithm": "ML_KEM" }).unwrap();
        let opened = call!(f, decapsulate, { "KeyId": key, "EncapsulationAlgorithm": "ML_KEM",
            "SharedSecretCiphertextBlob": made["SharedSecretCiphertextBlob"] });
        assert_eq!(opened.unwrap()["SharedSecret"], made["SharedSecret"]);
        let short = call!(f, decapsulate, { "KeyId": key, "EncapsulationAlgorithm": "ML_KEM",
            "SharedSecretCiphertextBlob": TEXT });
        assert_eq!(code(short), "InvalidCiphertextException");
    }
}

#[tokio::test]
async fn an_rsa_key_encrypts() {
    let f = Fixture::new().await;
    let key = made(&f.keys, &f.me, "RSA_2048", "ENCRYPT_DECRYPT").await;
    for (algorithm, limit) in [("RSAES_OAEP_SHA_1", 214), ("RSAES_OAEP_SHA_256", 190)] {
        let text = data_encoding::BASE64.encode(&vec![7; limit]);
        let sealed = call!(f, encrypt, { "KeyId": key, "Plaintext": text, "EncryptionAlgorithm": algorithm }).unwrap();
        assert_eq!(sealed["EncryptionAlgorithm"], algorithm);
        let blob = &sealed["CiphertextBlob"];
        let opened =
            call!(f, decrypt, { "KeyId": key, "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm }).unwrap();
        assert_eq!(opened["Plaintext"], text);
        assert!(opened.get("KeyMaterialId").is_none());
        let unnamed = call!(f, decrypt, { "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm });
        assert_eq!(code(unnamed), "InvalidCiphertextException");
        let symmetric = call!(f, decrypt, { "KeyId": key, "CiphertextBlob": blob });
        let symmetric = symmetric.unwrap_err();
        let said = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.";
        assert_eq!((symmetric.code(), symmetric.message()), ("InvalidKeyUsageException", said));
        let long = data_encoding::BASE64.encode(&vec![7; limit + 1]);
        let long = call!(f, encrypt, { "KeyId": key, "Plaintext": long, "EncryptionAlgorithm": algorithm });
        let said =
            format!("Algorithm {algorithm} and key spec RSA_2048 cannot encrypt data larger than {limit} bytes.");
        assert_eq!(long.unwrap_err().message(), said);
        let context = call!(f, encrypt, { "KeyId": key, "Plaintext": TEXT, "EncryptionAlgorithm": algorithm,
            "EncryptionContext": { "a": "b" } });
        assert_eq!(code(context), "ValidationException");
        let target = f.key().await;
        let moved = call!(f, re_encrypt, { "CiphertextBlob": blob, "SourceKeyId": key,
            "SourceEncryptionAlgorithm": algorithm, "DestinationKeyId": target });
        let moved = moved.unwrap();
        assert!(moved.get("SourceKeyMaterialId").is_none() && moved.get("DestinationKeyMaterialId").is_some());
        let opened = call!(f, decrypt, { "CiphertextBlob": moved["CiphertextBlob"] }).unwrap();
        assert_eq!(opened["Plaintext"], text);
    }
    let data_key = call!(f, generate_data_key, { "KeyId": key, "KeySpec": "AES_256" });
    assert_eq!(code(data_key), "InvalidKeyUsageException");
    f.disable(&key).await.unwrap();
    for algorithm in ["SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256"] {
        let closed = call!(f, decrypt, { "KeyId": key, "CiphertextBlob": TEXT, "EncryptionAlgorithm": algorithm });
        assert_eq!(code(closed), "DisabledException");
    }
}

#[tokio::test]
async fn data_key_pairs_are_sealed_whole() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for spec in ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P521", "ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "ML_KEM_768"]
    {
        let pair = call!(f, generate_data_key_pair, { "KeyId": key, "KeyPairSpec": spec,
            "EncryptionContext": { "a": "b" } });
        let pair = pair.unwrap();
        assert_eq!(pair["KeyPairSpec"], spec);
        let opened = call!(f, decrypt, { "CiphertextBlob": pair["PrivateKeyCiphertextBlob"],
            "EncryptionContext": { "a": "b" } });
        assert_eq!(opened.unwrap()["Plaintext"], pair["PrivateKeyPlaintext"], "{spec}");
        let sealed = call!(f, generate_data_key_pair_without_plaintext, { "KeyId": key, "KeyPairSpec": spec });
        let sealed = sealed.unwrap();
        assert!(sealed.get("PrivateKeyPlaintext").is_none() && sealed.get("PublicKey").is_some());
    }
    let sm2 = call!(f, generate_data_key_pair, { "KeyId": key, "KeyPairSpec": "SM2" });
    assert_eq!(code(sm2), "UnsupportedOperationException");
    let signing = made(&f.keys, &f.me, "ECC_NIST_P256", "SIGN_VERIFY").await;
    let wrong = call!(f, generate_data_key_pair, { "KeyId": signing, "KeyPairSpec": "ECC_NIST_P256" });
    assert_eq!(code(wrong), "InvalidKeyUsageException");
}
