//! Imported key material: its ways in, its end, its return.

use std::time::Duration;

use aws_lc_rs::rsa::{OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey};
use keys::operation::deletion::CancelKeyDeletionRequest;
use keys::operation::import::{
    DeleteImportedKeyMaterialRequest, GetParametersForImportRequest, GetParametersForImportResponse,
    ImportKeyMaterialRequest,
};
use keys::operation::lifecycle::CreateKeyRequest;
use keys::operation::mac::{GenerateMacRequest, VerifyMacRequest};
use keys::operation::multi_region::ReplicateKeyRequest;
use keys::operation::rotation::{ListKeyRotationsRequest, RotationsListEntry};
use keys::{Blob, Error, Keys, Region, Request, Settings};
use meta::{Order, Range, Store, Table};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::fixture::{DAY, Fixture, code, root_key};

const HOUR: Duration = Duration::from_secs(3600);
const ONE: [u8; 32] = [1; 32];
const TWO: [u8; 32] = [2; 32];

/// An import that has all but what a test is about.
pub fn forever() -> ImportKeyMaterialRequest {
    let expiration_model = Some("KEY_MATERIAL_DOES_NOT_EXPIRE".to_owned());
    ImportKeyMaterialRequest { expiration_model, ..Default::default() }
}

pub fn new() -> ImportKeyMaterialRequest {
    ImportKeyMaterialRequest { import_type: Some("NEW_KEY_MATERIAL".to_owned()), ..forever() }
}

fn until(f: &Fixture, time: Duration) -> ImportKeyMaterialRequest {
    ImportKeyMaterialRequest { valid_to: Some((f.time() + time).into()), ..Default::default() }
}

fn wrap(public: &[u8], material: &[u8]) -> Blob {
    let public = OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(public).unwrap()).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(&OAEP_SHA256_MGF1SHA256, material, &mut wrapped, None).unwrap();
    Blob(wrapped)
}

fn parsed<R: Request + DeserializeOwned>(body: &Value) -> R {
    keys::parse(body.to_string().as_bytes()).unwrap()
}

impl Fixture {
    pub async fn external(&self) -> String {
        self.external_of("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await
    }

    async fn external_of(&self, spec: &str, usage: &str) -> String {
        let request = CreateKeyRequest {
            origin: Some("EXTERNAL".to_owned()),
            key_spec: Some(spec.to_owned()),
            key_usage: Some(usage.to_owned()),
            ..Default::default()
        };
        self.keys.create_key(&self.me, request).await.unwrap().key_metadata.key_id
    }

    pub async fn parameters(&self, key: &str) -> Result<GetParametersForImportResponse, Error> {
        let request = GetParametersForImportRequest {
            key_id: key.to_owned(),
            wrapping_algorithm: "RSAES_OAEP_SHA_256".to_owned(),
            wrapping_key_spec: "RSA_2048".to_owned(),
        };
        self.keys.get_parameters_for_import(&self.me, request).await
    }

    pub async fn import_with(
        &self,
        parameters: &GetParametersForImportResponse,
        key: &str,
        material: &[u8],
        request: ImportKeyMaterialRequest,
    ) -> Result<Option<String>, Error> {
        let request = ImportKeyMaterialRequest {
            key_id: key.to_owned(),
            import_token: parameters.import_token.clone(),
            encrypted_key_material: wrap(&parameters.public_key.0, material),
            ..request
        };
        Ok(self.keys.import_key_material(&self.me, request).await?.key_material_id)
    }

    pub async fn import(
        &self,
        key: &str,
        material: &[u8],
        request: ImportKeyMaterialRequest,
    ) -> Result<Option<String>, Error> {
        let parameters = self.parameters(key).await?;
        self.import_with(&parameters, key, material, request).await
    }

    pub async fn forget(&self, key: &str, id: Option<String>) -> Result<Option<String>, Error> {
        let request = DeleteImportedKeyMaterialRequest { key_id: key.to_owned(), key_material_id: id };
        Ok(self.keys.delete_imported_key_material(&self.me, request).await?.key_material_id)
    }

    pub async fn materials(&self, key: &str) -> Vec<RotationsListEntry> {
        let include_key_material = Some("ALL_KEY_MATERIAL".to_owned());
        let request = ListKeyRotationsRequest { key_id: key.to_owned(), include_key_material, ..Default::default() };
        self.keys.list_key_rotations(&self.me, request).await.unwrap().rotations
    }

    pub async fn state(&self, key: &str) -> &'static str {
        self.describe(key).await.unwrap().key_state
    }

    async fn material_rows(&self) -> usize {
        self.store.scan(Table::Material, &Range::all(), Order::Ascending, 100).await.unwrap().len()
    }

    pub async fn errands(&self) -> usize {
        let rows = self.store.scan(Table::Key, &Range::prefix(vec![3]), Order::Ascending, 1_000).await.unwrap();
        rows.len()
    }
}

#[tokio::test]
async fn a_key_without_material_waits_for_its_import() {
    let mut f = Fixture::new().await;
    let key = f.external().await;
    let made = f.describe(&key).await.unwrap();
    assert_eq!((made.key_state, made.origin, made.enabled), ("PendingImport", "EXTERNAL", false));
    assert_eq!((made.expiration_model, made.valid_to, made.current_key_material_id), (None, None, None));
    assert_eq!(code(f.encrypt(&key, "x").await), "KMSInvalidStateException");
    assert_eq!(code(f.enable(&key).await), "KMSInvalidStateException");
    assert!(f.materials(&key).await.is_empty());

    let id = f.import(&key, &ONE, forever()).await.unwrap();
    let imported = f.describe(&key).await.unwrap();
    assert_eq!((imported.key_state, imported.enabled), ("Enabled", true));
    assert_eq!(imported.expiration_model, Some("KEY_MATERIAL_DOES_NOT_EXPIRE"));
    assert_eq!(imported.current_key_material_id, id);
    let blob = f.encrypt(&key, "x").await.unwrap();
    f.restart().await;
    let opened = f.decrypt(&blob).await.unwrap();
    assert!(opened.plaintext.expose() == b"x");
    assert_eq!(opened.key_material_id, id);
}

#[tokio::test]
async fn the_parameters_say_whose_they_are_and_end_after_a_day() {
    let f = Fixture::new().await;
    let key = f.external().await;
    let parameters = f.parameters(&key).await.unwrap();
    assert_eq!(parameters.key_id, f.describe(&key).await.unwrap().arn);
    assert_eq!(parameters.parameters_valid_to, (f.time() + DAY).into());
    f.pass(DAY - Duration::from_millis(1));
    assert_eq!(code(f.import_with(&parameters, &key, &ONE, forever()).await), "ok");
    f.pass(Duration::from_millis(1));
    assert_eq!(code(f.import_with(&parameters, &key, &ONE, forever()).await), "ExpiredImportTokenException");
}

#[tokio::test]
async fn a_token_of_another_key_or_a_broken_one_is_refused() {
    let f = Fixture::new().await;
    let (key, other) = (f.external().await, f.external().await);
    let parameters = f.parameters(&other).await.unwrap();
    assert_eq!(code(f.import_with(&parameters, &key, &ONE, forever()).await), "InvalidImportTokenException");
    let token = f.parameters(&key).await.unwrap();
    // Every byte counts; each in turn takes too long, so every 97th.
    for at in (0..token.import_token.0.len()).step_by(97) {
        let mut broken = token.clone();
        broken.import_token.0[at] ^= 1;
        let refused = f.import_with(&broken, &key, &ONE, forever()).await;
        assert_eq!(code(refused), "InvalidImportTokenException", "{at}");
    }
    // A public key of one answer with the token of another: what was wrapped does not open.
    let mixed = GetParametersForImportResponse { public_key: parameters.public_key, ..token };
    assert_eq!(code(f.import_with(&mixed, &key, &ONE, forever()).await), "InvalidCiphertextException");
    assert_eq!(f.state(&key).await, "PendingImport");
}

#[tokio::test]
async fn material_of_the_wrong_length_is_refused() {
    let f = Fixture::new().await;
    let key = f.external().await;
    for len in [0, 16, 31, 33, 64] {
        assert_eq!(code(f.import(&key, &vec![1; len], forever()).await), "IncorrectKeyMaterialException", "{len}");
    }
}

#[tokio::test]
async fn expiry_is_in_the_future_and_within_a_year() {
    let f = Fixture::new().await;
    let key = f.external().await;
    let parameters = f.parameters(&key).await.unwrap();
    let refused = |request| async { code(f.import_with(&parameters, &key, &ONE, request).await) };
    assert_eq!(refused(ImportKeyMaterialRequest::default()).await, "ValidationException");
    let both = ImportKeyMaterialRequest { valid_to: Some((f.time() + DAY).into()), ..forever() };
    assert_eq!(refused(both).await, "ValidationException");
    assert_eq!(refused(until(&f, Duration::ZERO)).await, "ValidationException");
    assert_eq!(refused(until(&f, 365 * DAY + Duration::from_millis(1))).await, "ValidationException");
    assert_eq!(refused(until(&f, 365 * DAY)).await, "ok");
    let described = f.describe(&key).await.unwrap();
    assert_eq!(described.expiration_model, Some("KEY_MATERIAL_EXPIRES"));
    assert_eq!(described.valid_to, Some((f.time() + 365 * DAY).into()));
}

#[tokio::test]
async fn deleted_material_is_gone_and_only_the_same_comes_back() {
    let f = Fixture::new().await;
    let key = f.external().await;
    let id = f.import(&key, &ONE, forever()).await.unwrap();
    let blob = f.encrypt(&key, "x").await.unwrap();
    assert_eq!(f.forget(&key, None).await.unwrap(), id);
    assert_eq!(f.material_rows().await, 0);
    assert_eq!(f.state(&key).await, "PendingImport");
    assert_eq!(code(f.decrypt(&blob).await), "KMSInvalidStateException");
    assert_eq!(f.materials(&key).await[0].import_state, Some("PENDING_IMPORT"));
    // Deleting what is gone changes nothing.
    assert_eq!(code(f.forget(&key, None).await), "ok");

    assert_eq!(code(f.import(&key, &TWO, forever()).await), "IncorrectKeyMaterialException");
    assert_eq!(code(f.import(&key, &ONE, new()).await), "IncorrectKeyMaterialException");
    assert_eq!(f.state(&key).await, "PendingImport");
    assert_eq!(f.import(&key, &ONE, forever()).await.unwrap(), id);
    assert!(f.decrypt(&blob).await.unwrap().plaintext.expose() == b"x");
}

#[tokio::test]
async fn material_ids_differ_between_keys() {
    let f = Fixture::new().await;
    let (one, other) = (f.external().await, f.external().await);
    let id = f.import(&one, &ONE, forever()).await.unwrap();
    assert_ne!(f.import(&other, &ONE, forever()).await.unwrap(), id);
}

#[tokio::test]
async fn material_expires_to_the_millisecond_and_comes_back() {
    let f = Fixture::new().await;
    let key = f.external().await;
    f.import(&key, &ONE, until(&f, HOUR)).await.unwrap();
    let blob = f.encrypt(&key, "x").await.unwrap();
    assert_eq!(f.errands().await, 1);
    f.pass(HOUR - Duration::from_millis(1));
    f.keys.tick().await.unwrap();
    assert_eq!(code(f.decrypt(&blob).await), "ok");
    // Nobody has ticked: the material is over all the same.
    f.pass(Duration::from_millis(1));
    assert_eq!(code(f.decrypt(&blob).await), "KMSInvalidStateException");
    assert_eq!((f.state(&key).await, f.material_rows().await, f.errands().await), ("PendingImport", 0, 0));
    let material = Some(f.materials(&key).await[0].key_material_id.clone());
    let told: Vec<_> = f.told().await.into_iter().map(|event| event.deed).collect();
    assert_eq!(told, [keys::Deed::DeleteExpiredKeyMaterial { material }]);
    f.keys.tick().await.unwrap();
    f.import(&key, &ONE, until(&f, 2 * HOUR)).await.unwrap();
    assert_eq!(code(f.decrypt(&blob).await), "ok");
    // Without a use, the tick does it.
    f.pass(2 * HOUR);
    f.keys.tick().await.unwrap();
    assert_eq!((f.material_rows().await, f.errands().await), (0, 0));
    let described = f.describe(&key).await.unwrap();
    assert_eq!((described.key_state, described.expiration_model, described.valid_to), ("PendingImport", None, None));
}

#[tokio::test]
async fn a_reimport_moves_the_expiry_and_keeps_the_description() {
    let f = Fixture::new().await;
    let key = f.external().await;
    let described = |text: &str| Some(text.to_owned());
    let first = ImportKeyMaterialRequest { key_material_description: described("first"), ..until(&f, HOUR) };
    f.import(&key, &ONE, first).await.unwrap();
    f.import(&key, &ONE, until(&f, 3 * HOUR)).await.unwrap();
    assert_eq!(f.errands().await, 1);
    assert_eq!(f.materials(&key).await[0].key_material_description.as_deref(), Some("first"));
    f.pass(2 * HOUR);
    f.keys.tick().await.unwrap();
    assert_eq!(f.state(&key).await, "Enabled");
    let last = ImportKeyMaterialRequest { key_material_description: described("last"), ..forever() };
    f.import(&key, &ONE, last).await.unwrap();
    assert_eq!(f.errands().await, 0);
    let listed = &f.materials(&key).await[0];
    assert_eq!(listed.key_material_description.as_deref(), Some("last"));
    assert_eq!((listed.expiration_model, listed.valid_to), (Some("KEY_MATERIAL_DOES_NOT_EXPIRE"), None));
}

#[tokio::test]
async fn new_material_waits_for_its_rotation() {
    let mut f = Fixture::new().await;
    let key = f.external().await;
    let one = f.import(&key, &ONE, forever()).await.unwrap().unwrap();
    let old = f.encrypt(&key, "old").await.unwrap();
    assert_eq!(code(f.rotate(&key).await), "KMSInvalidStateException");
    let two = f.import(&key, &TWO, new()).await.unwrap().unwrap();
    assert_eq!(f.describe(&key).await.unwrap().current_key_material_id.as_ref(), Some(&one));
    assert_eq!(f.materials(&key).await[1].key_material_state, "PENDING_ROTATION");
    assert_eq!(code(f.import(&key, &[3; 32], new()).await), "KMSInvalidStateException");

    f.pass(DAY);
    f.rotate(&key).await.unwrap();
    f.restart().await;
    let listed = f.materials(&key).await;
    assert_eq!((listed[0].key_material_state, listed[1].key_material_state), ("NON_CURRENT", "CURRENT"));
    assert_eq!((listed[1].rotation_type, listed[1].rotation_date), (Some("ON_DEMAND"), Some(f.time().into())));
    let new = f.encrypt(&key, "new").await.unwrap();
    assert_eq!(f.decrypt(&new).await.unwrap().key_material_id.as_ref(), Some(&two));
    assert_eq!(f.decrypt(&old).await.unwrap().key_material_id.as_ref(), Some(&one));
    // Either is needed, and which one is deleted can be said.
    assert_eq!(f.forget(&key, Some(one.clone())).await.unwrap().as_ref(), Some(&one));
    assert_eq!(f.state(&key).await, "PendingImport");
    assert_eq!(code(f.decrypt(&new).await), "KMSInvalidStateException");
    let named = |id: &String| ImportKeyMaterialRequest { key_material_id: Some(id.clone()), ..forever() };
    assert_eq!(code(f.import(&key, &ONE, named(&two)).await), "IncorrectKeyMaterialException");
    f.import(&key, &ONE, named(&one)).await.unwrap();
    assert!(f.decrypt(&old).await.unwrap().plaintext.expose() == b"old");
}

#[tokio::test]
async fn material_that_waits_may_be_replaced() {
    let f = Fixture::new().await;
    let key = f.external().await;
    f.import(&key, &ONE, until(&f, 20 * HOUR)).await.unwrap();
    let two = f.import(&key, &TWO, new()).await.unwrap();
    f.forget(&key, two.clone()).await.unwrap();
    assert_eq!((f.state(&key).await, f.materials(&key).await.len(), f.material_rows().await), ("Enabled", 1, 1));
    assert_eq!(code(f.forget(&key, two).await), "NotFoundException");
    // It expires without a trace, too, and is not the expiry of the key.
    let brief = ImportKeyMaterialRequest { import_type: new().import_type, ..until(&f, HOUR) };
    f.import(&key, &TWO, brief).await.unwrap();
    assert_eq!(f.describe(&key).await.unwrap().valid_to, Some((f.time() + 20 * HOUR).into()));
    f.pass(HOUR);
    f.keys.tick().await.unwrap();
    assert_eq!((f.state(&key).await, f.materials(&key).await.len()), ("Enabled", 1));
    f.import(&key, &[3; 32], new()).await.unwrap();
    f.rotate(&key).await.unwrap();
    let blob = f.encrypt(&key, "x").await.unwrap();
    assert_eq!(code(f.decrypt(&blob).await), "ok");
}

#[tokio::test]
async fn states_allow_what_they_allow() {
    let f = Fixture::new().await;
    let key = f.external().await;
    f.import(&key, &ONE, forever()).await.unwrap();
    f.disable(&key).await.unwrap();
    assert_eq!(code(f.import(&key, &ONE, forever()).await), "ok");
    assert_eq!(f.state(&key).await, "Disabled");
    f.schedule(&key, 7).await.unwrap();
    assert_eq!(code(f.parameters(&key).await), "KMSInvalidStateException");
    f.forget(&key, None).await.unwrap();
    assert_eq!(f.state(&key).await, "PendingDeletion");
    f.keys.cancel_key_deletion(&f.me, CancelKeyDeletionRequest { key_id: key.clone() }).await.unwrap();
    assert_eq!(f.state(&key).await, "PendingImport");
    f.import(&key, &ONE, until(&f, HOUR)).await.unwrap();
    assert_eq!(f.state(&key).await, "Enabled");
    // Destroyed with a material that was to expire: nothing is left to be done.
    f.schedule(&key, 7).await.unwrap();
    f.pass(8 * DAY);
    f.keys.tick().await.unwrap();
    assert_eq!(code(f.describe(&key).await), "NotFoundException");
    assert_eq!((f.material_rows().await, f.errands().await), (0, 0));
}

#[tokio::test]
async fn keys_made_here_import_nothing() {
    let f = Fixture::new().await;
    let key = f.key().await;
    assert_eq!(code(f.parameters(&key).await), "UnsupportedOperationException");
    assert_eq!(code(f.forget(&key, None).await), "UnsupportedOperationException");
}

#[tokio::test]
async fn an_hmac_key_keeps_its_one_material() {
    let f = Fixture::new().await;
    let key = f.external_of("HMAC_256", "GENERATE_VERIFY_MAC").await;
    assert_eq!(f.import(&key, &ONE, forever()).await.unwrap(), None);
    let request: GenerateMacRequest = parsed(&json!({"KeyId": key, "MacAlgorithm": "HMAC_SHA_256", "Message": "bQ=="}));
    let mac = f.keys.generate_mac(&f.me, request).await.unwrap().mac;
    let mac = serde_json::to_value(&mac).unwrap();
    assert_eq!(code(f.import(&key, &TWO, forever()).await), "IncorrectKeyMaterialException");
    assert_eq!(code(f.import(&key, &ONE, new()).await), "UnsupportedOperationException");
    assert_eq!(code(f.rotate(&key).await), "UnsupportedOperationException");
    f.forget(&key, None).await.unwrap();
    assert_eq!(code(f.import(&key, &TWO, forever()).await), "IncorrectKeyMaterialException");
    f.import(&key, &ONE, forever()).await.unwrap();
    let body = json!({"KeyId": key, "MacAlgorithm": "HMAC_SHA_256", "Message": "bQ==", "Mac": mac});
    let request: VerifyMacRequest = parsed(&body);
    assert!(f.keys.verify_mac(&f.me, request).await.unwrap().mac_valid);
}

#[tokio::test]
async fn what_cannot_be_imported_is_not_made() {
    let f = Fixture::new().await;
    let request = CreateKeyRequest {
        origin: Some("EXTERNAL".to_owned()),
        key_spec: Some("ML_KEM_768".to_owned()),
        key_usage: Some("ENCAPSULATE_DECAPSULATE".to_owned()),
        ..Default::default()
    };
    assert_eq!(code(f.keys.create_key(&f.me, request).await), "UnsupportedOperationException");
}

/// An imported multi-Region key with a replica that has its material too: the primary's Region, the replica's, the key.
async fn members() -> (Fixture, Fixture, String) {
    let mut here = Fixture::new().await;
    let other_regions = vec![Region::parse("us-east-1").unwrap()];
    let settings = Settings { other_regions, ..here.settings() };
    here.keys = Keys::open(here.store.clone(), root_key(7), settings).await.unwrap();
    let there = Fixture { keys: here.keys.in_region("us-east-1").unwrap(), ..here.same() };
    let request =
        CreateKeyRequest { origin: Some("EXTERNAL".to_owned()), multi_region: Some(true), ..Default::default() };
    let key = here.keys.create_key(&here.me, request).await.unwrap().key_metadata.key_id;
    here.import(&key, &ONE, forever()).await.unwrap();
    let request =
        ReplicateKeyRequest { key_id: key.clone(), replica_region: "us-east-1".to_owned(), ..Default::default() };
    here.keys.replicate_key(&here.me, request).await.unwrap();
    (here, there, key)
}

#[tokio::test]
async fn a_replica_imports_the_primary_s_material_for_itself() {
    let (here, there, key) = members().await;
    assert_eq!((here.state(&key).await, there.state(&key).await), ("Enabled", "PendingImport"));
    let blob = here.encrypt(&key, "x").await.unwrap();
    assert_eq!(code(there.import(&key, &TWO, forever()).await), "IncorrectKeyMaterialException");
    assert_eq!(code(there.import(&key, &TWO, new()).await), "UnsupportedOperationException");
    let id = there.import(&key, &ONE, until(&there, HOUR)).await.unwrap();
    assert_eq!(here.describe(&key).await.unwrap().current_key_material_id, id);
    assert!(there.decrypt(&blob).await.unwrap().plaintext.expose() == b"x");
    // What happens to the material of one leaves the other alone.
    there.pass(HOUR);
    there.keys.tick().await.unwrap();
    assert_eq!((here.state(&key).await, there.state(&key).await), ("Enabled", "PendingImport"));
    there.import(&key, &ONE, forever()).await.unwrap();
    here.forget(&key, None).await.unwrap();
    assert_eq!((here.state(&key).await, there.state(&key).await), ("PendingImport", "Enabled"));
    assert!(there.decrypt(&blob).await.unwrap().plaintext.expose() == b"x");
}

#[tokio::test]
async fn a_set_rotates_when_all_members_have_the_new_material() {
    let (here, there, key) = members().await;
    there.import(&key, &ONE, forever()).await.unwrap();
    let two = here.import(&key, &TWO, new()).await.unwrap();
    for member in [&here, &there] {
        let waits = member.materials(&key).await.remove(1);
        assert_eq!(waits.key_material_state, "PENDING_MULTI_REGION_IMPORT_AND_ROTATION");
        assert_eq!(member.state(&key).await, "Enabled");
    }
    assert_eq!(code(here.rotate(&key).await), "KMSInvalidStateException");
    assert_eq!(there.import(&key, &TWO, forever()).await.unwrap(), two);
    assert_eq!(here.materials(&key).await[1].key_material_state, "PENDING_ROTATION");
    assert_eq!(code(there.rotate(&key).await), "UnsupportedOperationException");
    here.rotate(&key).await.unwrap();
    for (one, other) in [(&here, &there), (&there, &here)] {
        assert_eq!(one.describe(&key).await.unwrap().current_key_material_id, two);
        let blob = one.encrypt(&key, "x").await.unwrap();
        assert_eq!(other.decrypt(&blob).await.unwrap().key_material_id, two);
    }
}

#[tokio::test]
async fn the_primary_s_waiting_material_goes_for_all_and_a_replica_s_for_itself() {
    let (here, there, key) = members().await;
    there.import(&key, &ONE, forever()).await.unwrap();
    let two = here.import(&key, &TWO, new()).await.unwrap();
    there.import(&key, &TWO, forever()).await.unwrap();
    there.forget(&key, two.clone()).await.unwrap();
    assert_eq!(here.materials(&key).await[1].key_material_state, "PENDING_MULTI_REGION_IMPORT_AND_ROTATION");
    assert_eq!((there.state(&key).await, here.material_rows().await), ("Enabled", 3));
    there.import(&key, &TWO, forever()).await.unwrap();
    here.forget(&key, two).await.unwrap();
    assert_eq!((here.materials(&key).await.len(), there.materials(&key).await.len()), (1, 1));
    assert_eq!(here.material_rows().await, 2);
    here.import(&key, &[3; 32], new()).await.unwrap();
    there.import(&key, &[3; 32], forever()).await.unwrap();
    here.rotate(&key).await.unwrap();
    let blob = here.encrypt(&key, "x").await.unwrap();
    assert!(there.decrypt(&blob).await.unwrap().plaintext.expose() == b"x");
}
