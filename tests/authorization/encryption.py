"""SSE-KMS: bucket and key have to be allowed, each for itself.

Rules: S3 User Guide, "Using server-side encryption with AWS KMS keys", "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys" (the encryption context is
the object's ARN, with a Bucket Key the bucket's); S3 API reference: PutObject and CreateMultipartUpload (kms:GenerateDataKey), GetObject and UploadPart
(kms:Decrypt), CopyObject (both), HeadObject (kms:Decrypt for checksums alone); KMS Developer Guide, "kms:ViaService", "kms:EncryptionContext:".
"""

from strongroom import REGION

S3 = ("s3:*", "*")

# The columns: statements of users' identity policies. The key's policy allows the account. KEY and OTHER are keys' ARNs.
POLICIES = {
    "both": [S3, ("kms:*", "*")],
    "s3only": [S3],
    "kmsonly": [("kms:*", "*")],
    "decrypt": [S3, ("kms:Decrypt", "KEY")],
    "generate": [S3, ("kms:GenerateDataKey", "KEY")],
    "vias3": [S3, ("kms:*", "*", {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}})],
    "viaec2": [S3, ("kms:*", "*", {"StringEquals": {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}})],
    "notvia": [S3, ("kms:*", "*"), ("!kms:*", "*", {"StringLike": {"kms:ViaService": "s3.*"}})],
    "object": [S3, ("kms:*", "*", {"StringLike": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::*/*"}})],
    "bucket": [S3, ("kms:*", "*", {"StringEquals": {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::encryption-bucket-key"}})],
    "wrongkey": [S3, ("kms:*", "OTHER")],
    "denied": [S3, ("kms:*", "*"), ("!kms:Decrypt", "KEY")],
    "nos3": [S3, ("kms:*", "*"), ("!s3:*", "*")],
}

# "key": the bucket's objects have a data key each. "bucket key": there is a Bucket Key.
IDENTITIES = """
                         | both s3only kmsonly decrypt generate vias3 viaec2 notvia object bucket wrongkey denied nos3
GetObject, key           | I    .      .       I       .        I     .      d      I      .      .        d      d
HeadObject, key          | I    I      .       I       I        I     I      I      I      I      I        I      d
PutObject, key           | I    .      .       .       I        I     .      d      I      .      .        I      d
CopyObject, key          | I    .      .       .       .        I     .      d      I      .      .        d      d
CreateMultipart, key     | I    .      .       .       I        I     .      d      I      .      .        I      d
UploadPart, key          | I    .      .       I       .        I     .      d      I      .      .        d      d
# The checksum is under the key too.
HeadObject checksum, key | I    .      .       I       .        I     .      d      I      .      .        d      d
# "You must have permission to the kms:Decrypt action for the ListParts request to succeed."
ListParts, key           | I    .      .       I       .        I     .      d      I      .      .        d      d
# "If you provide an additional checksum value in your MultipartUpload requests and the object is encrypted with Key Management Service, you must have permission
# to use the kms:Decrypt action for the CompleteMultipartUpload request to succeed."
Complete checksum, key   | I    .      .       I       .        I     .      d      I      .      .        d      d
DeleteObject, key        | I    I      .       I       I        I     I      I      I      I      I        I      d
GetObjectTagging, key    | I    I      .       I       I        I     I      I      I      I      I        I      d
PutObject, named key     | I    .      .       .       I        I     .      d      I      .      .        I      d
PutObject, SSE-S3 asked  | I    I      .       I       I        I     I      I      I      I      I        I      d
GetObject, bucket key    | I    .      .       I       .        I     .      d      .      I      .        d      d
PutObject, bucket key    | I    .      .       .       I        I     .      d      .      I      .        I      d
KMS Decrypt              | I    .      I       I       .        .     .      I      .      .      .        d      I
KMS GenerateDataKey      | I    .      I       .       I        .     .      I      .      .      .        I      I
"""

# By the policies of bucket and key alone: whom each names. Nobody gets in by one of them. The key's policy delegates to no account, the bucket's names `idle`
# by the session, so that nothing else is needed. SSE-KMS is not for anonymous callers.
RESOURCES = """
                             | bare idle xallow xbare anon
GetObject, bucket            | k    k    c      c     v
PutObject, bucket            | k    k    c      c     v
GetObject, key               | .    .    c      c     c
PutObject, key               | .    .    c      c     c
GetObject, bucket and key    | R    R    B      .     v
PutObject, bucket and key    | R    R    B      .     v
"""
