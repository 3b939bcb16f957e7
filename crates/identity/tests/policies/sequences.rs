//! Random sequences of changes to policies, versions, attachments and boundaries, against a naive model.

use std::collections::{BTreeMap, BTreeSet};

use identity::operation::attach::*;
use identity::operation::boundary::*;
use identity::operation::managed_policy::*;
use identity::operation::policy_entities::ListEntitiesForPolicyRequest;
use identity::operation::policy_version::*;
use identity::operation::role::{CreateRoleRequest, DeleteRoleRequest};
use identity::operation::user::CreateUserRequest;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bed::{Bed, allow, arn};
use crate::roles::create;

#[derive(Clone, Copy, Debug)]
enum Step {
    Create(u8),
    Delete(u8),
    Version(u8, bool),
    DropVersion(u8, u8),
    Default(u8, u8),
    Attach(u8),
    Detach(u8),
    AttachRole(u8),
    Bound(u8),
    Unbound,
    DeleteRole,
}

fn step() -> impl Strategy<Value = Step> {
    let policy = || 0..3_u8;
    prop_oneof![
        3 => policy().prop_map(Step::Create),
        2 => policy().prop_map(Step::Delete),
        4 => (policy(), any::<bool>()).prop_map(|(policy, default)| Step::Version(policy, default)),
        3 => (policy(), 1..9_u8).prop_map(|(policy, version)| Step::DropVersion(policy, version)),
        2 => (policy(), 1..9_u8).prop_map(|(policy, version)| Step::Default(policy, version)),
        2 => policy().prop_map(Step::Attach),
        3 => policy().prop_map(Step::Detach),
        2 => policy().prop_map(Step::AttachRole),
        2 => policy().prop_map(Step::Bound),
        1 => Just(Step::Unbound),
        1 => Just(Step::DeleteRole),
    ]
}

#[derive(Default)]
struct Policy {
    versions: BTreeSet<u8>,
    default: u8,
    next: u8,
}

#[derive(Default)]
struct Model {
    policies: BTreeMap<u8, Policy>,
    user: BTreeSet<u8>,
    role: BTreeSet<u8>,
    boundary: Option<u8>,
}

impl Model {
    /// Whether the step is taken.
    fn take(&mut self, step: Step) -> bool {
        let used = |model: &Self, policy: u8| {
            model.user.contains(&policy) || model.role.contains(&policy) || model.boundary == Some(policy)
        };
        match step {
            Step::Create(policy) => {
                let new = Policy { versions: BTreeSet::from([1]), default: 1, next: 2 };
                !self.policies.contains_key(&policy) && self.policies.insert(policy, new).is_none()
            }
            Step::Delete(policy) => {
                let may =
                    self.policies.get(&policy).is_some_and(|found| found.versions.len() == 1) && !used(self, policy);
                may && self.policies.remove(&policy).is_some()
            }
            Step::Version(policy, default) => match self.policies.get_mut(&policy) {
                Some(found) if found.versions.len() < 5 => {
                    found.versions.insert(found.next);
                    found.default = if default { found.next } else { found.default };
                    found.next += 1;
                    true
                }
                _ => false,
            },
            Step::DropVersion(policy, version) => {
                let found = self.policies.get_mut(&policy).filter(|found| found.default != version);
                found.is_some_and(|found| found.versions.remove(&version))
            }
            Step::Default(policy, version) => {
                let found = self.policies.get_mut(&policy).filter(|found| found.versions.contains(&version));
                found.map(|found| found.default = version).is_some()
            }
            Step::Attach(policy) => {
                let there = self.policies.contains_key(&policy);
                self.user.extend(there.then_some(policy));
                there
            }
            Step::Detach(policy) => self.user.remove(&policy),
            Step::AttachRole(policy) => {
                let there = self.policies.contains_key(&policy);
                self.role.extend(there.then_some(policy));
                there
            }
            Step::Bound(policy) => {
                let there = self.policies.contains_key(&policy);
                self.boundary = if there { Some(policy) } else { self.boundary };
                there
            }
            Step::Unbound => {
                self.boundary = None;
                true
            }
            // Made anew at once if it is deleted.
            Step::DeleteRole => {
                let may = self.role.is_empty();
                self.boundary = if may { None } else { self.boundary };
                may
            }
        }
    }
}

fn name(policy: u8) -> String {
    format!("P{policy}")
}

async fn take(bed: &Bed, step: Step) -> bool {
    let arn = |policy: u8| arn(&format!("policy/{}", name(policy)));
    let document = allow("s3:*", "*");
    let with_version = |policy, version: u8| json!({"PolicyArn": arn(policy), "VersionId": format!("v{version}")});
    let user = |policy| json!({"UserName": "alice", "PolicyArn": arn(policy)});
    let taken = match step {
        Step::Create(policy) => {
            bed.try_ok::<CreatePolicyRequest>(json!({"PolicyName": name(policy), "PolicyDocument": document})).await
        }
        Step::Delete(policy) => bed.try_ok::<DeletePolicyRequest>(json!({"PolicyArn": arn(policy)})).await,
        Step::Version(policy, default) => {
            let request = json!({"PolicyArn": arn(policy), "PolicyDocument": document, "SetAsDefault": default});
            bed.try_ok::<CreatePolicyVersionRequest>(request).await
        }
        Step::DropVersion(policy, version) => {
            bed.try_ok::<DeletePolicyVersionRequest>(with_version(policy, version)).await
        }
        Step::Default(policy, version) => {
            bed.try_ok::<SetDefaultPolicyVersionRequest>(with_version(policy, version)).await
        }
        Step::Attach(policy) => bed.try_ok::<AttachUserPolicyRequest>(user(policy)).await,
        Step::Detach(policy) => bed.try_ok::<DetachUserPolicyRequest>(user(policy)).await,
        Step::AttachRole(policy) => {
            bed.try_ok::<AttachRolePolicyRequest>(json!({"RoleName": "R", "PolicyArn": arn(policy)})).await
        }
        Step::Bound(policy) => {
            let request = json!({"RoleName": "R", "PermissionsBoundary": arn(policy)});
            bed.try_ok::<PutRolePermissionsBoundaryRequest>(request).await
        }
        Step::Unbound => bed.try_ok::<DeleteRolePermissionsBoundaryRequest>(json!({"RoleName": "R"})).await,
        Step::DeleteRole => {
            let deleted = bed.try_ok::<DeleteRoleRequest>(json!({"RoleName": "R"})).await;
            if deleted.is_ok() {
                bed.ok::<CreateRoleRequest>(create("R")).await;
            }
            deleted
        }
    };
    taken.is_ok()
}

async fn compare(bed: &Bed, model: &Model) {
    let list = bed.ok::<ListPoliciesRequest>(json!({"Scope": "Local"})).await;
    let names: Vec<Value> =
        list["Policies"].as_array().unwrap().iter().map(|policy| policy["PolicyName"].clone()).collect();
    assert_eq!(names, model.policies.keys().map(|policy| json!(name(*policy))).collect::<Vec<_>>());
    for (policy, expected) in &model.policies {
        let arn = arn(&format!("policy/{}", name(*policy)));
        let got = bed.ok::<GetPolicyRequest>(json!({"PolicyArn": arn})).await["Policy"].clone();
        let attached = usize::from(model.user.contains(policy)) + usize::from(model.role.contains(policy));
        assert_eq!(got["AttachmentCount"], attached);
        assert_eq!(got["PermissionsBoundaryUsageCount"], usize::from(model.boundary == Some(*policy)));
        assert_eq!(got["DefaultVersionId"], format!("v{}", expected.default));
        let versions = bed.ok::<ListPolicyVersionsRequest>(json!({"PolicyArn": arn})).await;
        let ids: Vec<_> =
            versions["Versions"].as_array().unwrap().iter().map(|version| version["VersionId"].clone()).collect();
        assert_eq!(ids, expected.versions.iter().rev().map(|version| json!(format!("v{version}"))).collect::<Vec<_>>());
        let entities = bed.ok::<ListEntitiesForPolicyRequest>(json!({"PolicyArn": arn})).await;
        let roles = model.role.contains(policy) || model.boundary == Some(*policy);
        assert_eq!(entities["PolicyUsers"].as_array().unwrap().len(), usize::from(model.user.contains(policy)));
        assert_eq!(entities["PolicyRoles"].as_array().unwrap().len(), usize::from(roles));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn policies_and_who_has_them_are_as_the_model_says(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bed = Bed::new().await;
            bed.ok::<CreateUserRequest>(json!({"UserName": "alice"})).await;
            bed.ok::<CreateRoleRequest>(create("R")).await;
            let mut model = Model::default();
            for step in steps {
                let expected = model.take(step);
                assert_eq!(take(&bed, step).await, expected, "{step:?}");
            }
            compare(&bed, &model).await;
        });
    }
}
