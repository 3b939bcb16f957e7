//! Keys in an HSM, from their making to their end: SoftHSM behind a module that fails on demand, a clock that the test turns.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    dead_code,
    reason = "a test may panic and is nobody's API"
)]

#[path = "../keys/fixture.rs"]
mod fixture;
#[path = "../../../hsm/tests/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use fixture::{DAY, Fixture, START, code, principal, root_key, settings};
use hsm::{KeyId, Selector, Token};
use keys::operation::custom_key_store::{
    ConnectCustomKeyStoreRequest, CreateCustomKeyStoreRequest, DeleteCustomKeyStoreRequest,
    DescribeCustomKeyStoresRequest, DisconnectCustomKeyStoreRequest, UpdateCustomKeyStoreRequest,
};
use keys::operation::lifecycle::CreateKeyRequest;
use keys::{HsmCluster, KeyStores, Keys};
use meta::memory::Memory;
use support::{PIN, Scene, alone, labelled, load, pin};

const HOUR: Duration = Duration::from_secs(3600);

/// A connected store in the token "kms", and that token as somebody else sees it.
struct Hsm {
    f: Fixture,
    store: String,
    token: Token,
}

impl Hsm {
    async fn new(scene: &Scene) -> Self {
        scene.token("kms");
        let module = scene.faulty();
        let cluster = HsmCluster {
            id: "cluster-2a23b4cdefg".to_owned(),
            account: principal("111122223333").account,
            module: module.clone(),
            token: Selector::Label("kms".to_owned()),
            trust_anchor: None,
        };
        let (store, now) = (Arc::new(Memory::new()), Arc::new(AtomicU64::new(START)));
        let key_stores = KeyStores { clusters: vec![cluster], ..KeyStores::default() };
        let keys = Keys::open_with(store.clone(), root_key(7), settings(&now), key_stores).await.unwrap();
        let f = Fixture::over(store, keys, now);
        let request = serde_json::json!({
            "CustomKeyStoreName": "a store",
            "CloudHsmClusterId": "cluster-2a23b4cdefg",
            "KeyStorePassword": PIN,
            "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n",
        });
        let request: CreateCustomKeyStoreRequest = keys::parse(request.to_string().as_bytes()).unwrap();
        let store = f.keys.create_custom_key_store(&f.me, request).await.unwrap().custom_key_store_id;
        let token = Token::open(&load(&module).await, labelled("kms"), pin(PIN)).await.unwrap();
        let hsm = Self { f, store, token };
        hsm.connect().await;
        hsm
    }

    async fn connect(&self) {
        let request = ConnectCustomKeyStoreRequest { custom_key_store_id: self.store.clone() };
        self.f.keys.connect_custom_key_store(&self.f.me, request).await.unwrap();
    }

    async fn disconnect(&self) {
        let request = DisconnectCustomKeyStoreRequest { custom_key_store_id: self.store.clone() };
        self.f.keys.disconnect_custom_key_store(&self.f.me, request).await.unwrap();
    }

    /// Connects with a login that hangs, and goes away before it has ended.
    async fn connect_and_go(&self, scene: &Scene) {
        let logins = scene.calls("C_Login");
        scene.fault("C_Login", Some("hang"));
        assert!(tokio::time::timeout(Duration::from_millis(300), self.connect()).await.is_err());
        scene.fault("C_Login", None);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(scene.calls("C_Login"), logins + 1);
        assert_eq!(self.connection().await, ("DISCONNECTED", None));
    }

    async fn connection(&self) -> (&'static str, Option<&'static str>) {
        let request = serde_json::json!({ "CustomKeyStoreId": self.store });
        let request: DescribeCustomKeyStoresRequest = keys::parse(request.to_string().as_bytes()).unwrap();
        let described = self.f.keys.describe_custom_key_stores(&self.f.me, request).await.unwrap();
        (described.custom_key_stores[0].connection_state, described.custom_key_stores[0].connection_error_code)
    }

    async fn set_password(&self, password: &str) {
        let request = serde_json::json!({ "CustomKeyStoreId": self.store, "KeyStorePassword": password });
        let request: UpdateCustomKeyStoreRequest = keys::parse(request.to_string().as_bytes()).unwrap();
        self.f.keys.update_custom_key_store(&self.f.me, request).await.unwrap();
    }

    async fn delete_store(&self) -> &'static str {
        let request = DeleteCustomKeyStoreRequest { custom_key_store_id: self.store.clone() };
        code(self.f.keys.delete_custom_key_store(&self.f.me, request).await)
    }

    async fn make(&self) -> Result<String, keys::Error> {
        let request = CreateKeyRequest {
            origin: Some("AWS_CLOUDHSM".to_owned()),
            custom_key_store_id: Some(self.store.clone()),
            ..CreateKeyRequest::default()
        };
        Ok(self.f.keys.create_key(&self.f.me, request).await?.key_metadata.key_id)
    }

    /// Whether the token has the material of a key.
    async fn has(&self, key: &str) -> bool {
        self.token.find(bytes_of(key)).await.unwrap().is_some()
    }

    /// Brings a key to its end.
    async fn end(&self, key: &str) {
        self.f.schedule(key, 7).await.unwrap();
        self.f.pass(8 * DAY);
        self.f.keys.tick().await.unwrap();
        assert_eq!(code(self.f.describe(key).await), "NotFoundException");
    }

    /// How many rows tell of custom key stores and what is in them: docs/formats/key-records.md.
    async fn rows(&self) -> usize {
        use meta::Store as _;
        let all = self.f.store.scan(meta::Table::Key, &meta::Range::all(), meta::Order::Ascending, 1000).await.unwrap();
        all.iter().filter(|row| (0x10..=0x13).contains(&row.key[0])).count()
    }
}

/// A `CKA_ID` is the key's id.
fn bytes_of(key: &str) -> KeyId {
    let digits: String = key.chars().filter(|digit| *digit != '-').collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap().try_into().unwrap()
}

#[test]
fn the_end_of_a_key_is_the_end_of_its_material() {
    alone("the_end_of_a_key_is_the_end_of_its_material", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        let empty = hsm.rows().await;
        let key = hsm.make().await.unwrap();
        let info = hsm.token.find(bytes_of(&key)).await.unwrap().unwrap();
        assert!(info.sensitive && !info.extractable && info.never_extractable && info.local);
        assert!(info.label.ends_with(&format!("key/{key}")), "{}", info.label);
        let blob = hsm.f.encrypt(&key, "text").await.unwrap();
        assert_eq!(hsm.f.decrypt(&blob).await.unwrap().plaintext.expose(), b"text");
        assert_eq!(hsm.delete_store().await, "CustomKeyStoreHasCMKsException");

        hsm.end(&key).await;
        assert!(!hsm.has(&key).await);
        assert_eq!(hsm.rows().await, empty);
        hsm.disconnect().await;
        assert_eq!(hsm.delete_store().await, "ok");
        assert_eq!(hsm.rows().await, 0);
    });
}

#[test]
fn material_that_cannot_be_destroyed_is_destroyed_later() {
    alone("material_that_cannot_be_destroyed_is_destroyed_later", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        let key = hsm.make().await.unwrap();
        scene.fault("C_DestroyObject", Some("30"));
        hsm.end(&key).await;
        assert!(hsm.has(&key).await);
        // Behind whatever else is due, so not at once.
        hsm.f.keys.tick().await.unwrap();
        scene.fault("C_DestroyObject", None);
        hsm.f.keys.tick().await.unwrap();
        assert!(hsm.has(&key).await);
        hsm.f.pass(HOUR);
        hsm.f.keys.tick().await.unwrap();
        assert!(!hsm.has(&key).await);
    });
}

#[test]
fn material_in_a_store_that_is_not_connected_is_destroyed_once_it_is() {
    alone("material_in_a_store_that_is_not_connected_is_destroyed_once_it_is", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        let key = hsm.make().await.unwrap();
        hsm.disconnect().await;
        hsm.end(&key).await;
        assert!(hsm.has(&key).await);
        hsm.connect().await;
        hsm.f.pass(HOUR);
        hsm.f.keys.tick().await.unwrap();
        assert!(!hsm.has(&key).await);
    });
}

/// The token makes the key, says that it did not, and will not destroy it either: as good as a crash in between.
#[test]
fn material_that_was_made_in_vain_is_destroyed() {
    alone("material_that_was_made_in_vain_is_destroyed", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        for crash in [false, true] {
            let before = hsm.rows().await;
            scene.fault("C_GenerateKey", Some("70"));
            if crash {
                scene.fault("C_DestroyObject", Some("30"));
            }
            assert_eq!(code(hsm.make().await), "CloudHsmClusterInvalidConfigurationException");
            scene.fault("C_GenerateKey", None);
            if crash {
                assert_eq!(scene.objects(), 1);
                scene.fault("C_DestroyObject", None);
                hsm.f.keys.tick().await.unwrap();
                assert_eq!(scene.objects(), 1, "it might still be on its way");
                hsm.f.pass(2 * HOUR);
                hsm.f.keys.tick().await.unwrap();
            }
            assert_eq!((scene.objects(), hsm.rows().await), (0, before), "crash: {crash}");
        }
        let key = hsm.make().await.unwrap();
        hsm.f.pass(2 * HOUR);
        hsm.f.keys.tick().await.unwrap();
        assert!(hsm.has(&key).await, "what was made for good stays");
    });
}

#[test]
fn what_is_stored_of_keys_in_hsms_is_whole() {
    alone("what_is_stored_of_keys_in_hsms_is_whole", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        hsm.make().await.unwrap();
        let going = hsm.make().await.unwrap();
        scene.fault("C_DestroyObject", Some("30"));
        hsm.end(&going).await;
        let mut damage = Vec::new();
        hsm.f.keys.verify(&mut |found| damage.push(found)).await.unwrap();
        assert_eq!(damage, []);
    });
}

/// Two processes over one store: what one does to it, the other one sees.
#[test]
fn another_process_follows_the_record() {
    alone("another_process_follows_the_record", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        let key = hsm.make().await.unwrap();
        let blob = hsm.f.encrypt(&key, "text").await.unwrap();
        let other = Fixture { keys: hsm.f.gateway().await, ..hsm.f.same() };
        // It knows no HSM at all.
        assert_eq!(code(other.decrypt(&blob).await), "KMSInvalidStateException");
        assert_eq!(other.describe(&key).await.unwrap().key_state, "Enabled");
        hsm.disconnect().await;
        assert_eq!(other.describe(&key).await.unwrap().key_state, "Unavailable");
        hsm.connect().await;
        assert_eq!(hsm.f.decrypt(&blob).await.unwrap().plaintext.expose(), b"text");
    });
}

/// Each trial of a wrong PIN brings the token nearer to being locked.
#[test]
fn a_pin_is_tried_once_though_nobody_waited_for_the_answer() {
    alone("a_pin_is_tried_once_though_nobody_waited_for_the_answer", async |scene: Scene| {
        let hsm = Hsm::new(&scene).await;
        hsm.disconnect().await;
        hsm.set_password("00000000").await;
        hsm.connect_and_go(&scene).await;
        let logins = scene.calls("C_Login");
        hsm.connect().await;
        assert_eq!(hsm.connection().await, ("FAILED", Some("INVALID_CREDENTIALS")));
        assert_eq!(scene.calls("C_Login"), logins);

        // Another password is tried, whatever was said of the one before.
        hsm.disconnect().await;
        hsm.connect_and_go(&scene).await;
        hsm.set_password(PIN).await;
        hsm.connect().await;
        assert_eq!(hsm.connection().await, ("CONNECTED", None));
    });
}
