//! The actions of S3 that a bucket policy may name, what each is about, and the condition keys that only some of them know.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3"
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>).

/// What an action is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// `arn:aws:s3:::bucket`
    Bucket,
    /// `arn:aws:s3:::bucket/key`
    Object,
    /// Neither: an account, an access point, a job. No statement of a bucket policy is about it.
    Else,
}

/// Every action, in lower case without `s3:`.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, About)> {
    let of = |names: &'static [&'static str], about| names.iter().map(move |name| (*name, about));
    of(BUCKET, About::Bucket).chain(of(OBJECT, About::Object)).chain(of(ELSE, About::Else))
}

/// Whether an action (`getobject`) knows a condition key (`s3:prefix`), both in lower case. `None`: the key is none of S3's.
pub fn knows(action: &str, key: &str) -> Option<bool> {
    let bare = key.strip_prefix("s3:")?;
    if COMMON.contains(&bare) {
        return Some(true);
    }
    let tagged = |family: &str| bare.strip_prefix(family).is_some_and(|tag| !tag.is_empty());
    if tagged("existingobjecttag/") {
        return Some(EXISTING_TAGS.contains(&action));
    }
    if tagged("requestobjecttag/") {
        return Some(REQUEST_TAGS.contains(&action));
    }
    if tagged("buckettag/") {
        return Some(true);
    }
    SPECIAL.iter().find(|(name, _)| *name == bare).map(|(_, actions)| actions.contains(&action))
}

#[rustfmt::skip]
const BUCKET: &[&str] = &[
    "createbucket", "createbucketmetadatatableconfiguration", "deletebucket", "deletebucketmetadatatableconfiguration",
    "deletebucketpolicy", "deletebucketwebsite", "getaccelerateconfiguration", "getanalyticsconfiguration", "getbucketabac",
    "getbucketacl", "getbucketcors", "getbucketlocation", "getbucketlogging", "getbucketmetadatatableconfiguration",
    "getbucketnotification", "getbucketobjectlockconfiguration", "getbucketownershipcontrols", "getbucketpolicy",
    "getbucketpolicystatus", "getbucketpublicaccessblock", "getbucketrequestpayment", "getbuckettagging", "getbucketversioning",
    "getbucketwebsite", "getencryptionconfiguration", "getintelligenttieringconfiguration", "getinventoryconfiguration",
    "getlifecycleconfiguration", "getmetricsconfiguration", "getreplicationconfiguration", "listbucket",
    "listbucketmultipartuploads", "listbucketversions", "listtagsforresource", "putaccelerateconfiguration",
    "putanalyticsconfiguration", "putbucketabac", "putbucketacl", "putbucketcors", "putbucketlogging", "putbucketnotification",
    "putbucketobjectlockconfiguration", "putbucketownershipcontrols", "putbucketpolicy", "putbucketpublicaccessblock",
    "putbucketrequestpayment", "putbuckettagging", "putbucketversioning", "putbucketwebsite", "putencryptionconfiguration",
    "putintelligenttieringconfiguration", "putinventoryconfiguration", "putlifecycleconfiguration", "putmetricsconfiguration",
    "putreplicationconfiguration", "tagresource", "untagresource", "updatebucketmetadatainventorytableconfiguration",
    "updatebucketmetadatajournaltableconfiguration",
];

#[rustfmt::skip]
const OBJECT: &[&str] = &[
    "abortmultipartupload", "bypassgovernanceretention", "deleteobject", "deleteobjectannotation", "deleteobjecttagging",
    "deleteobjectversion", "deleteobjectversiontagging", "getobject", "getobjectacl", "getobjectannotation", "getobjectattributes",
    "getobjectlegalhold", "getobjectretention", "getobjecttagging", "getobjecttorrent", "getobjectversion", "getobjectversionacl",
    "getobjectversionattributes", "getobjectversionforreplication", "getobjectversiontagging", "getobjectversiontorrent",
    "initiatereplication", "listmultipartuploadparts", "listobjectannotations", "objectowneroverridetobucketowner", "putobject",
    "putobjectacl", "putobjectannotation", "putobjectlegalhold", "putobjectretention", "putobjecttagging", "putobjectversionacl",
    "putobjectversiontagging", "replicatedelete", "replicateobject", "replicatetags", "restoreobject", "updateobjectencryption",
];

#[rustfmt::skip]
const ELSE: &[&str] = &[
    "associateaccessgrantsidentitycenter", "createaccessgrant", "createaccessgrantsinstance", "createaccessgrantslocation",
    "createaccesspoint", "createaccesspointforobjectlambda", "createjob", "createmultiregionaccesspoint",
    "createstoragelensgroup", "deleteaccessgrant", "deleteaccessgrantsinstance", "deleteaccessgrantsinstanceresourcepolicy",
    "deleteaccessgrantslocation", "deleteaccesspoint", "deleteaccesspointforobjectlambda", "deleteaccesspointpolicy",
    "deleteaccesspointpolicyforobjectlambda", "deletejobtagging", "deletemultiregionaccesspoint",
    "deletestoragelensconfiguration", "deletestoragelensconfigurationtagging", "deletestoragelensgroup", "describejob",
    "describemultiregionaccesspointoperation", "dissociateaccessgrantsidentitycenter", "getaccessgrant",
    "getaccessgrantsinstance", "getaccessgrantsinstanceforprefix", "getaccessgrantsinstanceresourcepolicy",
    "getaccessgrantslocation", "getaccesspoint", "getaccesspointconfigurationforobjectlambda", "getaccesspointforobjectlambda",
    "getaccesspointpolicy", "getaccesspointpolicyforobjectlambda", "getaccesspointpolicystatus",
    "getaccesspointpolicystatusforobjectlambda", "getaccountpublicaccessblock", "getdataaccess", "getjobtagging",
    "getmultiregionaccesspoint", "getmultiregionaccesspointpolicy", "getmultiregionaccesspointpolicystatus",
    "getmultiregionaccesspointroutes", "getstoragelensconfiguration", "getstoragelensconfigurationtagging",
    "getstoragelensdashboard", "getstoragelensgroup", "listaccessgrants", "listaccessgrantsinstances",
    "listaccessgrantslocations", "listaccesspoints", "listaccesspointsforobjectlambda", "listallmybuckets",
    "listcalleraccessgrants", "listjobs", "listmultiregionaccesspoints", "liststoragelensconfigurations",
    "liststoragelensgroups", "pausereplication", "putaccessgrantsinstanceresourcepolicy",
    "putaccesspointconfigurationforobjectlambda", "putaccesspointpolicy", "putaccesspointpolicyforobjectlambda",
    "putaccesspointpublicaccessblock", "putaccountpublicaccessblock", "putjobtagging", "putmultiregionaccesspointpolicy",
    "putstoragelensconfiguration", "putstoragelensconfigurationtagging", "submitmultiregionaccesspointroutes",
    "updateaccessgrantslocation", "updatejobpriority", "updatejobstatus", "updatestoragelensgroup",
];

/// Keys of every request.
#[rustfmt::skip]
const COMMON: &[&str] = &[
    "accessgrantsinstancearn", "accesspointnetworkorigin", "authtype", "dataaccesspointaccount", "dataaccesspointarn",
    "resourceaccount", "signatureage", "signatureversion", "tlsversion", "x-amz-content-sha256",
];

#[rustfmt::skip]
const EXISTING_TAGS: &[&str] = &[
    "deleteobjecttagging", "deleteobjectversiontagging", "getobject", "getobjectacl", "getobjectattributes", "getobjecttagging",
    "getobjectversion", "getobjectversionacl", "getobjectversionattributes", "getobjectversiontagging", "putobjectacl",
    "putobjecttagging", "putobjectversionacl", "putobjectversiontagging", "restoreobject",
];
const REQUEST_TAGS: &[&str] = &["putobject", "putobjecttagging", "putobjectversiontagging", "replicatetags"];

const LISTING: &[&str] = &["listbucket", "listbucketversions"];
const PUT: &[&str] = &["putobject"];
#[rustfmt::skip]
const ACL: &[&str] = &[
    "createbucket", "putbucketacl", "putobject", "putobjectacl", "putobjectversionacl",
];
#[rustfmt::skip]
const VERSIONED: &[&str] = &[
    "deleteobjectversion", "deleteobjectversiontagging", "getobjectversion", "getobjectversionacl", "getobjectversionattributes",
    "getobjectversionforreplication", "getobjectversiontagging", "getobjectversiontorrent", "putobjectlegalhold",
    "putobjectretention", "putobjectversionacl", "putobjectversiontagging",
];

/// Keys of some actions alone.
const SPECIAL: &[(&str, &[&str])] = &[
    ("prefix", LISTING),
    ("delimiter", LISTING),
    ("max-keys", LISTING),
    ("versionid", VERSIONED),
    ("locationconstraint", &["createbucket"]),
    ("requestobjecttagkeys", REQUEST_TAGS),
    ("if-match", &["putobject", "deleteobject"]),
    ("if-none-match", PUT),
    ("objectcreationoperation", PUT),
    ("x-amz-acl", ACL),
    ("x-amz-grant-full-control", ACL),
    ("x-amz-grant-read", ACL),
    ("x-amz-grant-read-acp", ACL),
    ("x-amz-grant-write", ACL),
    ("x-amz-grant-write-acp", ACL),
    ("x-amz-object-ownership", &["createbucket", "putbucketownershipcontrols"]),
    ("x-amz-copy-source", PUT),
    ("x-amz-metadata-directive", PUT),
    ("x-amz-server-side-encryption", PUT),
    ("x-amz-server-side-encryption-aws-kms-key-id", PUT),
    ("x-amz-server-side-encryption-customer-algorithm", PUT),
    ("x-amz-storage-class", PUT),
    ("x-amz-website-redirect-location", PUT),
    ("inventoryaccessibleoptionalfields", &["putinventoryconfiguration"]),
    ("object-lock-legal-hold", &["putobject", "putobjectlegalhold"]),
    ("object-lock-mode", &["putobject", "putobjectretention"]),
    ("object-lock-retain-until-date", &["putobject", "putobjectretention"]),
    ("object-lock-remaining-retention-days", &["putobject", "putobjectretention", "putbucketobjectlockconfiguration"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_once_and_in_lower_case() {
        let mut names: Vec<_> = all().map(|(name, _)| name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase())));
        let lists = SPECIAL.iter().flat_map(|(_, actions)| *actions).chain(EXISTING_TAGS).chain(REQUEST_TAGS);
        for name in lists {
            assert!(names.contains(name), "{name}");
        }
    }
}
