//! Random lives of an imported key beside a model that is a list of materials.

use std::collections::HashMap;
use std::time::Duration;

use keys::Blob;
use keys::operation::import::{GetParametersForImportResponse, ImportKeyMaterialRequest};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};

use crate::fixture::{Fixture, code};
use crate::import::forever;

#[derive(Clone, Debug)]
enum Step {
    Import { material: u8, kind: Option<bool>, hours: Option<u64> },
    Delete(Option<u8>),
    Rotate,
    Encrypt,
    Decrypt(usize),
    Pass(u64),
    Tick,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(None), Just(Some(true)), Just(Some(true)), Just(Some(false))];
    prop_oneof![
        6 => (0..4_u8, kind, proptest::option::of(1..9_u64))
            .prop_map(|(material, kind, hours)| Step::Import { material, kind, hours }),
        2 => proptest::option::of(0..4_u8).prop_map(Step::Delete),
        3 => Just(Step::Rotate),
        4 => Just(Step::Encrypt),
        5 => any::<usize>().prop_map(Step::Decrypt),
        2 => (1..6_u64).prop_map(Step::Pass),
        1 => Just(Step::Tick),
        1 => Just(Step::Restart),
    ]
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Held {
    material: u8,
    present: bool,
    valid_to: Option<Duration>,
    pending: bool,
}

/// What the key should be.
#[derive(Default)]
struct Model {
    held: Vec<Held>,
    now: Duration,
}

impl Model {
    fn expire(&mut self) {
        let now = self.now;
        let over = |held: &Held| held.present && held.valid_to.is_some_and(|at| at <= now);
        self.held.retain(|held| !(held.pending && over(held)));
        for held in self.held.iter_mut().filter(|held| over(held)) {
            (held.present, held.valid_to) = (false, None);
        }
    }

    fn current(&self) -> Option<u8> {
        self.held.iter().rev().find(|held| !held.pending).map(|held| held.material)
    }

    fn usable(&self) -> bool {
        self.current().is_some() && self.held.iter().all(|held| held.pending || held.present)
    }

    fn import(&mut self, material: u8, kind: Option<bool>, hours: Option<u64>) -> &'static str {
        let valid_to = hours.map(|hours| self.now + Duration::from_secs(hours * 3600));
        let first = self.held.is_empty();
        let known = self.held.iter().position(|held| held.material == material);
        match (kind.unwrap_or(first), known) {
            (true, Some(_)) | (false, None) => return "IncorrectKeyMaterialException",
            (true, None) if self.held.iter().any(|held| held.pending) => return "KMSInvalidStateException",
            (true, None) => self.held.push(Held { material, present: true, valid_to, pending: !first }),
            (false, Some(at)) => (self.held[at].present, self.held[at].valid_to) = (true, valid_to),
        }
        "ok"
    }

    fn delete(&mut self, material: Option<u8>) -> &'static str {
        let Some(wanted) = material.or(self.current()) else { return "ok" };
        let Some(at) = self.held.iter().position(|held| held.material == wanted) else { return "NotFoundException" };
        if self.held[at].pending {
            self.held.remove(at);
        } else {
            (self.held[at].present, self.held[at].valid_to) = (false, None);
        }
        "ok"
    }

    fn rotate(&mut self) -> &'static str {
        let usable = self.usable();
        match self.held.last_mut() {
            Some(held) if usable && held.pending => {
                held.pending = false;
                "ok"
            }
            _ => "KMSInvalidStateException",
        }
    }
}

#[derive(Default)]
struct Life {
    key: String,
    parameters: Option<(Duration, GetParametersForImportResponse)>,
    ids: HashMap<u8, String>,
    sealed: Vec<(Blob, u8)>,
}

async fn run(f: &mut Fixture, steps: &[Step]) {
    let (mut model, mut life) = (Model::default(), Life { key: f.external().await, ..Default::default() });
    for step in steps {
        model.expire();
        take(f, step, &mut model, &mut life).await;
        model.expire();
        compare(f, &model, &life).await;
    }
}

async fn take(f: &mut Fixture, step: &Step, model: &mut Model, life: &mut Life) {
    let key = life.key.clone();
    match *step {
        Step::Import { material, kind, hours } => {
            if life.parameters.as_ref().is_none_or(|(made, _)| model.now - *made >= Duration::from_secs(24 * 3600)) {
                life.parameters = Some((model.now, f.parameters(&key).await.unwrap()));
            }
            let valid_to = hours.map(|hours| (f.time() + Duration::from_secs(hours * 3600)).into());
            let base = if hours.is_some() { ImportKeyMaterialRequest::default() } else { forever() };
            let import_type = kind.map(|new| if new { "NEW_KEY_MATERIAL" } else { "EXISTING_KEY_MATERIAL" }.to_owned());
            let request = ImportKeyMaterialRequest { valid_to, import_type, ..base };
            let (_, parameters) = life.parameters.as_ref().unwrap();
            let done = f.import_with(parameters, &key, &[material; 32], request).await;
            if let Ok(Some(id)) = &done {
                let known = life.ids.insert(material, id.clone());
                assert!(known.is_none_or(|known| known == *id), "an id is for good");
            }
            assert_eq!(code(done), model.import(material, kind, hours), "{step:?}");
        }
        Step::Delete(material) => {
            let id = material.map(|material| life.ids.get(&material).cloned());
            // Of what was never imported nobody knows the id.
            if id != Some(None) {
                assert_eq!(code(f.forget(&key, id.flatten()).await), model.delete(material), "{step:?}");
            }
        }
        Step::Rotate => assert_eq!(code(f.rotate(&key).await), model.rotate()),
        Step::Encrypt => {
            let sealed = f.encrypt(&key, "text").await;
            assert_eq!(sealed.is_ok(), model.usable());
            life.sealed.extend(sealed.ok().map(|blob| (blob, model.current().unwrap())));
        }
        Step::Decrypt(which) if !life.sealed.is_empty() => {
            let (blob, material) = &life.sealed[which % life.sealed.len()];
            match f.decrypt(blob).await {
                Ok(opened) => {
                    assert!(model.usable() && opened.plaintext.expose() == b"text");
                    assert_eq!(opened.key_material_id.as_ref(), life.ids.get(material));
                }
                Err(error) => assert_eq!((error.code(), model.usable()), ("KMSInvalidStateException", false)),
            }
        }
        Step::Decrypt(_) => {}
        Step::Pass(hours) => {
            let time = Duration::from_secs(hours * 3600);
            model.now += time;
            f.pass(time);
        }
        Step::Tick => f.keys.tick().await.unwrap(),
        Step::Restart => f.restart().await,
    }
}

async fn compare(f: &Fixture, model: &Model, life: &Life) {
    assert_eq!(f.state(&life.key).await, if model.usable() { "Enabled" } else { "PendingImport" });
    let listed = f.materials(&life.key).await;
    assert_eq!(listed.len(), model.held.len());
    for (listed, held) in listed.iter().zip(&model.held) {
        assert_eq!(Some(&listed.key_material_id), life.ids.get(&held.material));
        assert_eq!(listed.import_state, Some(if held.present { "IMPORTED" } else { "PENDING_IMPORT" }));
        let state = match (held.pending, model.current() == Some(held.material)) {
            (true, _) => "PENDING_ROTATION",
            (false, true) => "CURRENT",
            (false, false) => "NON_CURRENT",
        };
        assert_eq!(listed.key_material_state, state);
    }
    // What is to expire is what has a row for it, and nothing else has one.
    let mut ends: Vec<_> = model.held.iter().filter(|held| held.present).filter_map(|held| held.valid_to).collect();
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(f.errands().await, ends.len());
}

#[test]
fn a_key_lives_as_the_model_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases: 40, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&proptest::collection::vec(step(), 1..60), |steps| {
            runtime.block_on(async { run(&mut Fixture::new().await, &steps).await });
            Ok(())
        })
        .unwrap();
}
