//! KMS: what a request costs beside the primitive alone, whether making RSA keys holds others up, and whether keys by the
//! hundred thousand make anything slower.
#![allow(clippy::print_stdout, reason = "the report is what this program is for")]

use crate::Error;
use crate::connection::Connection;
use crate::load::{self, Figures};
use crate::scenario::{Prepared, kms_request};
use crate::target::Target;
use data_encoding::BASE64;
use material::{
    EncapsulationAlgorithm, Key, KeyAgreementAlgorithm, KeySpec, MacAlgorithm, MessageType, SigningAlgorithm,
};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 32;
const MESSAGE: &[u8] =
    b"a message of the size that signed requests and tokens have, about a hundred bytes or a little less";
/// RSA keys being made at a time.
const GENERATED: usize = 10;
/// Keys of the two stores that are compared.
const FEW: usize = 100;
const MANY: usize = 100_000;
/// Keys are made by this many connections, so that they share syncs.
const MAKERS: usize = 64;

/// All three tables.
pub(crate) fn run(target: &Target, time: Duration) -> Result<(), Error> {
    primitives(target, time)?;
    generation(target, time)?;
    scale(target, time)
}

/// A line of the first table: a request, and what it asks of the cryptographic library alone.
struct Line {
    name: &'static str,
    request: Prepared,
    alone: Option<Duration>,
}

fn primitives(target: &Target, time: Duration) -> Result<(), Error> {
    println!("| operation | key | requests/s | p50 ms | p99 ms | CPU µs/request | the primitive alone, µs |");
    println!("|---|---|---|---|---|---|---|");
    for line in lines(target)? {
        let figures = load::run(target, &line.request, CONNECTIONS, time)?;
        let alone = line.alone.map(|alone| format!("{:.1}", micros(alone))).unwrap_or_default();
        println!("| {} | {} | {alone} |", line.name, cells(&figures));
    }
    println!();
    Ok(())
}

fn lines(target: &Target) -> Result<Vec<Line>, Error> {
    let symmetric = made(target, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")?;
    let text = BASE64.encode(MESSAGE);
    let seal = json!({ "KeyId": symmetric, "Plaintext": text, "EncryptionContext": { "tenant": "bench" } });
    let sealed = call(target, "TrentService.Encrypt", &seal)?;
    let open = json!({ "CiphertextBlob": sealed["CiphertextBlob"], "EncryptionContext": { "tenant": "bench" } });
    let data_key = json!({ "KeyId": symmetric, "KeySpec": "AES_256" });
    let line = |name, operation, body: &Value, alone| Line { name, request: prepared(operation, body), alone };
    let mut lines = vec![
        line("Encrypt | symmetric", "TrentService.Encrypt", &seal, None),
        line("Decrypt | symmetric", "TrentService.Decrypt", &open, None),
        line("GenerateDataKey | symmetric", "TrentService.GenerateDataKey", &data_key, None),
    ];

    let mac_key = made(target, "HMAC_256", "GENERATE_VERIFY_MAC")?;
    let mac = json!({ "KeyId": mac_key, "Message": text, "MacAlgorithm": "HMAC_SHA_256" });
    let alone = alone(KeySpec::Hmac256, |key| key.mac(MacAlgorithm::HmacSha256, MESSAGE).is_ok())?;
    lines.push(line("GenerateMac | HMAC_256", "TrentService.GenerateMac", &mac, Some(alone)));

    for (name, verify_name, spec, algorithm) in SIGNING {
        let key_id = made(target, spec.name(), "SIGN_VERIFY")?;
        let sign = json!({ "KeyId": key_id, "Message": text, "SigningAlgorithm": algorithm.name() });
        let signature = call(target, "TrentService.Sign", &sign)?["Signature"].clone();
        let verify = json!({ "KeyId": key_id, "Message": text, "SigningAlgorithm": algorithm.name(),
            "Signature": signature });
        let signing = self::alone(spec, |key| key.sign(algorithm, MessageType::Raw, MESSAGE).is_ok())?;
        let signed = |key: &Key| key.sign(algorithm, MessageType::Raw, MESSAGE).unwrap_or_default();
        let verifying = alone_with(spec, signed, |key, signature| {
            key.verify(algorithm, MessageType::Raw, MESSAGE, signature).unwrap_or_default()
        })?;
        lines.push(line(name, "TrentService.Sign", &sign, Some(signing)));
        lines.push(line(verify_name, "TrentService.Verify", &verify, Some(verifying)));
    }

    let agreeing = made(target, "ECC_NIST_P256", "KEY_AGREEMENT")?;
    let public = call(target, "TrentService.GetPublicKey", &json!({ "KeyId": agreeing }))?["PublicKey"].clone();
    let derive = json!({ "KeyId": agreeing, "KeyAgreementAlgorithm": "ECDH", "PublicKey": public });
    let peer = |key: &Key| key.public_key_der().unwrap_or_default();
    let alone =
        alone_with(KeySpec::EccNistP256, peer, |key, peer| key.agree(KeyAgreementAlgorithm::Ecdh, peer).is_ok())?;
    lines.push(line("DeriveSharedSecret | ECC_NIST_P256", "TrentService.DeriveSharedSecret", &derive, Some(alone)));

    let kem = made(target, "ML_KEM_768", "ENCAPSULATE_DECAPSULATE")?;
    let encapsulate = json!({ "KeyId": kem, "EncapsulationAlgorithm": "ML_KEM" });
    let alone = self::alone(KeySpec::MlKem768, |key| key.encapsulate(EncapsulationAlgorithm::MlKem).is_ok())?;
    lines.push(line("Encapsulate | ML_KEM_768", "TrentService.Encapsulate", &encapsulate, Some(alone)));
    Ok(lines)
}

const SIGNING: [(&str, &str, KeySpec, SigningAlgorithm); 4] = [
    (
        "Sign | ECC_NIST_EDWARDS25519",
        "Verify | ECC_NIST_EDWARDS25519",
        KeySpec::EccNistEdwards25519,
        SigningAlgorithm::Ed25519Sha512,
    ),
    ("Sign | ECC_NIST_P256", "Verify | ECC_NIST_P256", KeySpec::EccNistP256, SigningAlgorithm::EcdsaSha256),
    ("Sign | RSA_2048", "Verify | RSA_2048", KeySpec::Rsa2048, SigningAlgorithm::RsassaPssSha256),
    ("Sign | ML_DSA_65", "Verify | ML_DSA_65", KeySpec::MlDsa65, SigningAlgorithm::MlDsaShake256),
];

/// Encrypt alone, and while RSA-4096 keys are being made without a pause.
fn generation(target: &Target, time: Duration) -> Result<(), Error> {
    let key = made(target, "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")?;
    let encrypt = prepared("TrentService.Encrypt", &json!({ "KeyId": key, "Plaintext": BASE64.encode(MESSAGE) }));
    println!("| Encrypt | requests/s | p50 ms | p99 ms | CPU µs/request | RSA-4096 keys made |");
    println!("|---|---|---|---|---|---|");
    for connections in [1, CONNECTIONS] {
        let alone = load::run(target, &encrypt, connections, time)?;
        println!("| alone, {connections} connections | {} | |", cells(&alone));
        let done = AtomicBool::new(false);
        let (beside, keys) = std::thread::scope(|scope| {
            let make = || {
                let mut keys = 0;
                while !done.load(Ordering::Relaxed) {
                    made(target, "RSA_4096", "SIGN_VERIFY")?;
                    keys += 1;
                }
                Ok::<usize, Error>(keys)
            };
            let makers: Vec<_> = (0..GENERATED).map(|_| scope.spawn(make)).collect();
            let beside = load::run(target, &encrypt, connections, time * 4);
            done.store(true, Ordering::Relaxed);
            let mut keys = 0;
            for maker in makers {
                keys += maker.join().map_err(|_| Error::Failed("a maker panicked".into()))??;
            }
            Ok::<_, Error>((beside?, keys))
        })?;
        println!("| {GENERATED} RSA-4096 keys at a time, {connections} connections | {} | {keys} |", cells(&beside));
        let ratio = beside.p99.as_secs_f64() / alone.p99.as_secs_f64();
        println!("| p99 beside / alone | | | **{ratio:.1}** | | |");
    }
    println!();
    Ok(())
}

/// What is asked of a store with few keys and with many.
fn scale(target: &Target, time: Duration) -> Result<(), Error> {
    println!("| keys in the account | operation | requests/s | p50 ms | p99 ms | CPU µs/request |");
    println!("|---|---|---|---|---|---|");
    let mut keys: Vec<Value> = Vec::new();
    for size in [FEW, MANY] {
        // The measurement of CreateKey makes keys too; the larger store leaves room for it below the account's quota.
        let wanted = if size == MANY { size - size / 5 } else { size };
        keys.extend(fill(target, wanted.saturating_sub(keys.len()))?);
        let describe: Vec<_> = keys
            .iter()
            .map(|key| kms_request("TrentService.DescribeKey", json!({ "KeyId": key }).to_string()))
            .collect();
        let describe = Prepared::of_requests(describe);
        let list = prepared("TrentService.ListKeys", &json!({ "Limit": 100 }));
        let create = prepared("TrentService.CreateKey", &json!({}));
        let short = time.min(Duration::from_millis(500));
        for (name, request, time) in
            [("DescribeKey", &describe, time), ("ListKeys, 100 a page", &list, time), ("CreateKey", &create, short)]
        {
            let figures = load::run(target, request, 8, time)?;
            println!("| {wanted} | {name} | {} |", cells(&figures));
        }
    }
    println!();
    Ok(())
}

/// Makes symmetric keys and gives their ids.
fn fill(target: &Target, count: usize) -> Result<Vec<Value>, Error> {
    std::thread::scope(|scope| {
        let share = count.div_ceil(MAKERS);
        let maker = |number: usize| {
            let own = share.min(count.saturating_sub(number * share));
            move || {
                let mut connection = Connection::open(target, false)?;
                let create = kms_request("TrentService.CreateKey", "{}".to_owned());
                (0..own)
                    .map(|_| Ok(parsed(&connection.expect_success(&create)?.kept)?["KeyMetadata"]["KeyId"].clone()))
                    .collect::<Result<Vec<_>, Error>>()
            }
        };
        let makers: Vec<_> = (0..MAKERS).map(|number| scope.spawn(maker(number))).collect();
        let mut keys = Vec::with_capacity(count);
        for maker in makers {
            keys.extend(maker.join().map_err(|_| Error::Failed("a maker panicked".into()))??);
        }
        Ok(keys)
    })
}

fn made(target: &Target, spec: &str, usage: &str) -> Result<String, Error> {
    let made = call(target, "TrentService.CreateKey", &json!({ "KeySpec": spec, "KeyUsage": usage }))?;
    Ok(made["KeyMetadata"]["Arn"].as_str().unwrap_or_default().to_owned())
}

fn call(target: &Target, operation: &'static str, body: &Value) -> Result<Value, Error> {
    let answer = Connection::open(target, false)?.expect_success(&kms_request(operation, body.to_string()))?;
    parsed(&answer.kept)
}

fn parsed(body: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|error| Error::Failed(error.to_string()))
}

fn prepared(operation: &'static str, body: &Value) -> Prepared {
    Prepared::of_requests(vec![kms_request(operation, body.to_string())])
}

/// What one call takes a thread of its own, with a key of the spec that is ready: the smallest of several rounds, since the
/// machine is shared.
fn alone(spec: KeySpec, work: impl Fn(&Key) -> bool) -> Result<Duration, Error> {
    alone_with(spec, |_| Vec::new(), |key, _| work(key))
}

fn alone_with(
    spec: KeySpec,
    prepare: impl Fn(&Key) -> Vec<u8>,
    work: impl Fn(&Key, &[u8]) -> bool,
) -> Result<Duration, Error> {
    const ROUNDS: usize = 5;
    const CALLS: u32 = 200;
    let failed = |error: material::Error| Error::Failed(error.to_string());
    let secret = material::generate(spec).map_err(failed)?;
    let key = Key::load(spec, secret.expose()).map_err(failed)?;
    let given = prepare(&key);
    let round = || {
        let started = Instant::now();
        let good = (0..CALLS).all(|_| std::hint::black_box(work(&key, &given)));
        (good, started.elapsed() / CALLS)
    };
    let rounds: Vec<_> = (0..ROUNDS).map(|_| round()).collect();
    if !rounds.iter().all(|(good, _)| *good) {
        return Err(Error::Failed(format!("{spec} did not do what it should")));
    }
    Ok(rounds.into_iter().map(|(_, time)| time).min().unwrap_or_default())
}

pub(crate) fn cells(figures: &Figures) -> String {
    let requests = figures.requests as f64;
    let cpu = figures.cpu_seconds.map(|cpu| format!("{:.0}", cpu / requests * 1e6)).unwrap_or_default();
    let millis = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    format!("{:.0} | {} | {} | {cpu}", requests / figures.seconds, millis(figures.p50), millis(figures.p99))
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
