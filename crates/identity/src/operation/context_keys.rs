//! GetContextKeysForCustomPolicy, GetContextKeysForPrincipalPolicy: the condition keys that policies ask for.

use std::collections::BTreeMap;

use policy::Principal;

use super::shapes::shapes;
use super::simulate::given;
use super::{Allowed, Operation, Subject};
use crate::Identity;
use crate::error::Error;
use crate::simulation::cast::Source;

shapes! {
    request GetContextKeysForCustomPolicyRequest { policy_input_list: Vec<String> }
    request GetContextKeysForPrincipalPolicyRequest { policy_source_arn: String, policy_input_list? Vec<String> }
    shape GetContextKeysForPolicyResponse { context_key_names: Vec<String> }
}

fn keys(sources: &[Source]) -> GetContextKeysForPolicyResponse {
    // Names that differ in case alone are one.
    let mut names = BTreeMap::new();
    for name in sources.iter().flat_map(|source| source.document.context_keys()) {
        names.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
    }
    GetContextKeysForPolicyResponse { context_key_names: names.into_values().collect() }
}

impl Operation for GetContextKeysForCustomPolicyRequest {
    const NAME: &'static str = "GetContextKeysForCustomPolicy";
    type Response = GetContextKeysForPolicyResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:GetContextKeysForCustomPolicy", "*")])
    }

    async fn run(self, _: &Identity, _: &Allowed) -> Result<GetContextKeysForPolicyResponse, Error> {
        Ok(keys(&given("PolicyInputList", &self.policy_input_list)?))
    }
}

impl Operation for GetContextKeysForPrincipalPolicyRequest {
    const NAME: &'static str = "GetContextKeysForPrincipalPolicy";
    type Response = GetContextKeysForPolicyResponse;

    async fn subjects(&self, _: &Identity, _: &Principal) -> Result<Vec<Subject>, Error> {
        Ok(vec![Subject::new("iam:GetContextKeysForPrincipalPolicy", &self.policy_source_arn)])
    }

    async fn run(self, identity: &Identity, by: &Allowed) -> Result<GetContextKeysForPolicyResponse, Error> {
        let mut sources = identity.own_cast(by, &self.policy_source_arn).await?.identity;
        sources.extend(given("PolicyInputList", self.policy_input_list.as_deref().unwrap_or_default())?);
        Ok(keys(&sources))
    }
}
