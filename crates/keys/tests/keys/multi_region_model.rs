//! Random lives of a multi-Region key beside a naive model of its members.

use std::collections::BTreeMap;

use keys::Blob;
use proptest::prelude::*;

use crate::fixture::code;
use crate::multi_region::{HOME, REGIONS, World};

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
