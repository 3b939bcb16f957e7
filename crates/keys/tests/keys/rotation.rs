//! Rotation on demand and by age.

use std::sync::Arc;
use std::time::Duration;

use keys::operation::deletion::CancelKeyDeletionRequest;
use keys::operation::lifecycle::CreateKeyRequest;
use keys::operation::rotation::{
    DisableKeyRotationRequest, EnableKeyRotationRequest, GetKeyRotationStatusRequest, GetKeyRotationStatusResponse,
    ListKeyRotationsRequest, ListKeyRotationsResponse,
};
use keys::{Error, Timestamp};
use meta::{Order, Range, Store, Table, Transaction};

use crate::fixture::{DAY, Fixture, code};

async fn rotations(f: &Fixture, key: &str, all: bool) -> ListKeyRotationsResponse {
    let include_key_material = all.then(|| "ALL_KEY_MATERIAL".to_owned());
    let request = ListKeyRotationsRequest { key_id: key.to_owned(), include_key_material, ..Default::default() };
    f.keys.list_key_rotations(&f.me, request).await.unwrap()
}

#[tokio::test]
async fn old_ciphertext_opens_after_rotations_and_names_its_material() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    let mut sealed = Vec::new();
    for round in 0..4 {
        let text = format!("round {round}");
        sealed.push((
            f.encrypt(&key, &text).await.unwrap(),
            text,
            f.describe(&key).await.unwrap().current_key_material_id.unwrap(),
        ));
        f.rotate(&key).await.unwrap();
    }
    f.restart().await;
    for (blob, text, material) in &sealed {
        let opened = f.decrypt(blob).await.unwrap();
        assert!(opened.plaintext.expose() == text.as_bytes());
        assert_eq!(&opened.key_material_id.unwrap(), material);
    }
    sealed.dedup_by_key(|(_, _, material)| material.clone());
    assert_eq!(sealed.len(), 4);
}

#[tokio::test]
async fn rotations_are_listed() {
    let f = Fixture::new().await;
    let key = f.key().await;
    assert!(rotations(&f, &key, false).await.rotations.is_empty());
    f.pass(DAY);
    f.rotate(&key).await.unwrap();
    let listed = rotations(&f, &key, false).await.rotations;
    let told = f.told().await.pop().unwrap();
    let keys::Deed::RotateKey { rotation, origin, previous, current } = told.deed else { panic!() };
    assert_eq!((rotation, origin, &current), ("ON_DEMAND", "AWS_KMS", &listed[0].key_material_id));
    assert_eq!(previous.as_ref(), Some(&rotations(&f, &key, true).await.rotations[0].key_material_id));
    assert_eq!((told.key.key.to_string(), told.time), (key.clone(), f.time().into()));
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].rotation_type, Some("ON_DEMAND"));
    assert_eq!(listed[0].rotation_date, Some(f.time().into()));
    let all = rotations(&f, &key, true).await.rotations;
    let first = serde_json::to_value(&all[0]).unwrap();
    assert_eq!(first["KeyMaterialState"], "NON_CURRENT");
    assert!(first.get("RotationDate").is_none() && first.get("RotationType").is_none());
    assert_eq!(all[1].key_material_state, "CURRENT");
    assert_eq!(all[1].key_material_id, f.describe(&key).await.unwrap().current_key_material_id.unwrap());
}

#[tokio::test]
async fn a_key_rotates_on_demand_at_most_25_times() {
    let f = Fixture::new().await;
    let key = f.key().await;
    for _ in 0..25 {
        f.rotate(&key).await.unwrap();
    }
    assert_eq!(code(f.rotate(&key).await), "LimitExceededException");
    let request = ListKeyRotationsRequest { key_id: key, limit: Some(20), ..Default::default() };
    let page = f.keys.list_key_rotations(&f.me, request.clone()).await.unwrap();
    assert!(page.truncated && page.rotations.len() == 20);
    let request = ListKeyRotationsRequest { marker: page.next_marker, ..request };
    assert_eq!(f.keys.list_key_rotations(&f.me, request).await.unwrap().rotations.len(), 5);
}

#[tokio::test]
async fn a_gateway_opens_what_another_sealed_under_newer_material() {
    let f = Fixture::new().await;
    let key = f.key().await;
    f.encrypt(&key, "warm").await.unwrap();
    let other = f.gateway().await;
    let request = keys::operation::rotation::RotateKeyOnDemandRequest { key_id: key.clone() };
    other.rotate_key_on_demand(&f.me, request).await.unwrap();
    let request = keys::operation::encrypt::EncryptRequest {
        key_id: key,
        plaintext: crate::fixture::plain("x"),
        ..Default::default()
    };
    let blob = other.encrypt(&f.me, request).await.unwrap().ciphertext_blob;
    assert!(f.decrypt(&blob).await.unwrap().plaintext.expose() == b"x");
}

async fn enable_rotation(f: &Fixture, key: &str, days: Option<u32>) -> Result<(), Error> {
    let request = EnableKeyRotationRequest { key_id: key.to_owned(), rotation_period_in_days: days };
    f.keys.enable_key_rotation(&f.me, request).await.map(|_| ())
}

async fn disable_rotation(f: &Fixture, key: &str) -> Result<(), Error> {
    f.keys.disable_key_rotation(&f.me, DisableKeyRotationRequest { key_id: key.to_owned() }).await.map(|_| ())
}

async fn status(f: &Fixture, key: &str) -> Result<GetKeyRotationStatusResponse, Error> {
    f.keys.get_key_rotation_status(&f.me, GetKeyRotationStatusRequest { key_id: key.to_owned() }).await
}

/// Days until the next rotation.
async fn next(f: &Fixture, key: &str) -> Option<u128> {
    let next = status(f, key).await.unwrap().next_rotation_date?.as_millis();
    let now = Timestamp::from(f.time()).as_millis();
    Some(u128::from(next - now) / DAY.as_millis())
}

async fn pass_days(f: &Fixture, days: u32) -> usize {
    f.pass(DAY * days);
    f.keys.tick().await.unwrap();
    f.errands().await
}

#[tokio::test]
async fn a_key_rotates_by_age_on_its_schedule() {
    let mut f = Fixture::new().await;
    let key = f.key().await;
    assert!(!status(&f, &key).await.unwrap().key_rotation_enabled);
    enable_rotation(&f, &key, Some(100)).await.unwrap();
    let on = status(&f, &key).await.unwrap();
    assert_eq!((on.key_rotation_enabled, on.rotation_period_in_days), (true, Some(100)));
    assert_eq!(on.next_rotation_date, Some((f.time() + DAY * 100).into()));
    let old = f.encrypt(&key, "old").await.unwrap();
    let first = f.describe(&key).await.unwrap().current_key_material_id;
    assert_eq!(pass_days(&f, 99).await, 1);
    assert!(rotations(&f, &key, false).await.rotations.is_empty());
    // A day late: the next one is on the old schedule.
    assert_eq!(pass_days(&f, 2).await, 1);
    let listed = rotations(&f, &key, false).await.rotations;
    assert_eq!((listed.len(), listed[0].rotation_type), (1, Some("AUTOMATIC")));
    assert_eq!(listed[0].rotation_date, Some(f.time().into()));
    assert_eq!(next(&f, &key).await, Some(99));
    f.restart().await;
    let opened = f.decrypt(&old).await.unwrap();
    assert_eq!(opened.key_material_id, first);
    assert_ne!(f.describe(&key).await.unwrap().current_key_material_id, first);
    // More than a period late: one rotation makes up for all, and the schedule begins anew.
    assert_eq!(pass_days(&f, 700).await, 1);
    assert_eq!(rotations(&f, &key, false).await.rotations.len(), 2);
    assert_eq!(next(&f, &key).await, Some(100));
}

#[tokio::test]
async fn every_gateway_may_tick_and_the_key_rotates_once() {
    let f = Fixture::new().await;
    let key = f.key().await;
    enable_rotation(&f, &key, None).await.unwrap();
    let others = [f.gateway().await, f.gateway().await];
    f.pass(DAY * 365);
    let ticks = [&f.keys, &others[0], &others[1]].map(|keys| {
        let keys = Arc::clone(keys);
        tokio::spawn(async move { keys.tick().await })
    });
    for tick in ticks {
        tick.await.unwrap().unwrap();
    }
    assert_eq!(rotations(&f, &key, false).await.rotations.len(), 1);
    assert_eq!(f.errands().await, 1);
}

#[tokio::test]
async fn the_period_changes_and_rotation_ends() {
    let f = Fixture::new().await;
    let key = f.key().await;
    enable_rotation(&f, &key, None).await.unwrap();
    assert_eq!(next(&f, &key).await, Some(365));
    assert_eq!(pass_days(&f, 10).await, 1);
    enable_rotation(&f, &key, Some(365)).await.unwrap();
    assert_eq!(next(&f, &key).await, Some(355), "the same period moves nothing");
    enable_rotation(&f, &key, Some(90)).await.unwrap();
    assert_eq!((next(&f, &key).await, f.errands().await), (Some(90), 1));
    f.rotate(&key).await.unwrap();
    assert_eq!(next(&f, &key).await, Some(90), "a rotation on demand leaves the schedule alone");
    disable_rotation(&f, &key).await.unwrap();
    disable_rotation(&f, &key).await.unwrap();
    let off = status(&f, &key).await.unwrap();
    assert_eq!((off.key_rotation_enabled, off.rotation_period_in_days), (false, None));
    assert_eq!((off.next_rotation_date, f.errands().await), (None, 0));
    assert_eq!(pass_days(&f, 1_000).await, 0);
    assert_eq!(rotations(&f, &key, false).await.rotations.len(), 1);
}

#[tokio::test]
async fn a_disabled_key_rests_and_makes_up_for_it() {
    let f = Fixture::new().await;
    let key = f.key().await;
    enable_rotation(&f, &key, Some(90)).await.unwrap();
    f.disable(&key).await.unwrap();
    assert_eq!(code(enable_rotation(&f, &key, None).await), "DisabledException");
    assert_eq!(code(disable_rotation(&f, &key).await), "DisabledException");
    assert!(status(&f, &key).await.unwrap().key_rotation_enabled);
    assert_eq!(pass_days(&f, 120).await, 0);
    assert!(rotations(&f, &key, false).await.rotations.is_empty());
    f.enable(&key).await.unwrap();
    assert_eq!(pass_days(&f, 0).await, 1);
    assert_eq!(rotations(&f, &key, false).await.rotations.len(), 1);
    assert_eq!(next(&f, &key).await, Some(60), "the schedule goes on");
    // While it waits for its deletion, its status is false; if that is cancelled, it is true again.
    f.schedule(&key, 30).await.unwrap();
    assert!(!status(&f, &key).await.unwrap().key_rotation_enabled);
    assert_eq!(code(enable_rotation(&f, &key, None).await), "KMSInvalidStateException");
    f.keys.cancel_key_deletion(&f.me, CancelKeyDeletionRequest { key_id: key.clone() }).await.unwrap();
    assert!(status(&f, &key).await.unwrap().key_rotation_enabled);
    f.schedule(&key, 7).await.unwrap();
    assert_eq!(pass_days(&f, 8).await, 0, "nothing is left to be done for a key that is gone");
}

#[tokio::test]
async fn on_demand_gives_way_to_a_rotation_that_is_near() {
    let f = Fixture::new().await;
    let key = f.key().await;
    enable_rotation(&f, &key, Some(90)).await.unwrap();
    f.pass(DAY * 90 - Duration::from_secs(20 * 60));
    assert_eq!(code(f.rotate(&key).await), "ConflictException");
    f.pass(Duration::from_secs(20 * 60));
    f.keys.tick().await.unwrap();
    f.rotate(&key).await.unwrap();
    assert_eq!(rotations(&f, &key, false).await.rotations.len(), 2);
}

#[tokio::test]
async fn what_does_not_rotate_says_so() {
    let f = Fixture::new().await;
    let external = f.external().await;
    let request = CreateKeyRequest {
        key_spec: Some("ECC_NIST_P256".to_owned()),
        key_usage: Some("SIGN_VERIFY".to_owned()),
        ..Default::default()
    };
    let curve = f.keys.create_key(&f.me, request).await.unwrap().key_metadata.key_id;
    for key in [&external, &curve] {
        assert_eq!(code(enable_rotation(&f, key, None).await), "UnsupportedOperationException");
        assert_eq!(code(status(&f, key).await), "UnsupportedOperationException");
    }
    assert_eq!(code(disable_rotation(&f, &external).await), "UnsupportedOperationException");
    assert_eq!(code(disable_rotation(&f, &curve).await), "ok", "there is nothing to disable");
    assert_eq!(code(f.rotate(&curve).await), "UnsupportedOperationException");
    assert_eq!(code(f.rotate(&external).await), "KMSInvalidStateException");
    assert!(rotations(&f, &curve, false).await.rotations.is_empty());
    let include_key_material = Some("ALL_KEY_MATERIAL".to_owned());
    let request = ListKeyRotationsRequest { key_id: curve, include_key_material, ..Default::default() };
    assert_eq!(code(f.keys.list_key_rotations(&f.me, request).await), "UnsupportedOperationException");
}

#[tokio::test]
async fn an_errand_that_no_record_asks_for_is_dropped() {
    let f = Fixture::new().await;
    let key = f.key().await;
    enable_rotation(&f, &key, Some(90)).await.unwrap();
    let row = f.store.scan(Table::Key, &Range::prefix(vec![3]), Order::Ascending, 9).await.unwrap().remove(0);
    disable_rotation(&f, &key).await.unwrap();
    f.store.commit(Transaction::new().put(Table::Key, &row.key, row.value)).await.unwrap();
    assert_eq!(pass_days(&f, 91).await, 0);
    assert!(rotations(&f, &key, false).await.rotations.is_empty());
}
