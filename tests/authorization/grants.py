"""Every operation of S3 against grants of some actions: which action each operation needs.

Rules: S3 User Guide, "Required permissions for Amazon S3 API operations"; S3 API reference, "Permissions" of each operation. The table holds three times:
for grants by a user's identity policy, by a bucket policy to a user of the account who has no policy, and by a bucket policy to another account's user who may
do everything at home.

    +  allowed    -  refused    p  allowed; MethodNotAllowed across accounts, as the bucket's policy is its owner's
"""

# What each column grants: actions and resources. `B` is the bucket's ARN.
GRANTS = {
    "read": [("s3:GetObject", "B/*")],
    "write": [("s3:PutObject", "B/*")],
    "readpub": [("s3:GetObject", "B/pub/*")],
    "list": [("s3:ListBucket", "B")],
    "listpub": [("s3:ListBucket", "B", {"StringLike": {"s3:prefix": "pub/*"}})],
    "readlist": [("s3:GetObject", "B/*"), ("s3:ListBucket", "B")],
    "delete": [("s3:DeleteObject", "B/*")],
    "tags": [(["s3:GetObjectTagging", "s3:PutObjectTagging", "s3:DeleteObjectTagging"], "B/*")],
    "upload": [
        (["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], "B/*"),
        ("s3:ListBucketMultipartUploads", "B"),
    ],
    "config": [(["s3:GetBucket*", "s3:GetEncryptionConfiguration"], "B")],
    "admin": [(["s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutEncryptionConfiguration"], "B")],
    "versions": [("s3:GetObjectVersion", "B/*"), ("s3:ListBucketVersions", "B")],
    "all": [("s3:*", ["B", "B/*"])],
    # An action of buckets on objects' ARNs grants nothing, and neither does the reverse.
    "crossed": [("s3:*", "B/*")],
}

# The first rows' names are what the test calls them. `missing` is no object: who may list is told so, others are refused
# ("If you don't have the s3:ListBucket permission, Amazon S3 returns an HTTP status code 403").
OPERATIONS = """
                      | read write readpub list listpub readlist delete tags upload config admin versions all crossed
GetObject pub/a       | +    -     +       -    -       +        -      -    -      -      -     -        +   +
GetObject sec/a       | +    -     -       -    -       +        -      -    -      -      -     -        +   +
GetObject missing     | -    -     -       -    -       +        -      -    -      -      -     -        +   -
GetObject version     | -    -     -       -    -       -        -      -    -      -      -     +        +   +
HeadObject pub/a      | +    -     +       -    -       +        -      -    -      -      -     -        +   +
HeadObject sec/a      | +    -     -       -    -       +        -      -    -      -      -     -        +   +
HeadObject missing    | -    -     -       -    -       +        -      -    -      -      -     -        +   -
GetObjectAttributes   | -    -     -       -    -       -        -      -    -      -      -     -        +   +
GetObjectAcl          | -    -     -       -    -       -        -      -    -      -      -     -        +   +
PutObject             | -    +     -       -    -       -        -      -    +      -      -     -        +   +
PutObject with tags   | -    -     -       -    -       -        -      -    -      -      -     -        +   +
CopyObject            | -    -     -       -    -       -        -      -    -      -      -     -        +   +
DeleteObject          | -    -     -       -    -       -        +      -    -      -      -     -        +   +
DeleteObject version  | -    -     -       -    -       -        -      -    -      -      -     -        +   +
ListObjectsV2         | -    -     -       +    -       +        -      -    -      -      -     -        +   -
ListObjectsV2 pub/    | -    -     -       +    +       +        -      -    -      -      -     -        +   -
ListObjectsV2 sec/    | -    -     -       +    -       +        -      -    -      -      -     -        +   -
ListObjects           | -    -     -       +    -       +        -      -    -      -      -     -        +   -
ListObjectVersions    | -    -     -       -    -       -        -      -    -      -      -     +        +   -
HeadBucket            | -    -     -       +    -       +        -      -    -      -      -     -        +   -
CreateMultipartUpload | -    +     -       -    -       -        -      -    +      -      -     -        +   +
UploadPart            | -    +     -       -    -       -        -      -    +      -      -     -        +   +
UploadPartCopy        | -    -     -       -    -       -        -      -    -      -      -     -        +   +
CompleteMultipart     | -    +     -       -    -       -        -      -    +      -      -     -        +   +
AbortMultipartUpload  | -    -     -       -    -       -        -      -    +      -      -     -        +   +
ListParts             | -    -     -       -    -       -        -      -    +      -      -     -        +   +
ListMultipartUploads  | -    -     -       -    -       -        -      -    +      -      -     -        +   -
GetObjectTagging      | -    -     -       -    -       -        -      +    -      -      -     -        +   +
PutObjectTagging      | -    -     -       -    -       -        -      +    -      -      -     -        +   +
DeleteObjectTagging   | -    -     -       -    -       -        -      +    -      -      -     -        +   +
GetBucketLocation     | -    -     -       -    -       -        -      -    -      +      -     -        +   -
GetBucketVersioning   | -    -     -       -    -       -        -      -    -      +      -     -        +   -
GetBucketAcl          | -    -     -       -    -       -        -      -    -      +      -     -        +   -
GetBucketTagging      | -    -     -       -    -       -        -      -    -      +      -     -        +   -
PutBucketTagging      | -    -     -       -    -       -        -      -    -      -      -     -        +   -
GetBucketEncryption   | -    -     -       -    -       -        -      -    -      +      -     -        +   -
PutBucketEncryption   | -    -     -       -    -       -        -      -    -      -      +     -        +   -
GetPublicAccessBlock  | -    -     -       -    -       -        -      -    -      +      -     -        +   -
PutPublicAccessBlock  | -    -     -       -    -       -        -      -    -      -      -     -        +   -
GetBucketPolicy       | -    -     -       -    -       -        -      -    -      p      p     -        p   -
PutBucketPolicy       | -    -     -       -    -       -        -      -    -      -      p     -        p   -
DeleteBucketPolicy    | -    -     -       -    -       -        -      -    -      -      p     -        p   -
"""
