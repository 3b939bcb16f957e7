//! Every operator, quantifier and `IfExists`, variables among them: named cases with the answers of AWS's documentation.

use policy::{ContextMap, Document, Kind};

use crate::common::{context, says, who};

/// Name, Condition element, condition keys of the request, whether it holds in an Allow.
type Case = (&'static str, &'static str, &'static str, bool);

#[rustfmt::skip]
const CASES: &[(&str, &[Case])] = &[
    ("IAM: Condition operators", &[
        // Strings.
        ("StringEquals", r#"{"StringEquals":{"aws:username":"alice"}}"#, r#"{"aws:username":"alice"}"#, true),
        ("StringEquals minds case", r#"{"StringEquals":{"aws:username":"Alice"}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringEquals: a star is a star", r#"{"StringEquals":{"aws:username":"al*"}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringEquals: a star equals a star", r#"{"StringEquals":{"aws:username":"al*"}}"#, r#"{"aws:username":"al*"}"#, true),
        ("StringEquals: several values are alternatives", r#"{"StringEquals":{"aws:username":["bob","alice"]}}"#, r#"{"aws:username":"alice"}"#, true),
        ("StringEquals: no value matches nothing", r#"{"StringEquals":{"aws:username":[]}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringEquals: the key's name has no case", r#"{"StringEquals":{"AWS:UserName":"alice"}}"#, r#"{"aws:username":"alice"}"#, true),
        ("StringEquals: absent key", r#"{"StringEquals":{"aws:username":"alice"}}"#, "{}", false),
        ("StringEquals: empty value", r#"{"StringEquals":{"aws:username":""}}"#, r#"{"aws:username":""}"#, true),
        ("StringEquals: a number in the document", r#"{"StringEquals":{"aws:username":5}}"#, r#"{"aws:username":"5"}"#, true),
        ("StringEquals: a boolean in the document", r#"{"StringEquals":{"aws:username":true}}"#, r#"{"aws:username":"true"}"#, true),
        ("StringNotEquals", r#"{"StringNotEquals":{"aws:username":"bob"}}"#, r#"{"aws:username":"alice"}"#, true),
        ("StringNotEquals: same", r#"{"StringNotEquals":{"aws:username":"alice"}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringNotEquals: one of several is the same", r#"{"StringNotEquals":{"aws:username":["bob","alice"]}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringNotEquals: absent key", r#"{"StringNotEquals":{"aws:username":"alice"}}"#, "{}", true),
        ("StringNotEquals: no value", r#"{"StringNotEquals":{"aws:username":[]}}"#, r#"{"aws:username":"alice"}"#, true),
        ("StringEqualsIgnoreCase", r#"{"StringEqualsIgnoreCase":{"aws:username":"ALICE"}}"#, r#"{"aws:username":"alice"}"#, true),
        ("StringEqualsIgnoreCase: other letters", r#"{"StringEqualsIgnoreCase":{"aws:username":"ALICES"}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringNotEqualsIgnoreCase", r#"{"StringNotEqualsIgnoreCase":{"aws:username":"ALICE"}}"#, r#"{"aws:username":"alice"}"#, false),
        ("StringNotEqualsIgnoreCase: absent", r#"{"StringNotEqualsIgnoreCase":{"aws:username":"ALICE"}}"#, "{}", true),
        ("StringLike with star", r#"{"StringLike":{"s3:prefix":"home/*"}}"#, r#"{"s3:prefix":"home/a/b"}"#, true),
        ("StringLike with question mark", r#"{"StringLike":{"s3:prefix":"home/?"}}"#, r#"{"s3:prefix":"home/ab"}"#, false),
        ("StringLike: star takes nothing too", r#"{"StringLike":{"s3:prefix":"home/*"}}"#, r#"{"s3:prefix":"home/"}"#, true),
        ("StringLike minds case", r#"{"StringLike":{"s3:prefix":"Home/*"}}"#, r#"{"s3:prefix":"home/a"}"#, false),
        ("StringLike: empty prefix", r#"{"StringLike":{"s3:prefix":["","home/*"]}}"#, r#"{"s3:prefix":""}"#, true),
        ("StringLike star: absent key", r#"{"StringLike":{"s3:prefix":"*"}}"#, "{}", false),
        ("StringNotLike", r#"{"StringNotLike":{"s3:prefix":"home/*"}}"#, r#"{"s3:prefix":"tmp/a"}"#, true),
        ("StringNotLike: like", r#"{"StringNotLike":{"s3:prefix":"home/*"}}"#, r#"{"s3:prefix":"home/a"}"#, false),
        ("StringNotLike: absent", r#"{"StringNotLike":{"s3:prefix":"home/*"}}"#, "{}", true),
        // Numbers.
        ("NumericEquals", r#"{"NumericEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"10"}"#, true),
        ("NumericEquals by value", r#"{"NumericEquals":{"s3:max-keys":"10.0"}}"#, r#"{"s3:max-keys":"010"}"#, true),
        ("NumericEquals: a number in the document", r#"{"NumericEquals":{"s3:max-keys":10}}"#, r#"{"s3:max-keys":"10"}"#, true),
        ("NumericEquals: no number in the request", r#"{"NumericEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"ten"}"#, false),
        ("NumericNotEquals", r#"{"NumericNotEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"11"}"#, true),
        ("NumericNotEquals: no number in the request never allows", r#"{"NumericNotEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"ten"}"#, false),
        ("NumericLessThan", r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"9"}"#, true),
        ("NumericLessThan is no comparison of text", r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"100"}"#, false),
        ("NumericLessThan: equal", r#"{"NumericLessThan":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"10"}"#, false),
        ("NumericLessThanEquals: equal", r#"{"NumericLessThanEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"10"}"#, true),
        ("NumericGreaterThan", r#"{"NumericGreaterThan":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"11"}"#, true),
        ("NumericGreaterThan: negative", r#"{"NumericGreaterThan":{"s3:max-keys":"-2"}}"#, r#"{"s3:max-keys":"-1"}"#, true),
        ("NumericGreaterThanEquals: equal", r#"{"NumericGreaterThanEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"10"}"#, true),
        ("NumericGreaterThanEquals: less", r#"{"NumericGreaterThanEquals":{"s3:max-keys":"10"}}"#, r#"{"s3:max-keys":"9.99"}"#, false),
        ("Numeric: beyond what a float holds", r#"{"NumericEquals":{"s3:max-keys":"9007199254740993"}}"#, r#"{"s3:max-keys":"9007199254740992"}"#, false),
        // Dates.
        ("DateEquals", r#"{"DateEquals":{"aws:CurrentTime":"2024-02-29T12:00:00Z"}}"#, r#"{"aws:CurrentTime":"2024-02-29T13:00:00+01:00"}"#, true),
        ("DateNotEquals", r#"{"DateNotEquals":{"aws:CurrentTime":"2024-02-29"}}"#, r#"{"aws:CurrentTime":"2024-02-29T00:00:01Z"}"#, true),
        ("DateLessThan", r#"{"DateLessThan":{"aws:CurrentTime":"2024-03-01"}}"#, r#"{"aws:CurrentTime":"2024-02-29T23:59:59Z"}"#, true),
        ("DateLessThan: equal", r#"{"DateLessThan":{"aws:CurrentTime":"2024-03-01"}}"#, r#"{"aws:CurrentTime":"2024-03-01T00:00:00Z"}"#, false),
        ("DateLessThanEquals: equal", r#"{"DateLessThanEquals":{"aws:CurrentTime":"2024-03"}}"#, r#"{"aws:CurrentTime":"2024-03-01T00:00:00Z"}"#, true),
        ("DateGreaterThan", r#"{"DateGreaterThan":{"aws:CurrentTime":"2024"}}"#, r#"{"aws:CurrentTime":"2024-01-01T00:00:00.001Z"}"#, true),
        ("DateGreaterThanEquals: seconds since 1970", r#"{"DateGreaterThanEquals":{"aws:EpochTime":"1700000000"}}"#, r#"{"aws:EpochTime":"1700000000"}"#, true),
        ("Date: seconds against a date", r#"{"DateLessThan":{"aws:EpochTime":"2023-11-14T22:13:21Z"}}"#, r#"{"aws:EpochTime":"1700000000"}"#, true),
        ("Date: no date in the request", r#"{"DateNotEquals":{"aws:CurrentTime":"2024-02-29"}}"#, r#"{"aws:CurrentTime":"today"}"#, false),
        ("Date: absent", r#"{"DateLessThan":{"aws:TokenIssueTime":"2024-02-29"}}"#, "{}", false),
        // Booleans.
        ("Bool from text", r#"{"Bool":{"aws:SecureTransport":"true"}}"#, r#"{"aws:SecureTransport":"true"}"#, true),
        ("Bool from a boolean", r#"{"Bool":{"aws:SecureTransport":true}}"#, r#"{"aws:SecureTransport":"true"}"#, true),
        ("Bool in any case", r#"{"Bool":{"aws:SecureTransport":"True"}}"#, r#"{"aws:SecureTransport":"true"}"#, true),
        ("Bool false", r#"{"Bool":{"aws:SecureTransport":"false"}}"#, r#"{"aws:SecureTransport":"true"}"#, false),
        ("Bool false: absent key", r#"{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#, "{}", false),
        ("BoolIfExists false: absent key", r#"{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}"#, "{}", true),
        ("Bool: no boolean in the request", r#"{"Bool":{"aws:SecureTransport":["true","false"]}}"#, r#"{"aws:SecureTransport":"1"}"#, false),
        // Binary.
        ("BinaryEquals", r#"{"BinaryEquals":{"x:blob":"QUJD"}}"#, r#"{"x:blob":"QUJD"}"#, true),
        ("BinaryEquals: base64 minds case", r#"{"BinaryEquals":{"x:blob":"QUJD"}}"#, r#"{"x:blob":"qujd"}"#, false),
        ("BinaryEquals: no base64 in the request", r#"{"BinaryEquals":{"x:blob":"QUJD"}}"#, r#"{"x:blob":"QUJ"}"#, false),
        // Addresses.
        ("IpAddress in a range", r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, r#"{"aws:SourceIp":"203.0.113.9"}"#, true),
        ("IpAddress outside", r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, r#"{"aws:SourceIp":"203.0.112.9"}"#, false),
        ("IpAddress: one address", r#"{"IpAddress":{"aws:SourceIp":"203.0.113.9"}}"#, r#"{"aws:SourceIp":"203.0.113.9"}"#, true),
        ("IpAddress: several ranges", r#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}"#, r#"{"aws:SourceIp":"2001:db8:1::1"}"#, true),
        ("IpAddress: the other family", r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, r#"{"aws:SourceIp":"2001:db8:1::1"}"#, false),
        ("IpAddress: mapped", r#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, r#"{"aws:SourceIp":"::ffff:10.1.2.3"}"#, true),
        ("NotIpAddress", r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, r#"{"aws:SourceIp":"11.0.0.1"}"#, true),
        ("NotIpAddress: inside", r#"{"NotIpAddress":{"aws:SourceIp":["11.0.0.0/8","10.0.0.0/8"]}}"#, r#"{"aws:SourceIp":"10.0.0.1"}"#, false),
        ("NotIpAddress: absent", r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, "{}", true),
        ("NotIpAddress: no address in the request never allows", r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, r#"{"aws:SourceIp":"s3.amazonaws.com"}"#, false),
        // ARNs.
        ("ArnEquals with wildcards", r#"{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/*"}}"#, r#"{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}"#, true),
        ("ArnLike with wildcards", r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/al?ce"}}"#, r#"{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}"#, true),
        ("ArnLike: a star stays in its component", r#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:b"}}"#, r#"{"aws:SourceArn":"arn:aws:s3:::b"}"#, false),
        ("ArnLike: the last component may have colons", r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:a*"}}"#, r#"{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:a:b"}"#, true),
        ("ArnLike: one star is any ARN", r#"{"ArnLike":{"aws:SourceArn":"*"}}"#, r#"{"aws:SourceArn":"arn:aws:s3:::b"}"#, true),
        ("ArnLike: one star is nothing but an ARN", r#"{"ArnLike":{"aws:SourceArn":"*"}}"#, r#"{"aws:SourceArn":"bucket"}"#, false),
        ("ArnLike: too short a pattern", r#"{"ArnLike":{"aws:SourceArn":"arn:*"}}"#, r#"{"aws:SourceArn":"arn:aws:s3:::b"}"#, false),
        ("ArnNotEquals", r#"{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#, r#"{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}"#, true),
        ("ArnNotLike: like", r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*"}}"#, r#"{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/alice"}"#, false),
        ("ArnNotLike: no ARN in the request never allows", r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:*"}}"#, r#"{"aws:PrincipalArn":"alice"}"#, false),
        ("ArnLike with a variable", r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::${aws:PrincipalAccount}:user/*"}}"#, r#"{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/a","aws:PrincipalAccount":"111122223333"}"#, true),
        ("ArnLike: a variable does not leave its component", r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam:${x:y}user/*"}}"#, r#"{"aws:PrincipalArn":"arn:aws:iam::1:user/a","x:y":":1:"}"#, false),
        // Null.
        ("Null true: absent", r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, "{}", true),
        ("Null true: present", r#"{"Null":{"aws:TokenIssueTime":"true"}}"#, r#"{"aws:TokenIssueTime":"2024"}"#, false),
        ("Null false: present", r#"{"Null":{"aws:TokenIssueTime":false}}"#, r#"{"aws:TokenIssueTime":"2024"}"#, true),
        ("Null false: absent", r#"{"Null":{"aws:TokenIssueTime":"false"}}"#, "{}", false),
        ("Null true: no values", r#"{"Null":{"aws:TagKeys":"true"}}"#, r#"{"aws:TagKeys":[]}"#, true),
        ("Null of an encryption context key", r#"{"Null":{"kms:EncryptionContext:app":"false"}}"#, r#"{"kms:EncryptionContext:App":"x"}"#, true),
        // IfExists.
        ("IfExists: absent", r#"{"StringEqualsIfExists":{"aws:username":"alice"}}"#, "{}", true),
        ("IfExists: present and other", r#"{"StringEqualsIfExists":{"aws:username":"alice"}}"#, r#"{"aws:username":"bob"}"#, false),
        ("IfExists: present and same", r#"{"StringLikeIfExists":{"aws:username":"al*"}}"#, r#"{"aws:username":"alice"}"#, true),
        ("NumericLessThanIfExists: absent", r#"{"NumericLessThanIfExists":{"aws:MultiFactorAuthAge":"300"}}"#, "{}", true),
        ("IpAddressIfExists: absent", r#"{"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}}"#, "{}", true),
        ("ArnLikeIfExists: other", r#"{"ArnLikeIfExists":{"aws:SourceArn":"arn:aws:s3:::a"}}"#, r#"{"aws:SourceArn":"arn:aws:s3:::b"}"#, false),
        ("DateGreaterThanIfExists: absent", r#"{"DateGreaterThanIfExists":{"aws:TokenIssueTime":"2024"}}"#, "{}", true),
        ("BinaryEqualsIfExists: absent", r#"{"BinaryEqualsIfExists":{"x:blob":"QUJD"}}"#, "{}", true),
    ]),
    ("IAM: Set operators for multivalued context keys", &[
        // Sets.
        ("ForAllValues: all", r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b","c"]}}"#, r#"{"aws:TagKeys":["a","b"]}"#, true),
        ("ForAllValues: one too many", r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}"#, r#"{"aws:TagKeys":["a","x"]}"#, false),
        ("ForAllValues: absent", r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#, "{}", true),
        ("ForAllValues: empty", r#"{"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#, r#"{"aws:TagKeys":[]}"#, true),
        ("ForAllValues with IfExists: absent", r#"{"ForAllValues:StringEqualsIfExists":{"aws:TagKeys":["a"]}}"#, "{}", true),
        ("ForAllValues:StringLike", r#"{"ForAllValues:StringLike":{"aws:TagKeys":["a*"]}}"#, r#"{"aws:TagKeys":["ab","ac"]}"#, true),
        ("ForAllValues:StringNotEquals: none is there", r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]}}"#, r#"{"aws:TagKeys":["b","c"]}"#, true),
        ("ForAllValues:StringNotEquals: one is there", r#"{"ForAllValues:StringNotEquals":{"aws:TagKeys":["a"]}}"#, r#"{"aws:TagKeys":["b","a"]}"#, false),
        ("ForAllValues:Bool", r#"{"ForAllValues:Bool":{"x:flags":"true"}}"#, r#"{"x:flags":["true","true"]}"#, true),
        ("ForAllValues over a key of one value", r#"{"ForAllValues:Bool":{"aws:SecureTransport":"true"}}"#, r#"{"aws:SecureTransport":"true"}"#, true),
        ("ForAnyValue: one", r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}"#, r#"{"aws:TagKeys":["x","a"]}"#, true),
        ("ForAnyValue: none", r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a","b"]}}"#, r#"{"aws:TagKeys":["x","y"]}"#, false),
        ("ForAnyValue: absent", r#"{"ForAnyValue:StringEquals":{"aws:TagKeys":["a"]}}"#, "{}", false),
        ("ForAnyValue with IfExists: absent", r#"{"ForAnyValue:StringEqualsIfExists":{"aws:TagKeys":["a"]}}"#, "{}", true),
        ("ForAnyValue with numbers", r#"{"ForAnyValue:NumericLessThan":{"x:n":5}}"#, r#"{"x:n":["3"]}"#, true),
        ("ForAnyValue:StringNotEquals: one is other", r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}"#, r#"{"aws:TagKeys":["a","b"]}"#, true),
        ("ForAnyValue:StringNotEquals: all are there", r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}"#, r#"{"aws:TagKeys":["a","a"]}"#, false),
        ("ForAnyValue:StringNotEquals: absent", r#"{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["a"]}}"#, "{}", false),
        ("ForAnyValue:IpAddress", r#"{"ForAnyValue:IpAddress":{"x:ips":"10.0.0.0/8"}}"#, r#"{"x:ips":["11.0.0.1","10.0.0.1"]}"#, true),
        ("ForAllValues:ArnLike", r#"{"ForAllValues:ArnLike":{"x:arns":"arn:aws:s3:::*"}}"#, r#"{"x:arns":["arn:aws:s3:::a","arn:aws:sqs:::b"]}"#, false),
        ("no quantifier, several values: one matches", r#"{"StringEquals":{"aws:TagKeys":"a"}}"#, r#"{"aws:TagKeys":["x","a"]}"#, true),
        ("no quantifier, negated: none may match", r#"{"StringNotEquals":{"aws:TagKeys":"a"}}"#, r#"{"aws:TagKeys":["x","a"]}"#, false),
    ]),
    ("IAM: Conditions with multiple context keys or values", &[
        // Several of them.
        ("two keys: both", r#"{"StringEquals":{"aws:username":"alice","aws:userid":"A"}}"#, r#"{"aws:username":"alice","aws:userid":"B"}"#, false),
        ("two operators: both", r#"{"StringEquals":{"aws:username":"alice"},"Bool":{"aws:SecureTransport":"true"}}"#, r#"{"aws:username":"alice","aws:SecureTransport":"false"}"#, false),
        ("two operators hold", r#"{"StringEquals":{"aws:username":"alice"},"Bool":{"aws:SecureTransport":"true"}}"#, r#"{"aws:username":"alice","aws:SecureTransport":"true"}"#, true),
        ("no conditions", "{}", "{}", true),
        ("an operator without keys", r#"{"StringEquals":{}}"#, "{}", true),
        ("a set and a plain operator of one kind", r#"{"StringEquals":{"aws:username":"alice"},"ForAllValues:StringEquals":{"aws:TagKeys":["a"]}}"#, r#"{"aws:username":"alice","aws:TagKeys":["a"]}"#, true),
    ]),
    ("IAM: Variables and tags", &[
        // Variables.
        ("variable", r#"{"StringLike":{"s3:prefix":"${aws:username}/*"}}"#, r#"{"aws:username":"alice","s3:prefix":"alice/x"}"#, true),
        ("variable in StringEquals", r#"{"StringEquals":{"aws:ResourceTag/team":"${aws:PrincipalTag/team}"}}"#, r#"{"aws:ResourceTag/team":"red","aws:PrincipalTag/team":"red"}"#, true),
        ("variable: name in any case", r#"{"StringEquals":{"s3:prefix":"${AWS:UserName}"}}"#, r#"{"aws:username":"alice","s3:prefix":"alice"}"#, true),
        ("variable: a value that is a star", r#"{"StringLike":{"s3:prefix":"${aws:username}/k"}}"#, r#"{"aws:username":"*","s3:prefix":"bob/k"}"#, false),
        ("variable: a value that is a star matches a star", r#"{"StringLike":{"s3:prefix":"${aws:username}/k"}}"#, r#"{"aws:username":"*","s3:prefix":"*/k"}"#, true),
        ("variable: a value that looks like a variable", r#"{"StringEquals":{"s3:prefix":"${aws:username}"}}"#, r#"{"aws:username":"${aws:userid}","aws:userid":"X","s3:prefix":"X"}"#, false),
        ("variable without value", r#"{"StringLike":{"s3:prefix":"home${aws:username}/*"}}"#, r#"{"s3:prefix":"home/x"}"#, false),
        ("variable without value, negated, never allows", r#"{"StringNotEquals":{"s3:prefix":"${aws:username}"}}"#, r#"{"s3:prefix":"home"}"#, false),
        ("variable without value, another value matches", r#"{"StringEquals":{"s3:prefix":["${aws:username}","home"]}}"#, r#"{"s3:prefix":"home"}"#, true),
        ("variable with default", r#"{"StringEquals":{"s3:prefix":"${aws:PrincipalTag/team, 'company-wide'}"}}"#, r#"{"s3:prefix":"company-wide"}"#, true),
        ("variable with default and a value", r#"{"StringEquals":{"s3:prefix":"${aws:PrincipalTag/team, 'company-wide'}"}}"#, r#"{"s3:prefix":"red","aws:PrincipalTag/team":"red"}"#, true),
        ("variable: a default is text", r#"{"StringLike":{"s3:prefix":"${aws:PrincipalTag/team, '*'}"}}"#, r#"{"s3:prefix":"anything"}"#, false),
        ("variable of several values has none", r#"{"StringEquals":{"s3:prefix":"${aws:TagKeys}"}}"#, r#"{"s3:prefix":"a","aws:TagKeys":["a"]}"#, false),
        ("escaped star", r#"{"StringLike":{"s3:prefix":"a${*}b"}}"#, r#"{"s3:prefix":"a*b"}"#, true),
        ("escaped star matches no other", r#"{"StringLike":{"s3:prefix":"a${*}b"}}"#, r#"{"s3:prefix":"aXb"}"#, false),
        ("escaped question mark", r#"{"StringLike":{"s3:prefix":"a${?}b"}}"#, r#"{"s3:prefix":"aXb"}"#, false),
        ("escaped dollar", r#"{"StringEquals":{"s3:prefix":"${$}{aws:username}"}}"#, r#"{"aws:username":"alice","s3:prefix":"${aws:username}"}"#, true),
        ("a dollar alone", r#"{"StringEquals":{"s3:prefix":"5$"}}"#, r#"{"s3:prefix":"5$"}"#, true),
        ("IgnoreCase with a variable", r#"{"StringEqualsIgnoreCase":{"s3:prefix":"${aws:username}"}}"#, r#"{"aws:username":"ALICE","s3:prefix":"alice"}"#, true),
    ]),
];

#[test]
fn a_condition_holds_as_documented() {
    for (page, cases) in CASES {
        for (name, condition, keys, holds) in *cases {
            assert_eq!(decided("Allow", "2012-10-17", condition, &context(keys)) == "allow", *holds, "{page}: {name}");
        }
    }
}

#[test]
fn names_of_cases_are_unique() {
    let mut names: Vec<_> = CASES.iter().flat_map(|(_, cases)| *cases).map(|case| case.0).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

/// What cannot be decided never allows, and denies where a negated operator stands in a Deny.
#[test]
fn what_cannot_be_decided_denies() {
    for (condition, keys, denies) in [
        (r#"{"StringNotEquals":{"s3:prefix":"${aws:username}"}}"#, r#"{"s3:prefix":"home"}"#, true),
        (r#"{"StringEquals":{"s3:prefix":"${aws:username}"}}"#, r#"{"s3:prefix":"home"}"#, false),
        (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, r#"{"aws:SourceIp":"unknown"}"#, true),
        (r#"{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::1:*"}}"#, r#"{"aws:PrincipalArn":"alice"}"#, true),
        (r#"{"ForAllValues:StringNotLike":{"aws:TagKeys":"${x:y}"}}"#, r#"{"aws:TagKeys":["a"]}"#, true),
    ] {
        let decided = decided("Deny", "2012-10-17", condition, &context(keys));
        assert_eq!(decided == "deny", denies, "{condition}");
    }
}

#[test]
fn documents_of_2008_have_no_variables() {
    let condition = r#"{"StringEquals":{"s3:prefix":"${aws:username}"}}"#;
    for (prefix, holds) in [("alice", false), ("${aws:username}", true)] {
        let keys = context(r#"{"aws:username":"alice"}"#).with("s3:prefix", prefix);
        for version in [r#""Version":"2008-10-17","#, ""] {
            let decided = decided_in(version, "Allow", condition, &keys);
            assert_eq!(decided == "allow", holds, "{prefix}");
        }
    }
}

fn decided(effect: &str, version: &str, condition: &str, keys: &ContextMap) -> &'static str {
    decided_in(&format!(r#""Version":"{version}","#), effect, condition, keys)
}

fn decided_in(version: &str, effect: &str, condition: &str, keys: &ContextMap) -> &'static str {
    let statement = format!(r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{condition}}}"#);
    let document = Document::parse(&format!(r#"{{{version}"Statement":{statement}}}"#), Kind::Identity).unwrap();
    says(&document, &who("alice"), "s3:ListBucket", "arn:aws:s3:::b", keys)
}
