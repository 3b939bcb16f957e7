//! AWS's managed policies, those that make sense here: by AWS's names, ARNs, ids and versions.
//!
//! Each document is AWS's default version of March 2026, without what it says of services that are not here. Nobody can change
//! them. Only the default version is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use policy::{Document, Kind};

use crate::time::Timestamp;

/// A managed policy of AWS's.
#[derive(Debug)]
pub(crate) struct AwsManaged {
    /// `PolicyName`.
    pub(crate) name: &'static str,
    /// `Path`.
    pub(crate) path: &'static str,
    /// `PolicyId`.
    pub(crate) id: &'static str,
    /// `DefaultVersionId`.
    pub(crate) version: &'static str,
    /// `Arn`.
    pub(crate) arn: Arc<str>,
    /// `CreateDate` of the policy.
    pub(crate) created: Timestamp,
    /// `UpdateDate`; `CreateDate` of the version.
    pub(crate) updated: Timestamp,
    /// `Description`.
    pub(crate) description: &'static str,
    /// The document as it is answered.
    pub(crate) text: &'static str,
    /// The document as it decides.
    pub(crate) document: Arc<Document>,
}

/// What the ARNs of AWS's managed policies begin with.
pub(crate) const PREFIX: &str = "arn:aws:iam::aws:policy";

/// The policy with an ARN.
pub(crate) fn find(arn: &str) -> Option<&'static AwsManaged> {
    POLICIES.get(arn)
}

/// All of them, in the order of their ARNs.
pub(crate) fn all() -> impl Iterator<Item = &'static AwsManaged> {
    POLICIES.values()
}

static POLICIES: LazyLock<BTreeMap<Arc<str>, AwsManaged>> = LazyLock::new(|| {
    let policies = TABLE.iter().map(|&(name, path, id, version, created, updated, description, text)| {
        let document = Document::parse(text, Kind::Identity).expect("a test parses every document");
        let arn: Arc<str> = format!("{PREFIX}{path}{name}").into();
        let (created, updated) = (date(created), date(updated));
        let document = Arc::new(document);
        (Arc::clone(&arn), AwsManaged { name, path, id, version, arn, created, updated, description, text, document })
    });
    policies.collect()
});

fn date(text: &str) -> Timestamp {
    text.parse().expect("a test reads every date")
}

/// Name, path, id, version, when the policy was made, when its version was, description, document.
type Row =
    (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    ("AWSCloudTrail_FullAccess", "/", "ANPAZKAPJZG4CA4SIJQAM", "v3", "2020-10-08T23:41:15Z", "2021-02-22T19:01:00Z",
        "Provides full access to AWS CloudTrail.",
        include_str!("aws/AWSCloudTrail_FullAccess.json")),
    ("AWSCloudTrail_ReadOnlyAccess", "/", "ANPAZKAPJZG4OGLRVUGKM", "v1", "2022-06-14T17:19:05Z", "2022-06-14T17:19:05Z",
        "Provides read only access to AWS CloudTrail.",
        include_str!("aws/AWSCloudTrail_ReadOnlyAccess.json")),
    ("AWSKeyManagementServicePowerUser", "/", "ANPAJNPP7PPPPMJRV2SA4", "v2", "2015-02-06T18:40:40Z", "2017-03-07T00:55:11Z",
        "Provides access to AWS Key Management Service (KMS).",
        include_str!("aws/AWSKeyManagementServicePowerUser.json")),
    ("AdministratorAccess", "/", "ANPAIWMBCKSKIEE64ZLYK", "v1", "2015-02-06T18:39:46Z", "2015-02-06T18:39:46Z",
        "Provides full access to AWS services and resources.",
        include_str!("aws/AdministratorAccess.json")),
    ("AmazonS3FullAccess", "/", "ANPAIFIR6V6BVTRAHWINE", "v2", "2015-02-06T18:40:58Z", "2021-09-27T20:16:37Z",
        "Provides full access to all buckets via the AWS Management Console.",
        include_str!("aws/AmazonS3FullAccess.json")),
    ("AmazonS3ReadOnlyAccess", "/", "ANPAIZTJ4DXE7G6AGAE6M", "v3", "2015-02-06T18:40:59Z", "2023-08-10T21:31:39Z",
        "Provides read only access to all buckets via the AWS Management Console.",
        include_str!("aws/AmazonS3ReadOnlyAccess.json")),
    ("AmazonSSMFullAccess", "/", "ANPAJA7V6HI4ISQFMDYAG", "v4", "2015-05-29T17:39:47Z", "2019-11-20T20:08:56Z",
        "Provides full access to Amazon SSM.",
        include_str!("aws/AmazonSSMFullAccess.json")),
    ("AmazonSSMReadOnlyAccess", "/", "ANPAJODSKQGGJTHRYZ5FC", "v1", "2015-05-29T17:44:19Z", "2015-05-29T17:44:19Z",
        "Provides read only access to Amazon SSM.",
        include_str!("aws/AmazonSSMReadOnlyAccess.json")),
    ("IAMFullAccess", "/", "ANPAI7XKCFMBPM3QQRRVQ", "v2", "2015-02-06T18:40:38Z", "2019-06-21T19:40:00Z",
        "Provides full access to IAM via the AWS Management Console.",
        include_str!("aws/IAMFullAccess.json")),
    ("IAMReadOnlyAccess", "/", "ANPAJKSO7NDY4T57MWDSQ", "v4", "2015-02-06T18:40:39Z", "2018-01-25T19:11:27Z",
        "Provides read only access to IAM via the AWS Management Console.",
        include_str!("aws/IAMReadOnlyAccess.json")),
    ("PowerUserAccess", "/", "ANPAJYRXTHIB4FOVS3ZXS", "v12", "2015-02-06T18:39:47Z", "2026-02-12T17:59:14Z",
        "Provides full access to AWS services and resources, but does not allow management of Users and groups.",
        include_str!("aws/PowerUserAccess.json")),
    ("ReadOnlyAccess", "/", "ANPAILL3HVNFSB6DCOWYQ", "v178", "2015-02-06T18:39:48Z", "2026-02-12T18:01:33Z",
        "Provides read-only access to AWS services and resources.",
        include_str!("aws/ReadOnlyAccess.json")),
    ("SecurityAudit", "/", "ANPAIX2T3QCXHR2OGGCTO", "v85", "2015-02-06T18:41:01Z", "2026-03-02T17:12:11Z",
        "The security audit template grants access to read security configuration metadata. It is useful for software that audits the configuration of an AWS account.",
        include_str!("aws/SecurityAudit.json")),
    ("ViewOnlyAccess", "/job-function/", "ANPAID22R6XPJATWOFDK6", "v43", "2016-11-10T17:20:15Z", "2026-02-12T18:02:40Z",
        "This policy grants permissions to view resources and basic metadata across all AWS services.",
        include_str!("aws/ViewOnlyAccess.json")),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn every_policy_parses_and_has_a_name_and_an_id_of_its_own() {
        assert_eq!(all().count(), TABLE.len());
        let ids: std::collections::HashSet<_> = all().map(|policy| policy.id).collect();
        assert_eq!(ids.len(), TABLE.len());
        for policy in all() {
            assert!(policy.id.starts_with("ANPA") && policy.id.len() == 21, "{}", policy.name);
            assert!(policy.created <= policy.updated, "{}", policy.name);
        }
    }

    #[test]
    fn a_policy_is_found_by_its_arn_alone() {
        assert_eq!(find("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess").unwrap().name, "ViewOnlyAccess");
        assert!(find("arn:aws:iam::aws:policy/ViewOnlyAccess").is_none());
        assert!(find("AdministratorAccess").is_none());
    }
}
