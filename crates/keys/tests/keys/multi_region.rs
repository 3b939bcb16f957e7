use std::collections::BTreeMap;
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
use proptest::prelude::*;

use crate::fixture::{DAY, Fixture, code, plain, root_key};

const HOME: &str = "eu-west-1";
const REGIONS: [&str; 3] = [HOME, "us-east-1", "ap-south-1"];

/// A store whose keys are in several Regions.
struct World {
    f: Fixture,
}

impl World {
    async fn new() -> Self {
        let mut world = Self { f: Fixture::new().await };
        world.restart(&REGIONS).await;
        world
    }

    /// The server starts anew and serves these Regions.
    async fn restart(&mut self, regions: &[&str]) {
        let other_regions = regions.iter().map(|name| Region::parse(name).unwrap()).collect();
        let settings = Settings { other_regions, ..self.f.settings() };
        self.f.keys = Keys::open(self.f.store.clone(), root_key(7), settings).await.unwrap();
    }

    fn at(&self, region: &str) -> Arc<Keys> {
        self.f.keys.in_region(region).unwrap()
    }

    async fn create(&self, region: &str) -> String {
        let request = CreateKeyRequest { multi_region: Some(true), ..Default::default() };
        self.at(region).create_key(&self.f.me, request).await.unwrap().key_metadata.key_id
    }

    async fn replicate(&self, from: &str, key: &str, to: &str) -> Result<ReplicateKeyResponse, Error> {
        let request =
            ReplicateKeyRequest { key_id: key.to_owned(), replica_region: to.to_owned(), ..Default::default() };
        self.at(from).replicate_key(&self.f.me, request).await
    }

    async fn promote(&self, from: &str, key: &str, to: &str) -> Result<(), Error> {
        let request = UpdatePrimaryRegionRequest { key_id: key.to_owned(), primary_region: to.to_owned() };
        self.at(from).update_primary_region(&self.f.me, request).await.map(drop)
    }

    async fn describe(&self, region: &str, key: &str) -> Result<KeyMetadata, Error> {
        let request = DescribeKeyRequest { key_id: key.to_owned(), ..Default::default() };
        Ok(self.at(region).describe_key(&self.f.me, request).await?.key_metadata)
    }

    async fn encrypt(&self, region: &str, key: &str, text: &str) -> Result<Blob, Error> {
        let request = EncryptRequest { key_id: key.to_owned(), plaintext: plain(text), ..Default::default() };
        Ok(self.at(region).encrypt(&self.f.me, request).await?.ciphertext_blob)
    }

    async fn decrypt(&self, region: &str, key: Option<&str>, blob: &Blob) -> Result<DecryptResponse, Error> {
        let key_id = key.map(str::to_owned);
        let request = DecryptRequest { key_id, ciphertext_blob: Some(blob.clone()), ..Default::default() };
        self.at(region).decrypt(&self.f.me, request).await
    }

    async fn rotate(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = RotateKeyOnDemandRequest { key_id: key.to_owned() };
        self.at(region).rotate_key_on_demand(&self.f.me, request).await.map(drop)
    }

    async fn enable_rotation(&self, region: &str, key: &str, days: u32) -> Result<(), Error> {
        let request = EnableKeyRotationRequest { key_id: key.to_owned(), rotation_period_in_days: Some(days) };
        self.at(region).enable_key_rotation(&self.f.me, request).await.map(drop)
    }

    async fn schedule(&self, region: &str, key: &str, days: i64) -> Result<Option<keys::Timestamp>, Error> {
        let request = ScheduleKeyDeletionRequest { key_id: key.to_owned(), pending_window_in_days: Some(days) };
        Ok(self.at(region).schedule_key_deletion(&self.f.me, request).await?.deletion_date)
    }

    async fn cancel(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = CancelKeyDeletionRequest { key_id: key.to_owned() };
        self.at(region).cancel_key_deletion(&self.f.me, request).await.map(drop)
    }

    async fn enable(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = EnableKeyRequest { key_id: key.to_owned() };
        self.at(region).enable_key(&self.f.me, request).await.map(drop)
    }

    async fn disable(&self, region: &str, key: &str) -> Result<(), Error> {
        let request = DisableKeyRequest { key_id: key.to_owned() };
        self.at(region).disable_key(&self.f.me, request).await.map(drop)
    }

    /// The names of the primary's Region and of the replicas', as a member tells them.
    async fn set(&self, region: &str, key: &str) -> (String, Vec<String>) {
        let set = self.describe(region, key).await.unwrap().multi_region_configuration.unwrap();
        let kind = if set.primary_key.region == region { "PRIMARY" } else { "REPLICA" };
        assert_eq!(set.multi_region_key_type, kind);
        (set.primary_key.region, set.replica_keys.into_iter().map(|it| it.region).collect())
    }

    async fn pass(&self, days: u32) {
        self.f.pass(DAY * days);
        self.f.keys.tick().await.unwrap();
    }

    async fn rows(&self, table: Table) -> usize {
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

/// What a key of a Region is, as a naive model has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Enabled,
    Disabled,
    Pending { due: u32 },
    Waiting { days: u32 },
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::Pending { .. } => "PendingDeletion",
            Self::Waiting { .. } => "PendingReplicaDeletion",
        }
    }

    fn use_code(self) -> &'static str {
        match self {
            Self::Enabled => "ok",
            Self::Disabled => "DisabledException",
            Self::Pending { .. } | Self::Waiting { .. } => "KMSInvalidStateException",
        }
    }

    fn change_code(self) -> &'static str {
        if matches!(self, Self::Enabled | Self::Disabled) { "ok" } else { "KMSInvalidStateException" }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Replicate(usize, usize),
    Promote(usize, usize),
    Rotate(usize),
    Rotating(usize),
    Encrypt(usize),
    Enable(usize),
    Disable(usize),
    Schedule(usize, u32),
    Cancel(usize),
    Pass(u32),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let region = 0..REGIONS.len();
    prop_oneof![
        4 => (region.clone(), region.clone()).prop_map(|(from, to)| Step::Replicate(from, to)),
        3 => (region.clone(), region.clone()).prop_map(|(from, to)| Step::Promote(from, to)),
        3 => region.clone().prop_map(Step::Rotate),
        1 => region.clone().prop_map(Step::Rotating),
        4 => region.clone().prop_map(Step::Encrypt),
        2 => region.clone().prop_map(Step::Enable),
        1 => region.clone().prop_map(Step::Disable),
        2 => (region.clone(), 7..12_u32).prop_map(|(region, days)| Step::Schedule(region, days)),
        2 => region.prop_map(Step::Cancel),
        2 => (1..40_u32).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

struct Model {
    states: BTreeMap<usize, State>,
    primary: usize,
    today: u32,
}

impl Model {
    /// The code of what only an enabled primary may do.
    fn primary_code(&self, region: usize) -> &'static str {
        match self.states.get(&region) {
            None => "NotFoundException",
            Some(_) if region != self.primary => "UnsupportedOperationException",
            Some(state) => state.use_code(),
        }
    }

    /// The same of rotation, where the state is looked at first.
    fn rotation_code(&self, region: usize) -> &'static str {
        match self.code(region, State::use_code) {
            "ok" => self.primary_code(region),
            other => other,
        }
    }

    fn code(&self, region: usize, code: impl FnOnce(State) -> &'static str) -> &'static str {
        self.states.get(&region).map_or("NotFoundException", |state| code(*state))
    }

    fn pass(&mut self, days: u32) {
        self.today += days;
        let today = self.today;
        self.states.retain(|_, state| !matches!(state, State::Pending { due } if *due <= today));
        if let (1, Some(State::Waiting { days })) = (self.states.len(), self.states.get(&self.primary).copied()) {
            self.states.insert(self.primary, State::Pending { due: today + days });
        }
    }
}

async fn runs_as_the_model_says(steps: Vec<Step>) {
    let mut world = World::new().await;
    let key = world.create(HOME).await;
    let key = key.as_str();
    let mut model = Model { states: BTreeMap::from([(0, State::Enabled)]), primary: 0, today: 0 };
    let mut sealed: Vec<(Blob, String)> = vec![];
    for step in steps {
        match step {
            Step::Replicate(from, to) => {
                let there = model.states.contains_key(&to);
                let expected = match model.primary_code(from) {
                    "ok" if there => "AlreadyExistsException",
                    other => other,
                };
                assert_eq!(code(world.replicate(REGIONS[from], key, REGIONS[to]).await), expected, "{step:?}");
                if expected == "ok" {
                    model.states.insert(to, State::Enabled);
                }
            }
            Step::Promote(from, to) => {
                let expected = match (model.primary_code(from), model.states.get(&to)) {
                    (own @ ("NotFoundException" | "UnsupportedOperationException"), _) => own,
                    (_, None) => "NotFoundException",
                    ("ok", _) if from == to => "UnsupportedOperationException",
                    ("ok", Some(state)) => state.use_code(),
                    (own, _) => own,
                };
                assert_eq!(code(world.promote(REGIONS[from], key, REGIONS[to]).await), expected, "{step:?}");
                if expected == "ok" {
                    model.primary = to;
                }
            }
            Step::Rotate(region) => {
                let found = code(world.rotate(REGIONS[region], key).await);
                // Just before an automatic rotation none is allowed on demand.
                let expected = model.rotation_code(region);
                assert!(found == expected || (found, expected) == ("ConflictException", "ok"), "{step:?} {found}");
            }
            Step::Rotating(region) => {
                let expected = model.rotation_code(region);
                assert_eq!(code(world.enable_rotation(REGIONS[region], key, 90).await), expected, "{step:?}");
            }
            Step::Encrypt(region) => {
                let text = format!("text {}", sealed.len());
                let made = world.encrypt(REGIONS[region], key, &text).await;
                let expected = model.code(region, State::use_code);
                match made {
                    Ok(blob) => {
                        assert_eq!(expected, "ok");
                        sealed.push((blob, text));
                    }
                    Err(error) => assert_eq!(error.code(), expected, "{step:?}"),
                }
            }
            Step::Enable(region) | Step::Disable(region) => {
                let expected = model.code(region, State::change_code);
                let enable = matches!(step, Step::Enable(_));
                let done = match enable {
                    true => world.enable(REGIONS[region], key).await,
                    false => world.disable(REGIONS[region], key).await,
                };
                assert_eq!(code(done), expected, "{step:?}");
                if expected == "ok" {
                    model.states.insert(region, if enable { State::Enabled } else { State::Disabled });
                }
            }
            Step::Schedule(region, days) => {
                let expected = model.code(region, State::change_code);
                let done = world.schedule(REGIONS[region], key, i64::from(days)).await;
                assert_eq!(code(done), expected, "{step:?}");
                if expected == "ok" {
                    let waits = region == model.primary && model.states.len() > 1;
                    let due = model.today + days;
                    model.states.insert(region, if waits { State::Waiting { days } } else { State::Pending { due } });
                }
            }
            Step::Cancel(region) => {
                let pending =
                    |state: State| if state.change_code() == "ok" { "KMSInvalidStateException" } else { "ok" };
                let expected = model.code(region, pending);
                assert_eq!(code(world.cancel(REGIONS[region], key).await), expected, "{step:?}");
                if expected == "ok" {
                    model.states.insert(region, State::Disabled);
                }
            }
            Step::Pass(days) => {
                world.pass(days).await;
                model.pass(days);
            }
            Step::Restart => world.restart(&REGIONS).await,
        }
        agrees(&world, key, &model, &sealed).await;
    }
}

/// Every Region is as the model says, and what any sealed, every enabled one opens.
async fn agrees(world: &World, key: &str, model: &Model, sealed: &[(Blob, String)]) {
    let mut materials = vec![];
    for (index, region) in REGIONS.into_iter().enumerate() {
        let described = world.describe(region, key).await;
        let Some(state) = model.states.get(&index) else {
            assert_eq!(code(described), "NotFoundException");
            continue;
        };
        let described = described.unwrap();
        assert_eq!(described.key_state, state.name(), "{region}");
        materials.push(described.current_key_material_id);
        let replicas = model.states.keys().filter(|member| **member != model.primary);
        let mut replicas: Vec<_> = replicas.map(|member| REGIONS[*member].to_owned()).collect();
        replicas.sort();
        assert_eq!(world.set(region, key).await, (REGIONS[model.primary].to_owned(), replicas));
        for (blob, text) in sealed {
            match world.decrypt(region, None, blob).await {
                Ok(opened) => assert!(opened.plaintext.expose() == text.as_bytes() && *state == State::Enabled),
                Err(error) => assert_eq!(error.code(), state.use_code()),
            }
        }
    }
    materials.dedup();
    assert!(materials.len() <= 1, "all members seal with the same material");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_changes_leaves_the_members_of_a_set_in_step(steps in prop::collection::vec(step(), 1..24)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(runs_as_the_model_says(steps));
    }
}
