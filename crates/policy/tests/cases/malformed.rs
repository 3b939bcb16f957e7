//! What is no policy, and what it is told. Source: "IAM: Grammar of the JSON policy language" and the pages of its elements.

use policy::{Document, Kind, MAX_DOCUMENT};

/// Statement members in place of a whole statement, and how the message begins.
type Case = (&'static str, Kind, &'static str, &'static str);

const SYNTAX: &str = "Syntax errors in policy.";
const PRINCIPAL: &str = "Policy contains a statement with one or more invalid principals.";

#[rustfmt::skip]
const STATEMENTS: &[Case] = &[
    ("no effect", Kind::Identity, r#""Action":"s3:*","Resource":"*""#, "Missing required field Effect"),
    ("effect in lower case", Kind::Identity, r#""Effect":"allow","Action":"s3:*","Resource":"*""#, SYNTAX),
    ("effect is a list", Kind::Identity, r#""Effect":["Allow"],"Action":"s3:*","Resource":"*""#, SYNTAX),
    ("no action", Kind::Identity, r#""Effect":"Allow","Resource":"*""#, "Policy statement must contain actions."),
    ("empty actions", Kind::Identity, r#""Effect":"Allow","Action":[],"Resource":"*""#, "Policy statement must contain actions."),
    ("action and NotAction", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*""#, SYNTAX),
    ("action without vendor", Kind::Identity, r#""Effect":"Allow","Action":"GetObject","Resource":"*""#, "Actions/Conditions must be prefaced by a vendor"),
    ("action with two colons", Kind::Identity, r#""Effect":"Allow","Action":"s3:a:b","Resource":"*""#, "Actions/Condition can contain only one colon."),
    ("wildcard vendor", Kind::Identity, r#""Effect":"Allow","Action":"s*:Get","Resource":"*""#, "Vendor s* is not valid"),
    ("action is a number", Kind::Identity, r#""Effect":"Allow","Action":5,"Resource":"*""#, SYNTAX),
    ("action with a space", Kind::Identity, r#""Effect":"Allow","Action":"s3:Get Object","Resource":"*""#, SYNTAX),
    ("action without name", Kind::Identity, r#""Effect":"Allow","Action":"s3:","Resource":"*""#, SYNTAX),
    ("no resource", Kind::Identity, r#""Effect":"Allow","Action":"s3:*""#, "Policy statement must contain resources."),
    ("empty resources", Kind::Bucket, r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":[]"#, "Policy statement must contain resources."),
    ("resource that is no ARN", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"bucket""#, "Resource bucket must be in ARN format or \"*\"."),
    ("resource and NotResource", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","NotResource":"*""#, SYNTAX),
    ("resource is an object", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":{}"#, SYNTAX),
    ("resource of a trust policy", Kind::Trust, r#""Effect":"Allow","Principal":"*","Action":"sts:AssumeRole","Resource":"*""#, "Has prohibited field Resource"),
    ("principal of an identity policy", Kind::Identity, r#""Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*""#, "Policy document should not specify a principal."),
    ("NotPrincipal of an identity policy", Kind::Identity, r#""Effect":"Deny","NotPrincipal":"*","Action":"s3:*","Resource":"*""#, "Policy document should not specify a principal."),
    ("no principal", Kind::Key, r#""Effect":"Allow","Action":"kms:*","Resource":"*""#, "Missing required field Principal"),
    ("both principals", Kind::Key, r#""Effect":"Deny","Principal":"*","NotPrincipal":"*","Action":"kms:*","Resource":"*""#, SYNTAX),
    ("NotPrincipal with Allow", Kind::Key, r#""Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"kms:*","Resource":"*""#, "NotPrincipal must be used with"),
    ("NotPrincipal in a trust policy", Kind::Trust, r#""Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole""#, "Has prohibited field NotPrincipal"),
    ("principal is an ARN", Kind::Key, r#""Effect":"Allow","Principal":"arn:aws:iam::111122223333:root","Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("principal is a list", Kind::Key, r#""Effect":"Allow","Principal":["*"],"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("principal of no kind", Kind::Key, r#""Effect":"Allow","Principal":{},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("principal of an unknown kind", Kind::Key, r#""Effect":"Allow","Principal":{"aws":"111122223333"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("no principals", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":[]},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("account id of eleven digits", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":"11112222333"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("account id as a number", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":111122223333},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("a group", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:group/g"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("a wildcard in an ARN", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/*"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("a variable in an ARN", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/${aws:username}"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("a user without name", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("a session without session", Kind::Key, r#""Effect":"Allow","Principal":{"AWS":"arn:aws:sts::111122223333:assumed-role/r"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("every service", Kind::Key, r#""Effect":"Allow","Principal":{"Service":"*"},"Action":"kms:*","Resource":"*""#, PRINCIPAL),
    ("a canonical user that is none", Kind::Bucket, r#""Effect":"Allow","Principal":{"CanonicalUser":"79a5"},"Action":"s3:*","Resource":"*""#, PRINCIPAL),
    ("an unknown element", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Conditions":{}"#, SYNTAX),
    ("an element in lower case", Kind::Identity, r#""effect":"Allow","Action":"s3:*","Resource":"*""#, SYNTAX),
    ("an element twice", Kind::Identity, r#""Effect":"Deny","Effect":"Allow","Action":"s3:*","Resource":"*""#, SYNTAX),
    ("a condition key twice", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"a:b":true,"a:b":false}}"#, SYNTAX),
    ("a Sid with a space in IAM", Kind::Identity, r#""Sid":"a b","Effect":"Allow","Action":"s3:*","Resource":"*""#, "Statement IDs (SID) must be alpha-numeric."),
    ("a Sid that is a number", Kind::Key, r#""Sid":1,"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*""#, SYNTAX),
    ("an unknown operator", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEqual":{"a:b":"c"}}"#, "Invalid Condition type : StringEqual"),
    ("an operator in lower case", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"stringequals":{"a:b":"c"}}"#, "Invalid Condition type"),
    ("an unknown quantifier", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForNoValue:StringEquals":{"a:b":"c"}}"#, "Invalid Condition type"),
    ("NullIfExists", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NullIfExists":{"a:b":"true"}}"#, "Invalid Condition type"),
    ("IfExists twice", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"BoolIfExistsIfExists":{"a:b":"true"}}"#, "Invalid Condition type"),
    ("a condition key without vendor", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"SecureTransport":"true"}}"#, "Actions/Conditions must be prefaced by a vendor"),
    ("a condition value that is an object", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a:b":{}}}"#, SYNTAX),
    ("a condition value that is null", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a:b":null}}"#, SYNTAX),
    ("conditions in a list", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":[]"#, SYNTAX),
    ("an operator's text", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":"a"}"#, SYNTAX),
    ("no number", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericEquals":{"a:b":"ten"}}"#, "Invalid value ten"),
    ("no date", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"DateEquals":{"a:b":"today"}}"#, "Invalid value today"),
    ("no boolean", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"a:b":"yes"}}"#, "Invalid value yes"),
    ("no boolean in Null", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Null":{"a:b":"maybe"}}"#, "Invalid value maybe"),
    ("no address", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"a:b":"10.0.0.0/33"}}"#, "Invalid value 10.0.0.0/33"),
    ("no base64", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"BinaryEquals":{"a:b":"*"}}"#, "Invalid value *"),
    ("a variable in a number", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericEquals":{"a:b":"${a:c}"}}"#, "Invalid value"),
    ("a variable that does not end", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username""#, "Invalid policy variable"),
    ("a variable without name", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${}""#, "Invalid policy variable"),
    ("a variable without vendor", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${username}""#, "Invalid policy variable"),
    ("a default without quotes", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username, x}""#, "Invalid policy variable"),
    ("a variable in a variable", Kind::Identity, r#""Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:${aws:username}}""#, "Invalid policy variable"),
];

#[test]
fn a_malformed_statement_is_refused_by_its_reason() {
    for (name, kind, members, message) in STATEMENTS {
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{{{members}}}]}}"#);
        let error = Document::parse(&document, *kind).expect_err(name).to_string();
        assert!(error.starts_with(message), "{name}: {error}");
    }
}

#[test]
fn a_malformed_document_is_refused() {
    let fine = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
    let good = |text: &str| assert!(Document::parse(text, Kind::Identity).is_ok(), "{text}");
    good(&format!(r#"{{"Version":"2012-10-17","Id":"x","Statement":[{fine},{fine}]}}"#));
    good(&format!(r#"  {{"Version":"2008-10-17","Statement":{fine}}}  "#));
    for document in [
        "",
        "null",
        "[]",
        "not a real policy statement",
        "{}",
        r#"{"Version":"2012-10-17"}"#,
        r#"{"Version":"2012-10-17","Statement":[]}"#,
        r#"{"Version":"2012-10-17","Statement":"*"}"#,
        r#"{"Version":"2012-10-17","Statement":[[]]}"#,
        &format!(r#"{{"Version":"2012-10-18","Statement":{fine}}}"#),
        &format!(r#"{{"Version":20121017,"Statement":{fine}}}"#),
        &format!(r#"{{"Version":null,"Statement":{fine}}}"#),
        &format!(r#"{{"version":"2012-10-17","Statement":{fine}}}"#),
        &format!(r#"{{"Id":1,"Statement":{fine}}}"#),
        &format!(r#"{{"Statement":{fine},"Statement":{fine}}}"#),
        &format!(r#"{{"Statement":{fine},"Comment":""}}"#),
        &format!(r#"{{"Statement":{fine}}} x"#),
        &format!(r#"{{"Statement":{fine},}}"#),
        r#"{"Statement":[{"Sid":"A","Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"A","Effect":"Deny","Action":"*","Resource":"*"}]}"#,
        &format!("{}{}", "[".repeat(100_000), "]".repeat(1_000)),
        &" ".repeat(MAX_DOCUMENT + 1),
    ] {
        assert!(Document::parse(document, Kind::Identity).is_err(), "{document:.80}");
    }
}

#[test]
fn a_key_policy_may_have_sids_with_spaces() {
    let document = r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions",
        "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
    let parsed = Document::parse(document, Kind::Key).unwrap();
    assert_eq!(
        (parsed.id(), parsed.statements()[0].sid()),
        (Some("key-default-1"), Some("Enable IAM User Permissions"))
    );
}
