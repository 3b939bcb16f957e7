use keys::operation::rotation::{ListKeyRotationsRequest, ListKeyRotationsResponse};

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
