//! Random sequences of operations against a naive model of keys, aliases and ciphertexts.

use std::collections::{BTreeMap, BTreeSet};

use keys::Blob;
use keys::operation::alias::{DeleteAliasRequest, ListAliasesRequest, UpdateAliasRequest};
use keys::operation::deletion::CancelKeyDeletionRequest;
use keys::operation::lifecycle::ListKeysRequest;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, TestRunner};

use crate::fixture::{DAY, Fixture, code};

#[derive(Clone, Copy, Debug)]
enum Step {
    Create,
    Enable(u8),
    Disable(u8),
    Schedule(u8),
    Cancel(u8),
    Rotate(u8),
    Alias(u8, u8),
    Update(u8, u8),
    Unalias(u8),
    Encrypt(u8),
    EncryptByAlias(u8),
    Decrypt(u8),
    Pass,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    (0..14_u8, any::<u8>(), any::<u8>()).prop_map(|(kind, a, b)| match kind {
        0 => Step::Create,
        1 => Step::Enable(a),
        2 => Step::Disable(a),
        3 => Step::Schedule(a),
        4 => Step::Cancel(a),
        5 => Step::Rotate(a),
        6 => Step::Alias(a % 4, b),
        7 => Step::Update(a % 4, b),
        8 => Step::Unalias(a % 4),
        9 => Step::Encrypt(a),
        10 => Step::EncryptByAlias(a % 4),
        11 => Step::Decrypt(a),
        12 => Step::Pass,
        _ => Step::Restart,
    })
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Enabled,
    Disabled,
    /// Days left.
    Pending(u32),
    Destroyed,
}

#[derive(Default)]
struct Model {
    keys: Vec<(String, State)>,
    aliases: BTreeMap<String, usize>,
    /// Key, text, blob.
    blobs: Vec<(usize, String, Blob)>,
}

impl Model {
    fn pick(&self, at: u8) -> Option<usize> {
        (!self.keys.is_empty()).then(|| usize::from(at) % self.keys.len())
    }

    /// What an operation that changes the key answers, unless the key is in the wrong state.
    fn manage(&self, key: usize) -> &'static str {
        match self.keys[key].1 {
            State::Enabled | State::Disabled => "ok",
            State::Pending(_) => "KMSInvalidStateException",
            State::Destroyed => "NotFoundException",
        }
    }

    fn encrypt(&self, key: usize) -> &'static str {
        if self.keys[key].1 == State::Disabled { "DisabledException" } else { self.manage(key) }
    }

    fn decrypt(&self, key: usize) -> &'static str {
        if self.keys[key].1 == State::Destroyed { "AccessDeniedException" } else { self.encrypt(key) }
    }
}

async fn run(steps: &[Step]) {
    let (mut f, mut model) = (Fixture::new().await, Model::default());
    for (index, step) in steps.iter().enumerate() {
        take(&mut f, &mut model, *step, index).await;
    }
    compare(&f, &model).await;
}

async fn take(f: &mut Fixture, model: &mut Model, step: Step, index: usize) {
    let name = |n: u8| format!("alias/{n}");
    match step {
        Step::Create => model.keys.push((f.key().await, State::Enabled)),
        Step::Enable(at) | Step::Disable(at) => {
            let Some(key) = model.pick(at) else { return };
            let (state, id) = (matches!(step, Step::Enable(_)), model.keys[key].0.clone());
            let result = if state { f.enable(&id).await } else { f.disable(&id).await };
            assert_eq!(code(result), model.manage(key), "{step:?}");
            if model.manage(key) == "ok" {
                model.keys[key].1 = if state { State::Enabled } else { State::Disabled };
            }
        }
        Step::Schedule(at) => {
            let Some(key) = model.pick(at) else { return };
            assert_eq!(code(f.schedule(&model.keys[key].0, 7).await), model.manage(key), "{step:?}");
            if model.manage(key) == "ok" {
                model.keys[key].1 = State::Pending(7);
            }
        }
        Step::Cancel(at) => {
            let Some(key) = model.pick(at) else { return };
            let request = CancelKeyDeletionRequest { key_id: model.keys[key].0.clone() };
            let expected = match model.keys[key].1 {
                State::Pending(_) => "ok",
                State::Destroyed => "NotFoundException",
                _ => "KMSInvalidStateException",
            };
            assert_eq!(code(f.keys.cancel_key_deletion(&f.me, request).await), expected, "{step:?}");
            if expected == "ok" {
                model.keys[key].1 = State::Disabled;
            }
        }
        Step::Rotate(at) => {
            let Some(key) = model.pick(at) else { return };
            let result = code(f.rotate(&model.keys[key].0).await);
            assert!(result == model.encrypt(key) || result == "LimitExceededException", "{step:?}: {result}");
        }
        Step::Alias(alias, at) | Step::Update(alias, at) => {
            let Some(key) = model.pick(at) else { return };
            let (new, id) = (matches!(step, Step::Alias(..)), model.keys[key].0.clone());
            let result = if new {
                code(f.alias(&name(alias), &id).await)
            } else {
                let request = UpdateAliasRequest { alias_name: name(alias), target_key_id: id };
                code(f.keys.update_alias(&f.me, request).await)
            };
            let expected = match (model.manage(key), new, model.aliases.contains_key(&name(alias))) {
                ("ok", true, true) => "AlreadyExistsException",
                ("ok", false, false) => "NotFoundException",
                (other, ..) => other,
            };
            assert_eq!(result, expected, "{step:?}");
            if expected == "ok" {
                model.aliases.insert(name(alias), key);
            }
        }
        Step::Unalias(alias) => {
            let request = DeleteAliasRequest { alias_name: name(alias) };
            let expected = if model.aliases.remove(&name(alias)).is_some() { "ok" } else { "NotFoundException" };
            assert_eq!(code(f.keys.delete_alias(&f.me, request).await), expected, "{step:?}");
        }
        Step::Encrypt(at) => {
            let Some(key) = model.pick(at) else { return };
            encrypt(f, model, &model.keys[key].0.clone(), Some(key), index).await;
        }
        Step::EncryptByAlias(alias) => {
            let key = model.aliases.get(&name(alias)).copied();
            encrypt(f, model, &name(alias), key, index).await;
        }
        Step::Decrypt(at) => {
            if model.blobs.is_empty() {
                return;
            }
            let (key, text, blob) = &model.blobs[usize::from(at) % model.blobs.len()];
            let result = f.decrypt(blob).await;
            if let Ok(opened) = &result {
                assert!(opened.plaintext.expose() == text.as_bytes());
            }
            assert_eq!(code(result), model.decrypt(*key), "{step:?}");
        }
        Step::Pass => {
            f.pass(3 * DAY);
            f.keys.tick().await.unwrap();
            for (index, (_, state)) in model.keys.iter_mut().enumerate() {
                match state {
                    State::Pending(1..=3) => {
                        *state = State::Destroyed;
                        model.aliases.retain(|_, target| *target != index);
                    }
                    State::Pending(days) => *days -= 3,
                    _ => {}
                }
            }
        }
        Step::Restart => f.restart().await,
    }
}

async fn encrypt(f: &Fixture, model: &mut Model, id: &str, key: Option<usize>, index: usize) {
    let text = format!("text {index}");
    let expected = key.map_or("NotFoundException", |key| model.encrypt(key));
    match (f.encrypt(id, &text).await, key) {
        (Ok(blob), Some(key)) if expected == "ok" => model.blobs.push((key, text, blob)),
        (result, _) => assert_eq!(code(result), expected, "encrypt under {id}"),
    }
}

/// At the end, everything listed is what the model has.
async fn compare(f: &Fixture, model: &Model) {
    let listed = f.keys.list_keys(&f.me, ListKeysRequest { limit: Some(1_000), ..Default::default() }).await.unwrap();
    let listed: BTreeSet<_> = listed.keys.into_iter().map(|key| key.key_id).collect();
    let alive = model.keys.iter().filter(|(_, state)| *state != State::Destroyed).map(|(id, _)| id.clone());
    assert_eq!(listed, alive.collect());
    let aliases = f.keys.list_aliases(&f.me, ListAliasesRequest::default()).await.unwrap().aliases;
    let aliases: BTreeMap<_, _> = aliases.into_iter().map(|alias| (alias.alias_name, alias.target_key_id)).collect();
    assert_eq!(aliases, model.aliases.iter().map(|(name, key)| (name.clone(), model.keys[*key].0.clone())).collect());
}

#[test]
fn any_sequence_of_operations_behaves_as_the_model() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 1_024, failure_persistence: None, ..Config::default() });
    runner
        .run(&proptest::collection::vec(step(), 1..120), |steps| {
            runtime.block_on(run(&steps));
            Ok(())
        })
        .unwrap();
}
