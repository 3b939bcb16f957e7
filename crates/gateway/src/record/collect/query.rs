//! Requests to IAM and STS.

use keys::AccountId;
use serde::Deserialize;

use super::super::event::Resource;
use super::super::identity::WebIdentity;
use super::super::others;
use super::super::requested::requested;
use super::{Call, Details, recipients};
use crate::query_protocol::Form;

impl Call<'_> {
    /// IAM and STS.
    pub(super) fn query(
        &self,
        body: &[u8],
        source: &'static str,
        version: &'static str,
        operations: &'static [model::Operation],
        wanted: Option<&Resource>,
    ) -> Vec<audit::Event> {
        let operation = self.response.operation;
        let shape = operations.iter().find(|known| known.name == operation).map(|known| known.request);
        let form = Form::read(self.request, body).ok();
        let json = shape.zip(form).and_then(|(shape, form)| model::form::to_json(shape, form.members()).ok());
        let json = json.unwrap_or_default();
        let named: Named = serde_json::from_str(&json).unwrap_or_default();
        let read_only = others::is_read_only(source, operation);
        let web_identity = web_identity(operation, &self.response.told);
        let role = match self.principal.is_anonymous() {
            true if wanted.is_none() => return Vec::new(),
            true => wanted.cloned(),
            false => named.role_arn.as_deref().and_then(role),
        };
        let mut parameters = Vec::new();
        requested(operations, operation, json.as_bytes(), &others::IAM, &mut parameters);
        let succeeded = self.response.status.is_success();
        let resources: Vec<_> = role.iter().cloned().collect();
        let owner = role.as_ref().and_then(|role| role.account).filter(|_| succeeded || self.principal.is_anonymous());
        let recipients = recipients(self.principal.account, owner, self.event, |_| true);
        let mut names = named.resources();
        if succeeded {
            names.extend(answered(&self.response.told));
        }
        names.sort();
        names.dedup();
        let request_id = self.request.id.uuid();
        let details = Details {
            source,
            name: operation,
            request_id: &request_id,
            parameters: &parameters,
            elements: &self.response.told,
            resources: &resources,
            names: &names,
            read_only,
            api_version: Some(version),
            web_identity: web_identity.as_ref(),
            ..Details::default()
        };
        self.told(&details, |told| recipients.into_iter().map(|recipient| told.event(recipient)).collect())
    }
}

/// What the parameters of IAM and STS name.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Named {
    pub(super) role_arn: Option<String>,
    user_name: Option<String>,
    role_name: Option<String>,
    group_name: Option<String>,
    policy_arn: Option<String>,
    policy_name: Option<String>,
    access_key_id: Option<String>,
    #[serde(rename = "OpenIDConnectProviderArn")]
    provider: Option<String>,
}

impl Named {
    fn resources(self) -> Vec<(&'static str, String)> {
        let all = [
            ("AWS::IAM::User", self.user_name),
            ("AWS::IAM::Role", self.role_name),
            ("AWS::IAM::Group", self.group_name),
            ("AWS::IAM::Policy", self.policy_arn),
            ("AWS::IAM::Policy", self.policy_name),
            ("AWS::IAM::AccessKey", self.access_key_id),
            ("AWS::IAM::OIDCProvider", self.provider),
        ];
        all.into_iter().filter_map(|(kind, name)| Some((kind, name?))).collect()
    }
}

/// What the answer of an operation names: users, roles and the like by ARN, id and name, sessions and their access keys.
fn answered(told: &[u8]) -> Vec<(&'static str, String)> {
    let answer: serde_json::Value = serde_json::from_slice(told).unwrap_or_default();
    let mut names = Vec::new();
    for (member, kind, parts) in ANSWERED {
        let Some(found) = answer.get(member) else { continue };
        names.extend(parts.iter().filter_map(|part| Some((kind, found.get(part)?.as_str()?.to_owned()))));
    }
    // CloudTrail has the name of a session by itself, too.
    if let Some(name) = answer.pointer("/assumedRoleUser/arn").and_then(|arn| arn.as_str()?.rsplit('/').next()) {
        names.push((ASSUMED_ROLE, name.to_owned()));
    }
    names
}

const ASSUMED_ROLE: &str = "AWS::STS::AssumedRole";

/// Members of answers, what they are, and which of their members name them.
const ANSWERED: [(&str, &str, &[&str]); 9] = [
    ("accessKey", "AWS::IAM::AccessKey", &["accessKeyId"]),
    ("assumedRoleUser", ASSUMED_ROLE, &["arn", "assumedRoleId"]),
    ("credentials", "AWS::IAM::AccessKey", &["accessKeyId"]),
    ("federatedUser", "AWS::STS::FederatedUser", &["arn", "federatedUserId"]),
    ("group", "AWS::IAM::Group", &["arn", "groupId", "groupName"]),
    ("instanceProfile", "AWS::IAM::InstanceProfile", &["arn", "instanceProfileId", "instanceProfileName"]),
    ("policy", "AWS::IAM::Policy", &["arn", "policyId", "policyName"]),
    ("role", "AWS::IAM::Role", &["arn", "roleId", "roleName"]),
    ("user", "AWS::IAM::User", &["arn", "userId", "userName"]),
];

/// What is the ARN of a role, be there such a role or not.
pub(super) fn role(arn: &str) -> Option<Resource> {
    let (account, path) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let account = AccountId::parse(account).ok()?;
    let name = path.rsplit('/').next().filter(|name| !name.is_empty() && name.len() <= ROLE_NAME)?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte))
        || path.len() > ROLE_NAME + ROLE_PATH
        || !plain(path)
    {
        return None;
    }
    Some(Resource { account: Some(account), kind: "AWS::IAM::Role", arn: arn.to_owned(), prefix: false })
}

/// Most characters of a role's name, and of its path.
const ROLE_NAME: usize = 64;
const ROLE_PATH: usize = 512;

fn web_identity(operation: &str, answer: &[u8]) -> Option<WebIdentity> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        provider: String,
        audience: String,
        subject_from_web_identity_token: String,
    }
    if operation != "AssumeRoleWithWebIdentity" {
        return None;
    }
    let Answer { provider, audience, subject_from_web_identity_token: subject } =
        serde_json::from_slice(answer).ok()?;
    Some(WebIdentity { provider, audience, subject })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn what_was_made_is_found_by_all_its_names() {
        let told =
            br#"{"credentials":{"accessKeyId":"ASIAEXAMPLE"},"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLE:one",
            "arn":"arn:aws:sts::111122223333:assumed-role/reader/one"}}"#;
        let named = |kind, name: &str| (kind, name.to_owned());
        let expected = [
            named(ASSUMED_ROLE, "arn:aws:sts::111122223333:assumed-role/reader/one"),
            named(ASSUMED_ROLE, "AROAEXAMPLE:one"),
            named("AWS::IAM::AccessKey", "ASIAEXAMPLE"),
            named(ASSUMED_ROLE, "one"),
        ];
        assert_eq!(answered(told), expected);
        let made =
            br#"{"user":{"userName":"alice","userId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/alice"}}"#;
        assert_eq!(answered(made).len(), 3);
        assert_eq!(answered(b""), []);
    }

    #[test]
    fn a_role_is_what_can_be_one() {
        for arn in ["arn:aws:iam::111122223333:role/reader", "arn:aws:iam::111122223333:role/a/b/reader"] {
            assert_eq!(role(arn).unwrap().account, AccountId::parse("111122223333").ok());
        }
        let long = format!("arn:aws:iam::111122223333:role/{}", "a".repeat(65));
        for no in [
            "x:x:x:x:111122223333:role/a",
            "arn:aws:iam::111122223333:user/a",
            "arn:aws:iam::1:role/a",
            &long,
            "",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/a/",
            "arn:aws:iam::111122223333:role/a\nb",
        ] {
            assert!(role(no).is_none(), "{no}");
        }
    }
}
