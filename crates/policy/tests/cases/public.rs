//! What S3 means by "public".
//!
//! Source: "S3: Blocking public access to your Amazon S3 storage", "The meaning of 'public'".

use policy::Kind;

use crate::common::document;

/// Name, the statement's principal, its conditions, whether it is public.
type Case = (&'static str, &'static str, &'static str, bool);

#[rustfmt::skip]
const CASES: &[Case] = &[
    ("everyone", r#""*""#, "{}", true),
    ("everyone, as an AWS principal", r#"{"AWS":"*"}"#, "{}", true),
    ("everyone among others", r#"{"AWS":["111122223333","*"]}"#, "{}", true),
    ("an identity provider for everybody", r#"{"Federated":"graph.facebook.com"}"#, "{}", true),
    ("an account", r#"{"AWS":"111122223333"}"#, "{}", false),
    ("a user", r#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, "{}", false),
    ("a role", r#"{"AWS":"arn:aws:iam::111122223333:role/r"}"#, "{}", false),
    ("a service", r#"{"Service":"cloudtrail.amazonaws.com"}"#, "{}", false),
    ("a VPC by a wildcard", r#""*""#, r#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true),
    ("a VPC", r#""*""#, r#"{"StringEquals":{"aws:SourceVpc":"vpc-91237329"}}"#, false),
    ("a VPC, StringLike without wildcard", r#""*""#, r#"{"StringLike":{"aws:SourceVpc":"vpc-91237329"}}"#, false),
    ("an endpoint", r#""*""#, r#"{"StringEquals":{"aws:SourceVpce":["vpce-1","vpce-2"]}}"#, false),
    ("an endpoint, one of them by a wildcard", r#""*""#, r#"{"StringLike":{"aws:SourceVpce":["vpce-1","vpce-*"]}}"#, true),
    ("an endpoint by a variable", r#""*""#, r#"{"StringEquals":{"aws:SourceVpce":"${aws:username}"}}"#, true),
    ("an endpoint if there is one", r#""*""#, r#"{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#, true),
    ("any but an endpoint", r#""*""#, r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
    ("all of no endpoints", r#""*""#, r#"{"ForAllValues:StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
    ("any of the endpoints", r#""*""#, r#"{"ForAnyValue:StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
    ("no endpoint", r#""*""#, r#"{"Null":{"aws:SourceVpce":"true"}}"#, true),
    ("an address", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"203.0.113.9/32"}}"#, false),
    ("a range of /8", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"11.0.0.0/8"}}"#, false),
    ("a range broader than /8", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/7"}}"#, true),
    ("half of all addresses", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}"#, true),
    ("all addresses but some", r#""*""#, r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, true),
    ("a private range", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","172.16.0.0/12","192.168.0.0/16"]}}"#, false),
    ("a range of IPv6, /32", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}"#, false),
    ("a range of IPv6 broader than /32", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"2001:d00::/24"}}"#, true),
    ("a narrow range and a broad one", r#""*""#, r#"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","0.0.0.0/0"]}}"#, true),
    ("addresses by a key that is not the caller's", r#""*""#, r#"{"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}}"#, true),
    ("an account by condition", r#""*""#, r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#, false),
    ("an organization", r#""*""#, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-1234567890"}}"#, false),
    ("a role by condition", r#""*""#, r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/r"}}"#, false),
    ("roles by a wildcard", r#""*""#, r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#, true),
    ("any ARN", r#""*""#, r#"{"ArnLike":{"aws:SourceArn":"*"}}"#, true),
    ("a source by its ARN", r#""*""#, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:topic"}}"#, false),
    ("a source by its account", r#""*""#, r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, false),
    ("a source by its owner", r#""*""#, r#"{"StringEquals":{"aws:SourceOwner":"111122223333"}}"#, false),
    ("a key of encryption", r#""*""#, r#"{"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:eu-west-1:111122223333:key/1"}}"#, false),
    ("a user id", r#""*""#, r#"{"StringEquals":{"aws:userid":"AIDAALICEALICEALICE1"}}"#, false),
    ("all sessions of a role by its id", r#""*""#, r#"{"StringLike":{"aws:userid":"AROAADMINADMINADMIN1:*"}}"#, false),
    ("user ids by another wildcard", r#""*""#, r#"{"StringLike":{"aws:userid":"AIDA*"}}"#, true),
    ("roles' ids by a wildcard", r#""*""#, r#"{"StringLike":{"aws:userid":"AROA*:*"}}"#, true),
    ("access points of an account", r#""*""#, r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}}"#, false),
    ("access points of an account, as text", r#""*""#, r#"{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:111122223333:accesspoint/*"}}"#, false),
    ("access points of any account", r#""*""#, r#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:*:accesspoint/*"}}"#, true),
    ("access points of any account, as text", r#""*""#, r#"{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-west-2:1111*:accesspoint/*"}}"#, true),
    ("an account of access points", r#""*""#, r#"{"StringEquals":{"s3:DataAccessPointAccount":"111122223333"}}"#, false),
    ("the referer", r#""*""#, r#"{"StringLike":{"aws:Referer":"https://www.example.com/*"}}"#, true),
    ("the user agent", r#""*""#, r#"{"StringEquals":{"aws:UserAgent":"me"}}"#, true),
    ("TLS", r#""*""#, r#"{"Bool":{"aws:SecureTransport":"true"}}"#, true),
    ("two conditions, one of them pins", r#""*""#, r#"{"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
];

#[test]
fn a_bucket_policy_is_public_as_s3_means_it() {
    for (name, principal, conditions, public) in CASES {
        let statement = |effect: &str| {
            format!(
                r#"{{"Effect":"{effect}","Principal":{principal},"Action":"s3:PutObject","Resource":"*","Condition":{conditions}}}"#
            )
        };
        assert_eq!(document(&statement("Allow"), Kind::Bucket).is_public(), *public, "{name}");
        assert!(!document(&statement("Deny"), Kind::Bucket).is_public(), "a Deny is never public: {name}");
    }
}

/// "Statement 3 renders the entire policy public."
#[test]
fn one_public_statement_makes_the_policy_public() {
    let allow = |principal| format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"s3:*","Resource":"*"}}"#);
    let fixed = [allow(r#"{"Service":"cloudtrail.amazonaws.com"}"#), allow(r#"{"AWS":"444455556666"}"#)];
    assert!(!document(&format!("[{}]", fixed.join(",")), Kind::Bucket).is_public());
    assert!(document(&format!("[{},{}]", fixed.join(","), allow(r#""*""#)), Kind::Bucket).is_public());
    // A Deny beside it takes nothing back.
    let denied = r#"{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}"#;
    assert!(document(&format!("[{},{denied}]", allow(r#""*""#)), Kind::Bucket).is_public());
}
