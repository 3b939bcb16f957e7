//! No bytes make Decrypt panic, and none but what Encrypt gave opens.
//!
//! SQLite is linked in and has two static tables of one name, which AddressSanitizer takes for one defined twice: run with
//! `ASAN_OPTIONS=detect_odr_violation=0`.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::UNIX_EPOCH;

use keys::operation::encrypt::{DecryptRequest, EncryptRequest};
use keys::{AccountId, Blob, KeyFile, Keys, Plaintext, Principal, Region, Settings};
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;

struct Server {
    runtime: Runtime,
    keys: Arc<Keys>,
    caller: Principal,
    blob: Vec<u8>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let root = KeyFile::parse(&[&b"SRROOTK\x01"[..], &[7; 32]].concat()).expect("a root key");
    let region = Region::parse("eu-west-1").expect("a Region");
    let settings = Settings { region, other_regions: vec![], clock: Arc::new(|| UNIX_EPOCH) };
    let caller = Principal::root(AccountId::parse("111122223333").expect("an account"), "AKIA");
    let (keys, blob) = runtime.block_on(async {
        let keys = Keys::open(Arc::new(meta::memory::Memory::new()), Arc::new(root), settings).await.expect("a store");
        let made = keys.create_key(&caller, Default::default()).await.expect("a key");
        let key_id = made.key_metadata.key_id;
        let plaintext = Plaintext::new(b"secret".to_vec());
        let request = EncryptRequest { key_id, plaintext, ..Default::default() };
        let blob = keys.encrypt(&caller, request).await.expect("a ciphertext").ciphertext_blob;
        (keys, blob.0)
    });
    Server { runtime, keys, caller, blob }
});

fn opens(blob: Vec<u8>) -> bool {
    let request = DecryptRequest { ciphertext_blob: Some(Blob(blob)), ..Default::default() };
    SERVER.runtime.block_on(SERVER.keys.decrypt(&SERVER.caller, request)).is_ok()
}

fuzz_target!(|data: &[u8]| {
    assert!(!opens(data.to_vec()), "made without the key");
    // What Encrypt gave, with bytes written over at a place, and cut.
    if let [at, cut, patch @ ..] = data {
        let mut blob = SERVER.blob.clone();
        let at = usize::from(*at) % blob.len();
        for (byte, new) in blob[at..].iter_mut().zip(patch) {
            *byte = *new;
        }
        blob.truncate(blob.len() - usize::from(*cut) % 2 * (usize::from(*cut) % SERVER.blob.len()));
        assert_eq!(opens(blob.clone()), blob == SERVER.blob);
    }
    // Any request at all.
    if let Ok(request) = keys::parse::<DecryptRequest>(data) {
        drop(SERVER.runtime.block_on(SERVER.keys.decrypt(&SERVER.caller, request)));
    }
});
