//! Which operation a request asks for: method, path and query, looked up in [`OPERATIONS`].
//!
//! A sub-resource that the table does not have for this method and path never falls through to the plain operation: `PUT
//! /bucket?policy` must not create a bucket, nor `PUT /bucket/key?tagging` overwrite an object.

use super::operation::{OPERATIONS, Operation, Row, Scope, State};
use crate::query::Query;
use http::HeaderMap;

/// Why a request reaches no operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misroute {
    /// 405: the sub-resource exists, not with this method or on this kind of resource.
    MethodNotAllowed,
    /// 400: two sub-resources at once.
    Conflicting(Vec<String>),
    /// 400: a `list-type` other than 2.
    ListType(String),
    /// 501: an operation of the model that does not exist here.
    NotBuilt(Operation),
    /// 501: a sub-resource that no known operation has.
    UnknownSubresource(String),
}

/// What a route is chosen by.
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) scope: Scope,
    pub(crate) query: &'a Query,
    pub(crate) headers: &'a HeaderMap,
}

/// Finds the operation among those that exist here.
pub(crate) fn resolve(target: &Target<'_>) -> Result<Operation, Misroute> {
    let row = lookup(target)?;
    match row.state {
        State::Built => Ok(row.operation),
        State::Absent => Err(Misroute::NotBuilt(row.operation)),
    }
}

/// Finds the operation, built or not.
fn lookup(target: &Target<'_>) -> Result<&'static Row, Misroute> {
    if let Some((unknown, _)) = target.query.iter().find(|(name, value)| value.is_empty() && !is_known(name)) {
        return Err(Misroute::UnknownSubresource(unknown.to_owned()));
    }
    let markers = markers(target);
    let row = OPERATIONS.iter().find(|row| {
        row.method == target.method
            && row.scope == target.scope
            && row.needs.iter().all(|need| is_met(need, target))
            && markers.iter().all(|marker| row.needs.iter().any(|need| bare(need) == *marker))
    });
    match (row, markers.as_slice()) {
        (Some(row), _) => Ok(row),
        (None, ["list-type"]) if target.scope == Scope::Bucket => {
            Err(Misroute::ListType(target.query.value("list-type").unwrap_or_default().to_owned()))
        }
        (None, [] | [_]) => Err(Misroute::MethodNotAllowed),
        (None, several) => Err(Misroute::Conflicting(several.iter().map(|&marker| marker.to_owned()).collect())),
    }
}

/// What a path (and the bucket of a virtual host) names, percent-decoded.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
}

impl Names {
    /// Splits a raw path. `None`: not UTF-8.
    pub(crate) fn parse(path: &str, host: Option<&str>) -> Option<Names> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (bucket, key) = match host {
            Some(bucket) => (bucket.to_owned(), rest),
            None => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                (decode(bucket)?, key)
            }
        };
        let present = |text: String| Some(text).filter(|text| !text.is_empty());
        Some(Names { bucket: present(bucket), key: present(decode(key)?) })
    }

    /// The kind of resource; an empty bucket before a key is none.
    pub(crate) fn scope(&self) -> Option<Scope> {
        match (&self.bucket, &self.key) {
            (None, None) => Some(Scope::Service),
            (Some(_), None) => Some(Scope::Bucket),
            (Some(_), Some(_)) => Some(Scope::Object),
            (None, Some(_)) => None,
        }
    }
}

/// `+` stays: in a path it is a plus.
fn decode(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

fn markers<'a>(target: &Target<'a>) -> Vec<&'a str> {
    let chooses = |name: &str| MARKERS.contains(&name) || (name == "partNumber" && target.method == "PUT");
    let mut found: Vec<&str> = target.query.iter().map(|(name, _)| name).filter(|name| chooses(name)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn is_met(need: &str, target: &Target<'_>) -> bool {
    if let Some(header) = need.strip_prefix('@') {
        return target.headers.contains_key(header);
    }
    match need.split_once('=') {
        Some((name, value)) => target.query.value(name) == Some(value),
        None => target.query.has(need),
    }
}

fn bare(need: &str) -> &str {
    need.split_once('=').map_or(need, |(name, _)| name)
}

fn is_known(name: &str) -> bool {
    MARKERS.contains(&name)
        || PARAMETERS.contains(&name)
        || name.is_empty()
        || name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
}

/// Query parameters that choose an operation.
#[rustfmt::skip]
const MARKERS: &[&str] = &[
    "abac", "accelerate", "acl", "analytics", "annotation", "attributes", "cors", "delete", "encryption", "intelligent-tiering",
    "inventory", "legal-hold", "lifecycle", "list-type", "location", "logging", "metadataAnnotationTable", "metadataConfiguration",
    "metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls",
    "policy", "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention", "select",
    "session", "tagging", "torrent", "uploadId", "uploads", "versioning", "versions", "website",
];

/// Query parameters that an operation reads. With an empty value they choose nothing.
#[rustfmt::skip]
const PARAMETERS: &[&str] = &[
    "annotation-prefix", "annotationName", "bucket-region", "continuation-token", "delimiter", "encoding-type", "fetch-owner", "id",
    "key-marker", "marker", "max-annotation-results", "max-buckets", "max-directory-buckets", "max-keys", "max-parts", "max-uploads",
    "part-number-marker", "partNumber", "prefix", "response-cache-control", "response-content-disposition",
    "response-content-encoding", "response-content-language", "response-content-type", "response-expires", "select-type",
    "start-after", "upload-id-marker", "version-id-marker", "versionId", "x-id",
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    /// `model.txt`: name, method, URI template, query parameters (`!` required), `x-amz-*` headers.
    const MODEL: &str = include_str!("model.txt");
    /// Deprecated operations and the ones that took their route over.
    const TWINS: [(&str, &str); 4] = [
        ("GetBucketLifecycle", "GetBucketLifecycleConfiguration"),
        ("PutBucketLifecycle", "PutBucketLifecycleConfiguration"),
        ("GetBucketNotification", "GetBucketNotificationConfiguration"),
        ("PutBucketNotification", "PutBucketNotificationConfiguration"),
    ];

    fn find(
        method: &str,
        scope: Scope,
        query: &[(&str, &str)],
        headers: &[&'static str],
    ) -> Result<Operation, Misroute> {
        let raw: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let query = Query::parse(&raw.join("&")).unwrap();
        let value = http::HeaderValue::from_static("x");
        let headers = headers.iter().map(|name| (http::HeaderName::from_static(name), value.clone())).collect();
        lookup(&Target { method, scope, query: &query, headers: &headers }).map(|row| row.operation)
    }

    type Pairs = Vec<(&'static str, &'static str)>;

    /// Name, method, scope, query and headers of each operation.
    fn model() -> impl Iterator<Item = (&'static str, &'static str, Scope, Pairs, Vec<&'static str>)> {
        MODEL.lines().map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().unwrap();
            let (name, method, uri, query) = (word(), word(), word(), word());
            let (path, selector) = uri.split_once('?').unwrap_or((uri, ""));
            let scope = match path {
                "/" => Scope::Service,
                "/{Bucket}/{Key+}" => Scope::Object,
                _ => Scope::Bucket,
            };
            let pair = |text: &'static str| text.split_once('=').unwrap_or((text, ""));
            let mut pairs: Vec<_> = selector.split('&').filter(|text| !text.is_empty()).map(pair).collect();
            pairs.extend(query.split(',').filter_map(|text| text.strip_suffix('!')).map(|name| (name, "1")));
            // What the model cannot say: these share their route and differ in a header, or in the SDKs' x-id.
            let headers = match name {
                "CopyObject" | "UploadPartCopy" => vec!["x-amz-copy-source"],
                "WriteGetObjectResponse" => vec!["x-amz-request-route", "x-amz-request-token"],
                _ => vec![],
            };
            if name == "ListDirectoryBuckets" {
                pairs.push(("x-id", name));
            }
            (name, method, scope, pairs, headers)
        })
    }

    #[test]
    fn every_operation_of_the_model_resolves_to_itself() {
        let mut seen = 0;
        for (name, method, scope, query, headers) in model() {
            let expected = TWINS.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new);
            assert_eq!(find(method, scope, &query, &headers).unwrap().name(), expected, "{name}");
            seen += 1;
        }
        assert_eq!(seen, 116);
        assert_eq!(OPERATIONS.len(), 116 - TWINS.len() + 1);
    }

    #[test]
    fn every_parameter_of_the_model_is_known() {
        for line in MODEL.lines() {
            let query = line.split(' ').nth(3).unwrap();
            for name in query.split(',').map(|name| name.trim_end_matches('!')).filter(|name| *name != "-") {
                assert!(is_known(name), "{name}");
            }
        }
        for need in OPERATIONS.iter().flat_map(|row| row.needs) {
            assert!(need.starts_with('@') || is_known(bare(need)), "{need}");
        }
    }

    #[test]
    fn no_subresource_falls_through_to_a_plain_operation() {
        let plain = ["ListBuckets", "ListObjects", "HeadBucket", "CreateBucket", "DeleteBucket", "PostObject"];
        let plain_object = ["GetObject", "HeadObject", "PutObject", "CopyObject", "DeleteObject"];
        for marker in MARKERS {
            for scope in [Scope::Service, Scope::Bucket, Scope::Object] {
                for method in ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"] {
                    for headers in [&[][..], &["x-amz-copy-source"]] {
                        if let Ok(operation) = find(method, scope, &[(marker, "")], headers) {
                            assert!(
                                !plain.contains(&operation.name()) && !plain_object.contains(&operation.name()),
                                "{method} {marker}"
                            );
                        }
                    }
                }
            }
        }
        let unknown = Err(Misroute::UnknownSubresource("frobnicate".into()));
        assert_eq!(find("PUT", Scope::Object, &[("frobnicate", "")], &[]), unknown);
        assert_eq!(find("PUT", Scope::Object, &[("partNumber", "1")], &[]), Err(Misroute::MethodNotAllowed));
        assert_eq!(
            find("PUT", Scope::Object, &[("uploadId", "x")], &["x-amz-copy-source"]),
            Err(Misroute::MethodNotAllowed)
        );
    }

    #[test]
    fn what_is_not_a_subresource_changes_nothing() {
        let get =
            [("partNumber", "3"), ("versionId", ""), ("X-Amz-Signature", ""), ("x-id", "GetObject"), ("cache", "1")];
        assert_eq!(find("GET", Scope::Object, &get, &[]), Ok(Operation::GetObject));
        assert_eq!(find("GET", Scope::Bucket, &[("prefix", ""), ("delimiter", "/")], &[]), Ok(Operation::ListObjects));
        assert_eq!(find("GET", Scope::Service, &[("x-id", "ListBuckets")], &[]), Ok(Operation::ListBuckets));
    }

    #[test]
    fn two_subresources_conflict() {
        let both = find("GET", Scope::Bucket, &[("policy", ""), ("acl", "")], &[]);
        assert_eq!(both, Err(Misroute::Conflicting(vec!["acl".into(), "policy".into()])));
        assert_eq!(find("GET", Scope::Bucket, &[("list-type", "3")], &[]), Err(Misroute::ListType("3".into())));
    }

    #[test]
    fn paths_split_into_bucket_and_key() {
        let split = |path, host| Names::parse(path, host).map(|names| (names.bucket, names.key));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(split("/", None), Some((None, None)));
        assert_eq!(split("/b", None), Some((some("b"), None)));
        assert_eq!(split("/b/", None), Some((some("b"), None)));
        assert_eq!(split("/b//a/../%2F+%C3%A4", None), Some((some("b"), some("/a/..//+ä"))));
        assert_eq!(split("/", Some("v")), Some((some("v"), None)));
        assert_eq!(split("/k/l", Some("v")), Some((some("v"), some("k/l"))));
        assert_eq!(split("/b/%ff", None), None);
        assert_eq!(Names::parse("//k", None).unwrap().scope(), None);
    }
}
