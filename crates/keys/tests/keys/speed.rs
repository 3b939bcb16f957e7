//! What a warm use of a key costs. Run alone: `cargo test --release -p strongroom-keys --test keys speed -- --ignored --nocapture`

use std::time::Instant;

use keys::operation::data_key::GenerateDataKeyRequest;
use seal::EncryptionContext;

use crate::fixture::Fixture;

const ROUNDS: u32 = 20_000;

#[tokio::test]
#[ignore = "measures"]
async fn warm_operations() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.alias("alias/warm", &key).await.unwrap();
    let mut context = EncryptionContext::new();
    context.insert("aws:s3:arn", "arn:aws:s3:::bucket/some/key").unwrap();
    let blob = f.encrypt(&key, "0123456789abcdef0123456789abcdef").await.unwrap();
    let record = [7; 300];
    let sealed = f.keys.records().seal(b"object", b"table and row key", &record);

    let start = Instant::now();
    for _ in 0..ROUNDS {
        f.encrypt("alias/warm", "0123456789abcdef0123456789abcdef").await.unwrap();
    }
    report("Encrypt by alias", start);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        f.decrypt(&blob).await.unwrap();
    }
    report("Decrypt", start);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        let key_spec = Some("AES_256".to_owned());
        let request = GenerateDataKeyRequest { key_id: Some(key.clone()), key_spec, ..Default::default() };
        f.keys.generate_data_key(&f.me, request).await.unwrap();
    }
    report("GenerateDataKey", start);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        f.keys.service_data_key(&context).await.unwrap();
    }
    report("service data key", start);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        f.keys.records().seal(b"object", b"table and row key", &record);
    }
    report("seal a record of 300 B", start);
    let start = Instant::now();
    for _ in 0..ROUNDS {
        f.keys.records().open(b"object", b"table and row key", &sealed).unwrap();
    }
    report("open a record of 300 B", start);
}

#[allow(clippy::print_stdout, reason = "a measurement is for reading")]
fn report(what: &str, start: Instant) {
    println!("{what}: {:.2} µs", start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS));
}
