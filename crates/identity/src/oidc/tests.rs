//! Tokens that are taken, and all those that are not.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsBigEndian, EcPublicKeyUncompressedBin};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RsaEncoding,
};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::jwt::{Claims, MAX_TOKEN, Unverified};
use super::key_set::{KeySet, MAX_KEYS_OF_TYPE};
use super::web_identity::accept;
use super::{Rejected, WebIdentity};

const NOW: i64 = 1_700_000_000;
const URL: &str = "idp.example.com/realms/One";

static RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
static OTHER_RSA: LazyLock<KeyPair> = LazyLock::new(|| KeyPair::generate(KeySize::Rsa2048).unwrap());
static P256: LazyLock<EcdsaKeyPair> = LazyLock::new(|| ec(&ECDSA_P256_SHA256_FIXED_SIGNING));
static P384: LazyLock<EcdsaKeyPair> = LazyLock::new(|| ec(&ECDSA_P384_SHA384_FIXED_SIGNING));
static P521: LazyLock<EcdsaKeyPair> = LazyLock::new(|| ec(&ECDSA_P521_SHA512_FIXED_SIGNING));
static KEYS: LazyLock<KeySet> = LazyLock::new(|| set(&jwks()));

fn ec(algorithm: &'static EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    EcdsaKeyPair::generate(algorithm).unwrap()
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(bytes.as_ref())
}

fn rsa_jwk(key: &KeyPair, id: &str) -> Value {
    // RFC 8017, appendix A.1.1: a sequence of two integers, of 257 bytes with their zero, and of 3.
    let der = key.public_key().as_ref();
    json!({ "kty": "RSA", "kid": id, "use": "sig", "n": b64(&der[9..265]), "e": b64(&der[267..]) })
}

fn ec_jwk(key: &EcdsaKeyPair, id: &str, curve: &str) -> Value {
    let point: EcPublicKeyUncompressedBin<'_> = key.public_key().as_be_bytes().unwrap();
    let (x, y) = point.as_ref()[1..].split_at((point.as_ref().len() - 1) / 2);
    json!({ "kty": "EC", "kid": id, "crv": curve, "x": b64(x), "y": b64(y) })
}

fn jwks() -> Value {
    json!({ "keys": [
        rsa_jwk(&RSA, "rsa"),
        ec_jwk(&P256, "p256", "P-256"),
        ec_jwk(&P384, "p384", "P-384"),
        ec_jwk(&P521, "p521", "P-521"),
    ] })
}

fn set(json: &Value) -> KeySet {
    KeySet::parse(json.to_string().as_bytes()).unwrap()
}

fn claims() -> Value {
    json!({ "iss": format!("https://{URL}"), "sub": "alice", "aud": "app", "exp": NOW + 60, "iat": NOW - 60 })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn join(header: &Value, payload: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(payload));
    let signature = sign(signed.as_bytes());
    format!("{signed}.{}", b64(signature))
}

fn by_rsa(key: &KeyPair, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
    signature
}

fn rs256(claims: &Value) -> String {
    let header = json!({ "alg": "RS256", "kid": "rsa", "typ": "JWT" });
    join(&header, claims.to_string().as_bytes(), |message| by_rsa(&RSA, &RSA_PKCS1_SHA256, message))
}

fn verified(token: &str) -> Result<Claims, Rejected> {
    Unverified::parse(token)?.verify(&KEYS)
}

fn taken(claims: &Value) -> Result<WebIdentity, Rejected> {
    accept(&verified(&rs256(claims))?, URL, &["app".to_owned(), "other".to_owned()], NOW)
}

#[test]
fn every_algorithm_of_aws_verifies() {
    let claims = claims().to_string();
    let rng = SystemRandom::new();
    type Sign<'a> = Box<dyn Fn(&[u8]) -> Vec<u8> + 'a>;
    let ec = |key: &'static EcdsaKeyPair| -> Sign<'_> {
        Box::new(|message| key.sign(&rng, message).unwrap().as_ref().to_vec())
    };
    let rsa =
        |encoding: &'static dyn RsaEncoding| -> Sign<'_> { Box::new(move |message| by_rsa(&RSA, encoding, message)) };
    for (algorithm, key, sign) in [
        ("RS256", "rsa", rsa(&RSA_PKCS1_SHA256)),
        ("RS384", "rsa", rsa(&RSA_PKCS1_SHA384)),
        ("RS512", "rsa", rsa(&RSA_PKCS1_SHA512)),
        ("ES256", "p256", ec(&P256)),
        ("ES384", "p384", ec(&P384)),
        ("ES512", "p521", ec(&P521)),
    ] {
        for header in [json!({ "alg": algorithm, "kid": key }), json!({ "alg": algorithm })] {
            let token = join(&header, claims.as_bytes(), &sign);
            assert_eq!(verified(&token).unwrap().text("sub"), Ok("alice"), "{algorithm}");
        }
        // A bit of the payload, and a bit of the signature.
        let token = join(&json!({ "alg": algorithm, "kid": key }), claims.as_bytes(), |message| {
            let mut signature = sign(message);
            signature[10] ^= 1;
            signature
        });
        assert_eq!(verified(&token).unwrap_err(), Rejected::Signature, "{algorithm}");
    }
}

#[test]
fn algorithms_that_are_not_taken() {
    let claims = claims().to_string();
    // The public key, which everybody has, as the secret of an HMAC.
    let secret = hmac::Key::new(hmac::HMAC_SHA256, RSA.public_key().as_ref());
    for name in ["none", "None", "NONE", "nOnE", "HS256", "HS512", "PS256", "EdDSA", "RS1", "rs256", "", "ES256K"] {
        let token = join(&json!({ "alg": name, "kid": "rsa" }), claims.as_bytes(), |message| {
            hmac::sign(&secret, message).as_ref().to_vec()
        });
        assert_eq!(Unverified::parse(&token).unwrap_err(), Rejected::Algorithm, "{name}");
    }
    for header in [json!({ "kid": "rsa" }), json!({ "alg": null }), json!({ "alg": ["RS256"] }), json!({ "alg": 1 })] {
        assert_eq!(Unverified::parse(&join(&header, b"{}", |_| vec![])).unwrap_err(), Rejected::Algorithm, "{header}");
    }
    // The right algorithm over no signature, and PSS under the name of PKCS #1.
    let header = json!({ "alg": "RS256", "kid": "rsa" });
    assert_eq!(verified(&join(&header, claims.as_bytes(), |_| vec![])).unwrap_err(), Rejected::Signature);
    let pss = join(&header, claims.as_bytes(), |message| by_rsa(&RSA, &RSA_PSS_SHA256, message));
    assert_eq!(verified(&pss).unwrap_err(), Rejected::Signature);
}

#[test]
fn a_key_is_the_one_that_is_named_and_of_its_type() {
    let claims = claims().to_string();
    let other =
        |header: Value| join(&header, claims.as_bytes(), |message| by_rsa(&OTHER_RSA, &RSA_PKCS1_SHA256, message));
    // Nobody's key under the id of the issuer's.
    assert_eq!(verified(&other(json!({ "alg": "RS256", "kid": "rsa" }))).unwrap_err(), Rejected::Signature);
    for (algorithm, key) in [("RS256", "p256"), ("ES256", "rsa"), ("ES256", "p384"), ("RS256", "nobody"), ("RS256", "")]
    {
        assert_eq!(verified(&other(json!({ "alg": algorithm, "kid": key }))).unwrap_err(), Rejected::Key, "{key}");
    }
    // A key that comes with the token is no key.
    let mut header = json!({ "alg": "RS256", "jwk": rsa_jwk(&OTHER_RSA, "own"), "jku": "https://evil.example.com" });
    assert_eq!(verified(&other(header.clone())).unwrap_err(), Rejected::Signature);
    header["kid"] = json!("own");
    assert_eq!(verified(&other(header)).unwrap_err(), Rejected::Key);
    // Two keys that both would do: the issuer has to say which.
    let two = set(&json!({ "keys": [rsa_jwk(&RSA, "one"), rsa_jwk(&OTHER_RSA, "two")] }));
    let token = other(json!({ "alg": "RS256" }));
    assert_eq!(Unverified::parse(&token).unwrap().verify(&two).unwrap_err(), Rejected::Key);
    let twice = set(&json!({ "keys": [rsa_jwk(&RSA, "one"), rsa_jwk(&OTHER_RSA, "one")] }));
    let token = other(json!({ "alg": "RS256", "kid": "one" }));
    assert_eq!(Unverified::parse(&token).unwrap().verify(&twice).unwrap_err(), Rejected::Key);
    // A key that is for something else.
    for (name, value) in [("use", "enc"), ("alg", "RS512"), ("alg", "none"), ("kty", "oct")] {
        let mut key = rsa_jwk(&RSA, "rsa");
        key[name] = json!(value);
        let keys = set(&json!({ "keys": [key] }));
        let token = rs256(&self::claims());
        assert_eq!(Unverified::parse(&token).unwrap().verify(&keys).unwrap_err(), Rejected::Key, "{name}");
    }
}

#[test]
fn what_is_no_token() {
    let good = rs256(&claims());
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        "a.b".into(),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{header}={}.{payload}.{signature}", ""),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}.{payload}.+/{signature}"),
        format!("{}.{payload}.{signature}", b64("[]")),
        format!("{}.{payload}.{signature}", b64("null")),
        format!("{}.{payload}.{signature}", b64("{\"alg\":\"RS256\"} x")),
        format!("{}.{payload}.{signature}", b64("{\"alg\":\"none\",\"alg\":\"RS256\"}")),
        format!("{}.{payload}.{signature}", b64("{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}")),
        format!("{}.{payload}.{signature}", b64("{\"alg\":\"RS256\",\"enc\":\"A128GCM\"}")),
        format!("{}.{payload}.{signature}", b64("{\"alg\":\"RS256\",\"kid\":7}")),
        format!("{header}.{}.{signature}", b64("{\"iss\":\"https://a\",\"iss\":\"https://b\"}")),
        format!("{header}.{}.{signature}", b64([0xff, 0xfe])),
        format!("{header}.{}.{signature}", b64(format!("{}1{}", "[".repeat(200), "]".repeat(200)))),
        "a".repeat(MAX_TOKEN + 1),
    ] {
        assert_eq!(Unverified::parse(&bad).unwrap_err(), Rejected::NotAToken, "{bad}");
    }
    // The same bytes have one text: bits beyond the last byte are zero.
    let last = good.chars().last().unwrap();
    for other in ('a'..='z').chain('A'..='Z').filter(|other| *other != last) {
        let altered = format!("{}{other}", &good[..good.len() - 1]);
        assert!(verified(&altered).is_err(), "{other}");
    }
}

#[test]
fn every_claim_that_is_required_is_missed() {
    for name in ["sub", "aud", "exp", "iat"] {
        assert_eq!(taken(&without(name)).unwrap_err(), Rejected::Missing(name));
        assert!(taken(&with(name, json!(null))).is_err(), "{name}");
        assert!(taken(&with(name, json!({}))).is_err(), "{name}");
        assert!(taken(&with(name, json!(""))).is_err(), "{name}");
    }
    assert_eq!(Unverified::parse(&rs256(&without("iss"))).unwrap_err(), Rejected::Missing("iss"));
    assert!(taken(&with("aud", json!([]))).is_err());
    assert!(taken(&with("aud", json!(["app", 7]))).is_err());
    assert!(taken(&with("exp", json!("1700000060"))).is_err());
    assert!(taken(&with("exp", json!(1e300))).is_err());
    assert_eq!(taken(&with("sub", json!("a".repeat(256)))).unwrap_err(), Rejected::Claim("sub"));
}

#[test]
fn times_have_edges() {
    for (name, value, result) in [
        ("exp", json!(NOW + 1), Ok(())),
        ("exp", json!(NOW), Err(Rejected::Expired { now: NOW, expired: NOW })),
        ("exp", json!(NOW as f64 + 0.9), Err(Rejected::Expired { now: NOW, expired: NOW })),
        ("exp", json!(-1), Err(Rejected::Expired { now: NOW, expired: -1 })),
        ("nbf", json!(NOW), Ok(())),
        ("nbf", json!(NOW + 300), Ok(())),
        ("nbf", json!(NOW + 301), Err(Rejected::NotYet { now: NOW, from: NOW + 301 })),
        ("iat", json!(NOW + 300), Ok(())),
        ("iat", json!(NOW + 301), Err(Rejected::NotYet { now: NOW, from: NOW + 301 })),
        ("iat", json!(i64::MAX), Err(Rejected::NotYet { now: NOW, from: i64::MAX })),
    ] {
        assert_eq!(taken(&with(name, value.clone())).map(drop), result, "{name} {value}");
    }
}

#[test]
fn the_audience_is_azp_or_else_one_that_is_listed() {
    let audience = |claims: Value| taken(&claims).map(|who| who.audience);
    assert_eq!(audience(claims()), Ok("app".into()));
    assert_eq!(audience(with("aud", json!(["nobody", "other"]))), Ok("other".into()));
    assert_eq!(audience(with("aud", json!("nobody"))), Err(Rejected::Audience));
    assert_eq!(audience(with("aud", json!("app "))), Err(Rejected::Audience));
    assert_eq!(audience(with("azp", json!("other"))), Ok("other".into()));
    assert_eq!(audience(with("azp", json!("nobody"))), Err(Rejected::Audience));
    assert_eq!(audience(with("azp", json!(["app"]))), Err(Rejected::Claim("azp")));
    assert_eq!(accept(&verified(&rs256(&claims())).unwrap(), URL, &[], NOW).unwrap_err(), Rejected::Audience);
}

#[test]
fn an_issuer_is_compared_letter_by_letter() {
    for issuer in [
        "https://idp.example.com/realms/one",
        "https://idp.example.com/realms/One/",
        "http://idp.example.com/realms/One",
    ] {
        assert_eq!(taken(&with("iss", json!(issuer))).unwrap_err(), Rejected::Issuer(issuer.into()));
    }
}

#[test]
fn condition_keys_and_tags_come_from_the_token() {
    let mut claims = with("amr", json!(["pwd", "mfa"]));
    claims["azp"] = json!("other");
    claims["aud"] = json!(["app", "x"]);
    claims["https://aws.amazon.com/tags"] =
        json!({ "principal_tags": { "Team": ["red"], "Cost": "7" }, "transitive_tag_keys": ["Team"] });
    claims["https://aws.amazon.com/source_identity"] = json!("alice@example.com");
    let who = taken(&claims).unwrap();
    let key = |name: &str| format!("idp.example.com/realms/one:{name}");
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        who.claims,
        [
            (key("aud"), texts(&["other"])),
            (key("sub"), texts(&["alice"])),
            (key("amr"), texts(&["pwd", "mfa"])),
            (key("oaud"), texts(&["app", "x"])),
        ]
    );
    assert_eq!(who.tags, [("Cost".into(), "7".into()), ("Team".into(), "red".into())]);
    assert_eq!((who.transitive_tag_keys, who.source_identity), (texts(&["Team"]), Some("alice@example.com".into())));
    for bad in [json!([]), json!({ "principal_tags": { "a": ["1", "2"] } }), json!({ "transitive_tag_keys": "a" })] {
        let bad = with("https://aws.amazon.com/tags", bad);
        assert_eq!(taken(&bad).unwrap_err(), Rejected::Claim("https://aws.amazon.com/tags"));
    }
    let flat = with("https://aws.amazon.com/tags/principal_tags/Team", json!("blue"));
    assert_eq!(taken(&flat).unwrap().tags, [("Team".into(), "blue".into())]);
}

#[test]
fn key_sets_are_bounded_and_what_cannot_be_read_is_left_out() {
    let many = |count: usize| json!({ "keys": vec![rsa_jwk(&RSA, "rsa"); count] }).to_string();
    assert!(KeySet::parse(many(MAX_KEYS_OF_TYPE).as_bytes()).is_ok());
    assert!(KeySet::parse(many(MAX_KEYS_OF_TYPE + 1).as_bytes()).is_err());
    for bad in ["", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[{}]}", "{\"keys\":[1]}"] {
        assert!(KeySet::parse(bad.as_bytes()).is_err(), "{bad}");
    }
    for key in [
        json!({ "kty": "RSA", "n": "AA", "e": "" }),
        json!({ "kty": "RSA", "n": "", "e": "AQAB" }),
        json!({ "kty": "RSA", "n": b64(vec![1; 1025]), "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": b64([1; 32]), "y": b64([1; 32]) }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": b64([1; 32]) }),
    ] {
        assert_eq!(set(&json!({ "keys": [key.clone()] })), KeySet::default(), "{key}");
    }
    // A point that is not on the curve verifies nothing.
    let keys =
        set(&json!({ "keys": [{ "kty": "EC", "kid": "p256", "crv": "P-256", "x": b64([1; 32]), "y": b64([1; 32]) }] }));
    let rng = SystemRandom::new();
    let token = join(&json!({ "alg": "ES256", "kid": "p256" }), claims().to_string().as_bytes(), |message| {
        P256.sign(&rng, message).unwrap().as_ref().to_vec()
    });
    assert_eq!(Unverified::parse(&token).unwrap().verify(&keys).unwrap_err(), Rejected::Signature);
}
