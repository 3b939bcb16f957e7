//! Policies as AWS's documentation gives for examples, with requests that they let in and requests that they do not.

use policy::Kind;

use crate::common::{context, document, says, who};

/// Name, caller, action, resource, condition keys, answer.
type Case = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

struct Example {
    /// The page, and what the policy is for.
    page: &'static str,
    kind: Kind,
    statements: &'static str,
    cases: &'static [Case],
}

#[rustfmt::skip]
const EXAMPLES: &[Example] = &[
    Example {
        page: "IAM: Example policies: access within specific dates", kind: Kind::Identity,
        statements: r#"{"Effect":"Allow","Action":"service:*","Resource":"*","Condition":{
            "DateGreaterThan":{"aws:CurrentTime":"2020-04-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2020-06-30T23:59:59Z"}}}"#,
        cases: &[
            ("between", "alice", "service:Do", "*", r#"{"aws:CurrentTime":"2020-05-01T00:00:00Z"}"#, "allow"),
            ("before", "alice", "service:Do", "*", r#"{"aws:CurrentTime":"2020-03-31T23:59:59Z"}"#, "nothing"),
            ("at the first moment", "alice", "service:Do", "*", r#"{"aws:CurrentTime":"2020-04-01T00:00:00Z"}"#, "nothing"),
            ("after", "alice", "service:Do", "*", r#"{"aws:CurrentTime":"2020-07-01T00:00:00Z"}"#, "nothing"),
        ],
    },
    Example {
        page: "IAM: Example policies: denies access based on the source IP", kind: Kind::Identity,
        statements: r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"*","Resource":"*","Condition":{
            "NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]}}}]"#,
        cases: &[
            ("inside", "alice", "s3:GetObject", "*", r#"{"aws:SourceIp":"203.0.113.7"}"#, "allow"),
            ("inside the other", "alice", "s3:GetObject", "*", r#"{"aws:SourceIp":"192.0.2.7"}"#, "allow"),
            ("outside", "alice", "s3:GetObject", "*", r#"{"aws:SourceIp":"198.51.100.7"}"#, "deny"),
            ("by IPv6", "alice", "s3:GetObject", "*", r#"{"aws:SourceIp":"2001:db8::1"}"#, "deny"),
            ("through a service, which has no such key", "alice", "s3:GetObject", "*", "{}", "deny"),
        ],
    },
    Example {
        page: "IAM: Example policies: denies access based on the requested Region", kind: Kind::Identity,
        statements: r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Sid":"DenyAllOutsideRequestedRegions","Effect":"Deny",
            "NotAction":["cloudfront:*","iam:*","route53:*","support:*"],"Resource":"*","Condition":{"StringNotEquals":{
            "aws:RequestedRegion":["eu-central-1","eu-west-1"]}}}]"#,
        cases: &[
            ("one of the Regions", "alice", "s3:GetObject", "*", r#"{"aws:RequestedRegion":"eu-west-1"}"#, "allow"),
            ("another Region", "alice", "s3:GetObject", "*", r#"{"aws:RequestedRegion":"us-east-1"}"#, "deny"),
            ("a global service", "alice", "iam:GetUser", "*", r#"{"aws:RequestedRegion":"us-east-1"}"#, "allow"),
        ],
    },
    Example {
        page: "IAM: Example policies: specific access with MFA within specific dates", kind: Kind::Identity,
        statements: r#"{"Effect":"Allow","Action":"service:Do","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":true},
            "DateGreaterThan":{"aws:CurrentTime":"2017-07-01T00:00:00Z"}}}"#,
        cases: &[
            ("with MFA", "alice", "service:Do", "*", r#"{"aws:MultiFactorAuthPresent":"true","aws:CurrentTime":"2017-08-01T00:00:00Z"}"#, "allow"),
            ("without", "alice", "service:Do", "*", r#"{"aws:MultiFactorAuthPresent":"false","aws:CurrentTime":"2017-08-01T00:00:00Z"}"#, "nothing"),
            ("long-term credentials", "alice", "service:Do", "*", r#"{"aws:CurrentTime":"2017-08-01T00:00:00Z"}"#, "nothing"),
        ],
    },
    Example {
        page: "IAM: Example policies: MFA-authenticated users manage their own credentials", kind: Kind::Identity,
        statements: r#"[{"Effect":"Allow","Action":["iam:ListMFADevices","iam:EnableMFADevice"],"Resource":"arn:aws:iam::*:user/${aws:username}"},
            {"Effect":"Allow","Action":"s3:*","Resource":"*"},
            {"Sid":"DenyAllExceptListedIfNoMFA","Effect":"Deny","NotAction":["iam:EnableMFADevice","iam:ListMFADevices","sts:GetSessionToken"],
            "Resource":"*","Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]"#,
        cases: &[
            ("her own devices", "alice", "iam:EnableMFADevice", "arn:aws:iam::111122223333:user/alice", r#"{"aws:username":"alice"}"#, "allow"),
            ("somebody else's devices", "alice", "iam:EnableMFADevice", "arn:aws:iam::111122223333:user/bob", r#"{"aws:username":"alice"}"#, "nothing"),
            ("anything else by long-term credentials", "alice", "s3:GetObject", "*", r#"{"aws:username":"alice"}"#, "deny"),
            ("anything else without MFA", "alice", "s3:GetObject", "*", r#"{"aws:MultiFactorAuthPresent":"false"}"#, "deny"),
            ("anything else with MFA", "alice", "s3:GetObject", "*", r#"{"aws:MultiFactorAuthPresent":"true"}"#, "allow"),
        ],
    },
    Example {
        page: "IAM: Example policies: IAM users access their S3 home directory", kind: Kind::Identity,
        statements: r#"[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::b","Condition":{"StringLike":{
            "s3:prefix":["","home/","home/${aws:username}/*"]}}},
            {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/home/${aws:username}","arn:aws:s3:::b/home/${aws:username}/*"]}]"#,
        cases: &[
            ("the bucket's root", "alice", "s3:ListBucket", "arn:aws:s3:::b", r#"{"aws:username":"alice","s3:prefix":""}"#, "allow"),
            ("without a prefix", "alice", "s3:ListBucket", "arn:aws:s3:::b", r#"{"aws:username":"alice"}"#, "nothing"),
            ("her directory", "alice", "s3:ListBucket", "arn:aws:s3:::b", r#"{"aws:username":"alice","s3:prefix":"home/alice/x"}"#, "allow"),
            ("somebody else's", "alice", "s3:ListBucket", "arn:aws:s3:::b", r#"{"aws:username":"alice","s3:prefix":"home/bob/"}"#, "nothing"),
            ("her object", "alice", "s3:PutObject", "arn:aws:s3:::b/home/alice/x", r#"{"aws:username":"alice"}"#, "allow"),
            ("the object of a longer name", "alice", "s3:PutObject", "arn:aws:s3:::b/home/alicex/x", r#"{"aws:username":"alice"}"#, "nothing"),
            ("a role has no user name", "admin", "s3:PutObject", "arn:aws:s3:::b/home//x", "{}", "nothing"),
        ],
    },
    Example {
        page: "IAM: Variables and tags: using a default value", kind: Kind::Identity,
        statements: r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b-${aws:PrincipalTag/team, 'company-wide'}"}"#,
        cases: &[
            ("the team's bucket", "alice", "s3:ListBucket", "arn:aws:s3:::b-yellow", r#"{"aws:PrincipalTag/team":"yellow"}"#, "allow"),
            ("another team's", "alice", "s3:ListBucket", "arn:aws:s3:::b-red", r#"{"aws:PrincipalTag/team":"yellow"}"#, "nothing"),
            ("no team", "alice", "s3:ListBucket", "arn:aws:s3:::b-company-wide", "{}", "allow"),
            ("a team is not company-wide", "alice", "s3:ListBucket", "arn:aws:s3:::b-company-wide", r#"{"aws:PrincipalTag/team":"red"}"#, "nothing"),
        ],
    },
    Example {
        page: "IAM: Controlling access by attributes: tags of principal, request and resource", kind: Kind::Identity,
        statements: r#"[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{
            "aws:ResourceTag/project":"${aws:PrincipalTag/project}"}}},
            {"Effect":"Allow","Action":"kms:CreateKey","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/project":"${aws:PrincipalTag/project}"},
            "ForAllValues:StringEquals":{"aws:TagKeys":["project","name"]}}}]"#,
        cases: &[
            ("the same project", "alice", "s3:GetObject", "*", r#"{"aws:ResourceTag/project":"x","aws:PrincipalTag/project":"x"}"#, "allow"),
            ("another project", "alice", "s3:GetObject", "*", r#"{"aws:ResourceTag/project":"y","aws:PrincipalTag/project":"x"}"#, "nothing"),
            ("neither has a project", "alice", "s3:GetObject", "*", "{}", "nothing"),
            ("a new key with its tag", "alice", "kms:CreateKey", "*", r#"{"aws:RequestTag/project":"x","aws:PrincipalTag/project":"x","aws:TagKeys":["project"]}"#, "allow"),
            ("a new key with a tag too many", "alice", "kms:CreateKey", "*", r#"{"aws:RequestTag/project":"x","aws:PrincipalTag/project":"x","aws:TagKeys":["project","cost"]}"#, "nothing"),
        ],
    },
    Example {
        page: "IAM: Tutorial: delegating with permissions boundaries", kind: Kind::Identity,
        statements: r#"[{"Sid":"CreateOrChangeOnlyWithBoundary","Effect":"Allow","Action":["iam:AttachUserPolicy","iam:CreateUser","iam:PutUserPermissionsBoundary"],
            "Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/XCompanyBoundaries"}}},
            {"Sid":"NoBoundaryPolicyEdit","Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy"],"Resource":"arn:aws:iam::111122223333:policy/XCompanyBoundaries"},
            {"Sid":"NoBoundaryUserDelete","Effect":"Deny","Action":"iam:DeleteUserPermissionsBoundary","Resource":"*"}]"#,
        cases: &[
            ("a user with the boundary", "alice", "iam:CreateUser", "arn:aws:iam::111122223333:user/new", r#"{"iam:PermissionsBoundary":"arn:aws:iam::111122223333:policy/XCompanyBoundaries"}"#, "allow"),
            ("a user without", "alice", "iam:CreateUser", "arn:aws:iam::111122223333:user/new", "{}", "nothing"),
            ("a user with another", "alice", "iam:CreateUser", "arn:aws:iam::111122223333:user/new", r#"{"iam:PermissionsBoundary":"arn:aws:iam::aws:policy/AdministratorAccess"}"#, "nothing"),
            ("the boundary itself", "alice", "iam:DeletePolicy", "arn:aws:iam::111122223333:policy/XCompanyBoundaries", "{}", "deny"),
            ("taking a boundary off", "alice", "iam:DeleteUserPermissionsBoundary", "arn:aws:iam::111122223333:user/new", "{}", "deny"),
        ],
    },
    Example {
        page: "IAM: Revoking role temporary credentials", kind: Kind::Identity,
        statements: r#"[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["*"],"Resource":["*"],"Condition":{
            "DateLessThan":{"aws:TokenIssueTime":"2024-01-01T00:00:00.000Z"}}}]"#,
        cases: &[
            ("a session from before", "admin", "s3:GetObject", "*", r#"{"aws:TokenIssueTime":"2023-12-31T23:59:59Z"}"#, "deny"),
            ("a session from after", "admin", "s3:GetObject", "*", r#"{"aws:TokenIssueTime":"2024-01-01T00:00:00Z"}"#, "allow"),
            ("long-term credentials", "alice", "s3:GetObject", "*", "{}", "allow"),
        ],
    },
    Example {
        page: "S3: Bucket policy examples: requiring encryption", kind: Kind::Bucket,
        statements: r#"[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"},
            {"Sid":"DenyObjectsThatAreNotSSEKMS","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*",
            "Condition":{"Null":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"true"}}},
            {"Sid":"OneKey","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::b/*",
            "Condition":{"ArnNotEqualsIfExists":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-2:111122223333:key/1"}}}]"#,
        cases: &[
            ("with the key", "alice", "s3:PutObject", "arn:aws:s3:::b/k", r#"{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-2:111122223333:key/1"}"#, "allow"),
            ("with another", "alice", "s3:PutObject", "arn:aws:s3:::b/k", r#"{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-2:111122223333:key/2"}"#, "deny"),
            ("with none", "alice", "s3:PutObject", "arn:aws:s3:::b/k", "{}", "deny"),
            ("reading needs none", "alice", "s3:GetObject", "arn:aws:s3:::b/k", "{}", "allow"),
        ],
    },
    Example {
        page: "S3: Bucket policy examples: HTTPS, and a website's referer", kind: Kind::Bucket,
        statements: r#"[{"Sid":"PublicRead","Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":"arn:aws:s3:::b/*",
            "Condition":{"StringLike":{"aws:Referer":["http://www.example.com/*","http://example.com/*"]}}},
            {"Sid":"RestrictToTLSRequestsOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"],
            "Condition":{"Bool":{"aws:SecureTransport":"false"}}}]"#,
        cases: &[
            ("from the website", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:Referer":"http://example.com/x","aws:SecureTransport":"true"}"#, "allow"),
            ("from another", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:Referer":"http://example.org/x","aws:SecureTransport":"true"}"#, "nothing"),
            ("from nowhere", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SecureTransport":"true"}"#, "nothing"),
            ("without TLS", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:Referer":"http://example.com/x","aws:SecureTransport":"false"}"#, "deny"),
            ("another action", "nobody", "s3:PutObject", "arn:aws:s3:::b/k", r#"{"aws:Referer":"http://example.com/x","aws:SecureTransport":"true"}"#, "nothing"),
        ],
    },
    Example {
        page: "S3: Bucket policy examples: access by a VPC endpoint only", kind: Kind::Bucket,
        statements: r#"[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"},
            {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}}]"#,
        cases: &[
            ("by it", "alice", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SourceVpce":"vpce-1"}"#, "account"),
            ("by another", "alice", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"aws:SourceVpce":"vpce-2"}"#, "deny"),
            ("by none", "alice", "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
            ("the root user too", "root", "s3:GetObject", "arn:aws:s3:::b/k", "{}", "deny"),
        ],
    },
    Example {
        page: "S3: Bucket policy examples: prefix, number of keys, tags of objects", kind: Kind::Bucket,
        statements: r#"[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/bob"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::b",
            "Condition":{"StringEquals":{"s3:prefix":"projects"},"NumericLessThanEquals":{"s3:max-keys":"10"}}},
            {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*",
            "Condition":{"StringEquals":{"s3:ExistingObjectTag/environment":"production"}}}]"#,
        cases: &[
            ("prefix and few keys", "bob", "s3:ListBucket", "arn:aws:s3:::b", r#"{"s3:prefix":"projects","s3:max-keys":"10"}"#, "allow"),
            ("too many keys", "bob", "s3:ListBucket", "arn:aws:s3:::b", r#"{"s3:prefix":"projects","s3:max-keys":"11"}"#, "nothing"),
            ("no number of keys", "bob", "s3:ListBucket", "arn:aws:s3:::b", r#"{"s3:prefix":"projects"}"#, "nothing"),
            ("another prefix", "bob", "s3:ListBucket", "arn:aws:s3:::b", r#"{"s3:prefix":"projects/x","s3:max-keys":"10"}"#, "nothing"),
            ("an object with the tag", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"s3:ExistingObjectTag/environment":"production"}"#, "allow"),
            ("an object with another value", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", r#"{"s3:ExistingObjectTag/environment":"Production"}"#, "nothing"),
            ("an object without", "nobody", "s3:GetObject", "arn:aws:s3:::b/k", "{}", "nothing"),
        ],
    },
    Example {
        page: "S3: Bucket policy examples: CloudTrail delivers for one trail", kind: Kind::Bucket,
        statements: r#"{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::b/AWSLogs/111122223333/*",
            "Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}}}"#,
        cases: &[
            ("another service", "logs", "s3:PutObject", "arn:aws:s3:::b/AWSLogs/111122223333/x", r#"{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}"#, "nothing"),
            ("a user in the service's place", "alice", "s3:PutObject", "arn:aws:s3:::b/AWSLogs/111122223333/x", r#"{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/t"}"#, "nothing"),
        ],
    },
    Example {
        page: "KMS: Default key policy; Changing a key policy", kind: Kind::Key,
        statements: r#"[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"},
            {"Sid":"Allow use of the key","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/path/admin","arn:aws:iam::444455556666:root"]},
            "Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"},
            {"Sid":"Allow attachment of persistent resources","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/path/admin"},
            "Action":["kms:CreateGrant","kms:ListGrants","kms:RevokeGrant"],"Resource":"*","Condition":{"Bool":{"kms:GrantIsForAWSResource":"true"}}}]"#,
        cases: &[
            ("a user of the account", "alice", "kms:Decrypt", "arn:aws:kms:r:111122223333:key/1", "{}", "account"),
            ("the account's root user", "root", "kms:PutKeyPolicy", "arn:aws:kms:r:111122223333:key/1", "{}", "allow"),
            ("a session of the role", "admin", "kms:ReEncryptFrom", "arn:aws:kms:r:111122223333:key/1", "{}", "entity"),
            ("a session of the role, an administrator's action", "admin", "kms:PutKeyPolicy", "arn:aws:kms:r:111122223333:key/1", "{}", "account"),
            ("a grant for a service", "admin", "kms:CreateGrant", "arn:aws:kms:r:111122223333:key/1", r#"{"kms:GrantIsForAWSResource":"true"}"#, "entity"),
            ("a grant for somebody", "admin", "kms:CreateGrant", "arn:aws:kms:r:111122223333:key/1", r#"{"kms:GrantIsForAWSResource":"false"}"#, "account"),
            ("another account", "bob", "kms:Encrypt", "arn:aws:kms:r:111122223333:key/1", "{}", "account"),
            ("another account, an administrator's action", "bob", "kms:DisableKey", "arn:aws:kms:r:111122223333:key/1", "{}", "nothing"),
        ],
    },
    Example {
        page: "KMS: Condition keys: encryption context, aliases, specs, services", kind: Kind::Key,
        statements: r#"[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":["kms:Encrypt","kms:Decrypt"],"Resource":"*","Condition":{
            "StringEquals":{"kms:EncryptionContext:AppName":["ExampleApp","OtherApp"]},
            "ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["AppName","FilePath"]},"Null":{"kms:EncryptionContextKeys":"false"}}},
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:DescribeKey","Resource":"*","Condition":{
            "ForAnyValue:StringLike":{"kms:ResourceAliases":"alias/test*"}}},
            {"Effect":"Allow","Principal":"*","Action":"kms:GenerateDataKey","Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"111122223333",
            "kms:ViaService":["s3.us-west-2.amazonaws.com","rds.us-west-2.amazonaws.com"]}}},
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":"kms:Sign","Resource":"*","Condition":{
            "StringEquals":{"kms:RequestAlias":"alias/sign"},"StringLike":{"kms:KeySpec":"RSA_*"}}}]"#,
        cases: &[
            ("the context", "alice", "kms:Encrypt", "*", r#"{"kms:EncryptionContext:AppName":"ExampleApp","kms:EncryptionContextKeys":["AppName"]}"#, "allow"),
            ("the context and more that is known", "alice", "kms:Decrypt", "*", r#"{"kms:EncryptionContext:AppName":"OtherApp","kms:EncryptionContextKeys":["AppName","FilePath"]}"#, "allow"),
            ("the context and more that is not", "alice", "kms:Encrypt", "*", r#"{"kms:EncryptionContext:AppName":"ExampleApp","kms:EncryptionContextKeys":["AppName","X"]}"#, "nothing"),
            ("names of keys mind case", "alice", "kms:Encrypt", "*", r#"{"kms:EncryptionContext:AppName":"ExampleApp","kms:EncryptionContextKeys":["appname"]}"#, "nothing"),
            ("another value", "alice", "kms:Encrypt", "*", r#"{"kms:EncryptionContext:AppName":"exampleapp","kms:EncryptionContextKeys":["AppName"]}"#, "nothing"),
            ("no context", "alice", "kms:Encrypt", "*", "{}", "nothing"),
            ("one of the aliases", "alice", "kms:DescribeKey", "*", r#"{"kms:ResourceAliases":["alias/prod","alias/test-1"]}"#, "allow"),
            ("none of the aliases", "alice", "kms:DescribeKey", "*", r#"{"kms:ResourceAliases":["alias/prod"]}"#, "nothing"),
            ("no aliases", "alice", "kms:DescribeKey", "*", "{}", "nothing"),
            ("through the service", "alice", "kms:GenerateDataKey", "*", r#"{"kms:CallerAccount":"111122223333","kms:ViaService":"s3.us-west-2.amazonaws.com"}"#, "allow"),
            ("through the service of another Region", "alice", "kms:GenerateDataKey", "*", r#"{"kms:CallerAccount":"111122223333","kms:ViaService":"s3.us-east-1.amazonaws.com"}"#, "nothing"),
            ("by itself", "alice", "kms:GenerateDataKey", "*", r#"{"kms:CallerAccount":"111122223333"}"#, "nothing"),
            ("another account through the service", "bob", "kms:GenerateDataKey", "*", r#"{"kms:CallerAccount":"444455556666","kms:ViaService":"s3.us-west-2.amazonaws.com"}"#, "nothing"),
            ("by the alias", "alice", "kms:Sign", "*", r#"{"kms:RequestAlias":"alias/sign","kms:KeySpec":"RSA_2048"}"#, "allow"),
            ("by the key's id", "alice", "kms:Sign", "*", r#"{"kms:KeySpec":"RSA_2048"}"#, "nothing"),
            ("a key of another spec", "alice", "kms:Sign", "*", r#"{"kms:RequestAlias":"alias/sign","kms:KeySpec":"ECC_NIST_P256"}"#, "nothing"),
        ],
    },
    Example {
        page: "IAM: Access to AWS accounts owned by third parties; Monitor and control actions taken with assumed roles", kind: Kind::Trust,
        statements: r#"[{"Effect":"Allow","Principal":{"AWS":"444455556666"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"12345"}}},
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/alice"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"],"Condition":{
            "StringLike":{"sts:RoleSessionName":"${aws:username}"}}},
            {"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/idp.example.com"},"Action":"sts:AssumeRoleWithWebIdentity",
            "Condition":{"StringEquals":{"idp.example.com:aud":"app"}}}]"#,
        cases: &[
            ("the external id", "bob", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", r#"{"sts:ExternalId":"12345"}"#, "account"),
            ("another external id", "bob", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", r#"{"sts:ExternalId":"1"}"#, "nothing"),
            ("no external id", "bob", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", "{}", "nothing"),
            ("a session by the user's name", "alice", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", r#"{"aws:username":"alice","sts:RoleSessionName":"alice"}"#, "allow"),
            ("a session by another name", "alice", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", r#"{"aws:username":"alice","sts:RoleSessionName":"bob"}"#, "nothing"),
            ("tags are another action", "alice", "sts:TagSession", "arn:aws:iam::111122223333:role/r", r#"{"aws:username":"alice","sts:RoleSessionName":"alice"}"#, "nothing"),
            ("a web identity", "web", "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::111122223333:role/r", r#"{"idp.example.com:aud":"app"}"#, "allow"),
            ("a web identity of another audience", "web", "sts:AssumeRoleWithWebIdentity", "arn:aws:iam::111122223333:role/r", r#"{"idp.example.com:aud":"other"}"#, "nothing"),
            ("a web identity with another action", "web", "sts:AssumeRole", "arn:aws:iam::111122223333:role/r", r#"{"idp.example.com:aud":"app"}"#, "nothing"),
        ],
    },
];

#[test]
fn examples_decide_as_their_pages_say() {
    for Example { page, kind, statements, cases } in EXAMPLES {
        let document = document(statements, *kind);
        for (name, caller, action, resource, keys, answer) in *cases {
            assert_eq!(says(&document, &who(caller), action, resource, &context(keys)), *answer, "{page}: {name}");
        }
    }
}
