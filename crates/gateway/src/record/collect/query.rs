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
        let names = named.resources();
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
