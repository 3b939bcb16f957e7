use std::sync::Arc;

use keys::operation::data_key::GenerateDataKeyRequest;
use keys::operation::deletion::{CancelKeyDeletionRequest, ScheduleKeyDeletionRequest};
use keys::operation::encrypt::{DecryptRequest, DecryptResponse, EncryptRequest};
use keys::operation::lifecycle::{CreateKeyRequest, DescribeKeyRequest, DisableKeyRequest, EnableKeyRequest};
use keys::operation::metadata::KeyMetadata;
use keys::operation::multi_region::{ReplicateKeyRequest, ReplicateKeyResponse, UpdatePrimaryRegionRequest};
use keys::operation::public_key::GetPublicKeyRequest;
use keys::operation::rotation::{
    DisableKeyRotationRequest, EnableKeyRotationRequest, GetKeyRotationStatusRequest, RotateKeyOnDemandRequest,
};
use keys::operation::sign::{SignRequest, VerifyRequest};
use keys::operation::tag::Tag;
use keys::{Blob, Error, Keys, Region, Settings};
use meta::{Order, Range, Store, Table};

use crate::fixture::{DAY, Fixture, code, plain, root_key};

pub const HOME: &str = "eu-west-1";
pub const REGIONS: [&str; 3] = [HOME, "us-east-1", "ap-south-1"];

/// A store whose keys are in several Regions.
pub struct World {
    f: Fixture,
}

impl World {
    pub async fn new() -> Self {
        let mut world = Self { f: Fixture::new().await };
        world.restart(&REGIONS).await;
        world
    }

    /// The server starts anew and serves these Regions.
    pub async fn restart(&mut self, regions: &[&str]) {
        let other_regions = regions.iter().map(|name| Region::parse(name).unwrap()).collect();
        let settings = Settings { other_regions, ..self.f.settings() };
        self.f.keys = Keys::open(self.f.store.clone(), root_key(7), settings).await.unwrap();
        self.f.know(&self.f.keys);
    }

    pub fn at(&self, region: &str) -> Arc<Keys> {
        self.f.keys.in_region(region).unwrap()
    }

    pub async fn create(&self, region: &str) -> String {
        let request = CreateKeyRequest { multi_region: Some(true), ..Default::default() };
        self.at(region).create_key(&self.f.me, request).await.unwrap().key_metadata.key_id
    }

    pub async fn replicate(&self, from: &str, key: &str, to: &str) -> Result<ReplicateKeyResponse, Error> {
        let request =
            ReplicateKeyRequest { key_id: key.to_owned(), replica_region: to.to_owned(), ..Default::default() };
        self.at(from).replicate_key(&self.f.me, request).await
    }

    pub async fn promote(&self, from: &str, key: &str, to: &str) -> Result<(), Error> {
        let request = UpdatePrimaryRegionRequest { key_id: key.to_owned(), primary_region: to.to_owned() };
        self.at(from).update_primary_region(&self.f.me, request).await.map(drop)
    }

    pub async fn describe(&self, region: &str, key: &str) -> Result<KeyMetadata, Error> {
        let request = DescribeKeyRequest { key_id: key.to_owned(), ..Default::default() };
        Ok(self.at(region).describe_key(&self.f.me, request).await?.key_metadata)
    }

    pub async fn encrypt(&self, region: &str, key: &str, text: &str) -> Result<Blob, Error> {
        let request = EncryptRequest { key_id: key.to_owned(), plaintext: plain(text), ..Default::default() };
        Ok(self.at(region).encrypt(&self.f.me, request).await?.ciphertext_blob)
    }

    pub async fn decrypt(&self, region: &str, key: Option<&str>, blob: &Blob) -> Result<DecryptResponse, Error> {
        let key_id = key.map(str::to_owned);
        let request = DecryptRequest { key_id, ciphertext_blob: Some(blob.clone()), ..Default::default() };
        self.at(region).decrypt(&self.f.me, request).await
    }

    pub async fn rotate(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = RotateKeyOnDemandRequest { key_id: key.to_owned() };
        self.at(region).rotate_key_on_demand(&self.f.me, request).await.map(drop)
    }

    pub async fn enable_rotation(&self, region: &str, key: &str, days: u32) -> Result<(), Error> {
        let request = EnableKeyRotationRequest { key_id: key.to_owned(), rotation_period_in_days: Some(days) };
        self.at(region).enable_key_rotation(&self.f.me, request).await.map(drop)
    }

    pub async fn schedule(&self, region: &str, key: &str, days: i64) -> Result<Option<keys::Timestamp>, Error> {
        let request = ScheduleKeyDeletionRequest { key_id: key.to_owned(), pending_window_in_days: Some(days) };
        Ok(self.at(region).schedule_key_deletion(&self.f.me, request).await?.deletion_date)
    }

    pub async fn cancel(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = CancelKeyDeletionRequest { key_id: key.to_owned() };
        self.at(region).cancel_key_deletion(&self.f.me, request).await.map(drop)
    }

    pub async fn enable(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = EnableKeyRequest { key_id: key.to_owned() };
        self.at(region).enable_key(&self.f.me, request).await.map(drop)
    }

    pub async fn disable(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = DisableKeyRequest { key_id: key.to_owned() };
        self.at(region).disable_key(&self.f.me, request).await.map(drop)
    }

    /// The names of the primary's Region and of the replicas', as a member tells them.
    pub async fn set(&self, region: &str, key: &str) -> (String, Vec<String>) {
        let set = self.describe(region, key).await.unwrap().multi_region_configuration.unwrap();
        let kind = if set.primary_key.region == region { "PRIMARY" } else { "REPLICA" };
        assert_eq!(set.multi_region_key_type, kind);
        (set.primary_key.region, set.replica_keys.into_iter().map(|it| it.region).collect())
    }

    pub async fn pass(&self, days: u32) {
        self.f.pass(DAY * days);
        self.f.keys.tick().await.unwrap();
    }

    pub async fn rows(&self, table: Table) -> usize {
        self.f.store.scan(table, &Range::all(), Order::Ascending, 1_000).await.unwrap().len()
    }
}

#[tokio::test]
async fn a_region_has_its_keys_to_itself() {
    let world = World::new().await;
    let key = world.at("us-east-1").create_key(&world.f.me, CreateKeyRequest::default()).await.unwrap().key_metadata;
    assert!(key.arn.starts_with("arn:aws:kms:us-east-1:111122223333:key/"), "{}", key.arn);
    let blob = world.encrypt("us-east-1", &key.key_id, "x").await.unwrap();
    for other in [HOME, "ap-south-1"] {
        assert_eq!(code(world.describe(other, &key.key_id).await), "NotFoundException");
        assert_eq!(code(world.describe(other, &key.arn).await), "NotFoundException");
        assert_eq!(code(world.decrypt(other, None, &blob).await), "AccessDeniedException");
        assert!(world.at(other).list_keys(&world.f.me, Default::default()).await.unwrap().keys.is_empty());
    }
    assert!(world.f.keys.in_region("sa-east-1").is_none());
    assert_eq!(world.f.keys.regions().map(Region::as_str).collect::<Vec<_>>(), REGIONS);
}

#[tokio::test]
async fn a_replica_shares_what_aws_says_and_nothing_else() {
    let world = World::new().await;
    let request = CreateKeyRequest {
        multi_region: Some(true),
        description: Some("the primary".to_owned()),
        tags: Some(vec![Tag { tag_key: "a".to_owned(), tag_value: "1".to_owned() }]),
        ..Default::default()
    };
    let primary = world.f.keys.create_key(&world.f.me, request).await.unwrap().key_metadata;
    let key = primary.key_id.as_str();
    world.rotate(HOME, key).await.unwrap();
    world.enable_rotation(HOME, key, 90).await.unwrap();
    world.f.alias("alias/here", key).await.unwrap();
    world.f.pass(DAY);

    let request = ReplicateKeyRequest {
        key_id: primary.arn.clone(),
        replica_region: "us-east-1".to_owned(),
        description: Some("the replica".to_owned()),
        tags: Some(vec![Tag { tag_key: "b".to_owned(), tag_value: "2".to_owned() }]),
        ..Default::default()
    };
    let answer = world.f.keys.replicate_key(&world.f.me, request).await.unwrap();
    let replica = answer.replica_key_metadata;
    assert_eq!(replica.key_id, primary.key_id);
    assert_eq!(replica.arn, primary.arn.replace(HOME, "us-east-1"));
    assert_eq!((replica.description.as_str(), replica.key_state), ("the replica", "Enabled"));
    assert_eq!(replica.creation_date, world.f.time().into());
    let tags: Vec<_> = answer.replica_tags.iter().map(|tag| (tag.tag_key.as_str(), tag.tag_value.as_str())).collect();
    assert_eq!(tags, [("b", "2")]);
    let described = world.describe("us-east-1", &replica.arn).await.unwrap();
    assert_eq!(serde_json::to_value(&described).unwrap(), serde_json::to_value(&replica).unwrap());
    let own = world.describe(HOME, key).await.unwrap();
    assert_eq!(own.current_key_material_id, replica.current_key_material_id);
    assert_eq!(own.description, "the primary");
    assert_eq!(code(world.describe("us-east-1", "alias/here").await), "NotFoundException");
    for region in [HOME, "us-east-1"] {
        assert_eq!(world.set(region, key).await, (HOME.to_owned(), vec!["us-east-1".to_owned()]));
        let request = GetKeyRotationStatusRequest { key_id: key.to_owned() };
        let status = world.at(region).get_key_rotation_status(&world.f.me, request).await.unwrap();
        assert_eq!((status.key_rotation_enabled, status.rotation_period_in_days), (true, Some(90)));
    }
}

#[tokio::test]
async fn what_one_region_sealed_every_other_opens() {
    let mut world = World::new().await;
    let key = world.create(HOME).await;
    let old = world.encrypt(HOME, &key, "old").await.unwrap();
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    world.rotate(HOME, &key).await.unwrap();
    let new = world.encrypt("us-east-1", &key, "new").await.unwrap();
    world.restart(&REGIONS).await;
    world.replicate(HOME, &key, "ap-south-1").await.unwrap();
    for region in REGIONS {
        let arn = world.describe(region, &key).await.unwrap().arn;
        for (blob, text) in [(&old, "old"), (&new, "new")] {
            for name in [None, Some(key.as_str()), Some(arn.as_str())] {
                let opened = world.decrypt(region, name, blob).await.unwrap();
                assert!(opened.plaintext.expose() == text.as_bytes());
                assert_eq!(opened.key_id, arn);
            }
        }
        let request =
            GenerateDataKeyRequest { key_id: arn, key_spec: Some("AES_256".to_owned()), ..Default::default() };
        let made = world.at(region).generate_data_key(&world.f.me, request).await.unwrap();
        for other in REGIONS {
            let opened = world.decrypt(other, None, &made.ciphertext_blob).await.unwrap();
            assert!(opened.plaintext.expose() == made.plaintext.expose());
            assert_eq!(opened.key_material_id.as_ref(), Some(&made.key_material_id));
        }
    }
    // An ARN is of its own Region alone.
    let arn = world.describe(HOME, &key).await.unwrap().arn;
    assert_eq!(code(world.decrypt("us-east-1", Some(&arn), &new).await), "NotFoundException");
}

#[tokio::test]
async fn keys_of_other_specs_have_replicas_too() {
    let world = World::new().await;
    for (spec, usage) in [("ECC_NIST_P256", "SIGN_VERIFY"), ("ML_DSA_44", "SIGN_VERIFY")] {
        let request = CreateKeyRequest {
            multi_region: Some(true),
            key_spec: Some(spec.to_owned()),
            key_usage: Some(usage.to_owned()),
            ..Default::default()
        };
        let key = world.f.keys.create_key(&world.f.me, request).await.unwrap().key_metadata.key_id;
        world.replicate(HOME, &key, "us-east-1").await.unwrap();
        let public = |region| {
            let request = GetPublicKeyRequest { key_id: key.clone(), grant_tokens: None };
            let keys = world.at(region);
            let me = world.f.me.clone();
            async move { keys.get_public_key(&me, request).await.unwrap().public_key }
        };
        assert!(public(HOME).await == public("us-east-1").await);
        let algorithm = if spec == "ML_DSA_44" { "ML_DSA_SHAKE_256" } else { "ECDSA_SHA_256" };
        let request = SignRequest {
            key_id: key.clone(),
            message: plain("m"),
            signing_algorithm: algorithm.to_owned(),
            message_type: None,
            grant_tokens: None,
            dry_run: None,
        };
        let signed = world.f.keys.sign(&world.f.me, request).await.unwrap();
        let request = VerifyRequest {
            key_id: key,
            message: plain("m"),
            signature: signed.signature,
            signing_algorithm: algorithm.to_owned(),
            message_type: None,
            grant_tokens: None,
            dry_run: None,
        };
        assert!(world.at("us-east-1").verify_signature(&world.f.me, request).await.unwrap().signature_valid);
    }
}

#[tokio::test]
async fn what_cannot_be_replicated() {
    let world = World::new().await;
    let single = world.f.key().await;
    assert_eq!(code(world.replicate(HOME, &single, "us-east-1").await), "UnsupportedOperationException");
    assert_eq!(code(world.promote(HOME, &single, "us-east-1").await), "UnsupportedOperationException");
    let key = world.create(HOME).await;
    assert_eq!(code(world.replicate("us-east-1", &key, "ap-south-1").await), "NotFoundException");
    assert_eq!(code(world.replicate(HOME, &key, "sa-east-1").await), "UnsupportedOperationException");
    assert_eq!(code(world.replicate(HOME, &key, HOME).await), "AlreadyExistsException");
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    assert_eq!(code(world.replicate(HOME, &key, "us-east-1").await), "AlreadyExistsException");
    let error = world.replicate("us-east-1", &key, "ap-south-1").await.unwrap_err();
    assert_eq!(error.code(), "UnsupportedOperationException");
    let arn = world.describe("us-east-1", &key).await.unwrap().arn;
    assert_eq!(error.message(), format!("{arn} is not a multi-Region primary key."));
    world.disable(HOME, &key).await.unwrap();
    assert_eq!(code(world.replicate(HOME, &key, "ap-south-1").await), "DisabledException");
    world.schedule(HOME, &key, 7).await.unwrap();
    assert_eq!(code(world.replicate(HOME, &key, "ap-south-1").await), "KMSInvalidStateException");
}

#[tokio::test]
async fn only_the_primary_rotates_and_then_all_have_the_same_material() {
    let world = World::new().await;
    let key = world.create(HOME).await;
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    assert_eq!(code(world.rotate("us-east-1", &key).await), "UnsupportedOperationException");
    assert_eq!(world.f.told().await, []);
    assert_eq!(code(world.enable_rotation("us-east-1", &key, 90).await), "UnsupportedOperationException");
    world.enable_rotation(HOME, &key, 90).await.unwrap();
    let request = DisableKeyRotationRequest { key_id: key.clone() };
    let refused = world.at("us-east-1").disable_key_rotation(&world.f.me, request).await;
    assert_eq!(code(refused), "UnsupportedOperationException");

    let current = async |region| world.describe(region, &key).await.unwrap().current_key_material_id.unwrap();
    let mut seen = vec![current(HOME).await];
    for round in 0..3 {
        if round == 1 {
            // A replica on its way out is kept in step: its deletion may be cancelled.
            world.schedule("us-east-1", &key, 30).await.unwrap();
            world.rotate(HOME, &key).await.unwrap();
            world.cancel("us-east-1", &key).await.unwrap();
            world.enable("us-east-1", &key).await.unwrap();
        } else {
            world.pass(90).await;
        }
        assert_eq!(current(HOME).await, current("us-east-1").await);
        seen.push(current(HOME).await);
        let told = world.f.told().await.into_iter().map(|event| (event.key.region.to_string(), event.deed.name()));
        let mut told: Vec<_> = told.collect();
        told.sort();
        assert_eq!(told, ["RotateKey", "SynchronizeMultiRegionKey"].map(|name| (HOME.to_owned(), name)));
    }
    seen.dedup();
    assert_eq!(seen.len(), 4);
    // The schedule goes with the primary.
    world.promote(HOME, &key, "us-east-1").await.unwrap();
    world.disable(HOME, &key).await.unwrap();
    world.pass(90).await;
    assert_ne!(current(HOME).await, seen[3]);
    assert_eq!(current(HOME).await, current("us-east-1").await);
}

#[tokio::test]
async fn the_primary_changes() {
    let mut world = World::new().await;
    let key = world.create(HOME).await;
    assert_eq!(code(world.promote(HOME, &key, "us-east-1").await), "NotFoundException");
    assert_eq!(code(world.promote(HOME, &key, "sa-east-1").await), "UnsupportedOperationException");
    assert_eq!(code(world.promote(HOME, &key, HOME).await), "UnsupportedOperationException");
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    world.replicate(HOME, &key, "ap-south-1").await.unwrap();
    assert_eq!(code(world.promote("us-east-1", &key, "ap-south-1").await), "UnsupportedOperationException");
    world.disable("us-east-1", &key).await.unwrap();
    assert_eq!(code(world.promote(HOME, &key, "us-east-1").await), "DisabledException");
    world.enable("us-east-1", &key).await.unwrap();
    world.promote(HOME, &key, "us-east-1").await.unwrap();
    world.restart(&REGIONS).await;
    for region in REGIONS {
        let set = (("us-east-1").to_owned(), vec!["ap-south-1".to_owned(), HOME.to_owned()]);
        assert_eq!(world.set(region, &key).await, set);
    }
    world.rotate("us-east-1", &key).await.unwrap();
    // What was the primary can go now.
    world.schedule(HOME, &key, 7).await.unwrap();
    world.pass(7).await;
    assert_eq!(code(world.describe(HOME, &key).await), "NotFoundException");
    for region in &REGIONS[1..] {
        assert_eq!(world.set(region, &key).await, ("us-east-1".to_owned(), vec!["ap-south-1".to_owned()]));
    }
    // And come again.
    world.replicate("us-east-1", &key, HOME).await.unwrap();
    assert_eq!(world.set(HOME, &key).await.1, ["ap-south-1", HOME]);
}

#[tokio::test]
async fn a_primary_waits_for_its_last_replica() {
    let world = World::new().await;
    let key = world.create(HOME).await;
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    world.replicate(HOME, &key, "ap-south-1").await.unwrap();
    let blob = world.encrypt(HOME, &key, "x").await.unwrap();

    assert!(world.schedule(HOME, &key, 8).await.unwrap().is_none());
    let waiting = world.describe(HOME, &key).await.unwrap();
    assert_eq!(
        (waiting.key_state, waiting.pending_deletion_window_in_days, waiting.deletion_date),
        ("PendingReplicaDeletion", Some(8), None)
    );
    assert_eq!(code(world.encrypt(HOME, &key, "y").await), "KMSInvalidStateException");
    assert_eq!(code(world.schedule(HOME, &key, 8).await), "KMSInvalidStateException");
    assert!(world.decrypt("us-east-1", None, &blob).await.is_ok(), "its replicas are unaffected");
    world.pass(60).await;
    assert_eq!(world.describe(HOME, &key).await.unwrap().key_state, "PendingReplicaDeletion");

    world.cancel(HOME, &key).await.unwrap();
    assert_eq!(world.describe(HOME, &key).await.unwrap().key_state, "Disabled");
    world.schedule(HOME, &key, 8).await.unwrap();
    assert!(world.schedule("us-east-1", &key, 7).await.unwrap().is_some());
    world.schedule("ap-south-1", &key, 10).await.unwrap();
    world.pass(7).await;
    assert_eq!(code(world.describe("us-east-1", &key).await), "NotFoundException");
    assert_eq!(world.set(HOME, &key).await.1, ["ap-south-1"]);
    assert_eq!(world.describe(HOME, &key).await.unwrap().key_state, "PendingReplicaDeletion");
    world.pass(3).await;
    let going = world.describe(HOME, &key).await.unwrap();
    assert_eq!((going.key_state, going.pending_deletion_window_in_days), ("PendingDeletion", None));
    assert_eq!(going.deletion_date, Some((world.f.time() + 8 * DAY).into()));
    world.pass(8).await;
    assert_eq!(code(world.describe(HOME, &key).await), "NotFoundException");
    let told = world.f.told().await.into_iter().map(|event| (event.key.region.to_string(), event.deed.name()));
    let mut told: Vec<_> = told.collect();
    told.sort();
    assert_eq!(told, ["ap-south-1", HOME, "us-east-1"].map(|region| (region.to_owned(), "DeleteKey")));
    // Nothing is left but since when uses are noted.
    assert_eq!((world.rows(Table::Key).await, world.rows(Table::Material).await), (1, 0));
}

#[tokio::test]
async fn a_region_that_is_no_longer_served_is_kept_in_step() {
    let mut world = World::new().await;
    let key = world.create(HOME).await;
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    world.restart(&[HOME]).await;
    assert!(world.f.keys.in_region("us-east-1").is_none());
    world.rotate(HOME, &key).await.unwrap();
    let blob = world.encrypt(HOME, &key, "x").await.unwrap();
    assert_eq!(code(world.promote(HOME, &key, "us-east-1").await), "UnsupportedOperationException");
    world.restart(&REGIONS).await;
    assert!(world.decrypt("us-east-1", None, &blob).await.unwrap().plaintext.expose() == b"x");
}

#[tokio::test]
async fn changes_of_all_members_at_once_all_happen() {
    let world = World::new().await;
    let key = world.create(HOME).await;
    world.replicate(HOME, &key, "us-east-1").await.unwrap();
    let other = World { f: Fixture { keys: world.f.keys.clone(), ..world.f.same() } };
    let rotations = async {
        for _ in 0..10 {
            world.rotate(HOME, &key).await.unwrap();
        }
    };
    let switches = async {
        for _ in 0..10 {
            other.disable("us-east-1", &key).await.unwrap();
            tokio::task::yield_now().await;
            other.enable("us-east-1", &key).await.unwrap();
        }
    };
    let promotions = async {
        world.replicate(HOME, &key, "ap-south-1").await.unwrap();
    };
    tokio::join!(rotations, switches, promotions);
    let blob = world.encrypt(HOME, &key, "x").await.unwrap();
    for region in REGIONS {
        assert!(world.decrypt(region, None, &blob).await.unwrap().plaintext.expose() == b"x", "{region}");
    }
}

#[tokio::test]
async fn an_imported_key_s_replica_waits_for_its_own_import() {
    let world = World::new().await;
    let request =
        CreateKeyRequest { multi_region: Some(true), origin: Some("EXTERNAL".to_owned()), ..Default::default() };
    let key = world.f.keys.create_key(&world.f.me, request).await.unwrap().key_metadata.key_id;
    // "You must import key material into the primary key before": a key without material is not Enabled.
    assert_eq!(code(world.replicate(HOME, &key, "us-east-1").await), "KMSInvalidStateException");
}
