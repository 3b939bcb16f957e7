"""boto3 against bucket policies, identity policies, Block Public Access and tags."""

import json
import secrets

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from people import ROOT, People, allow, deny, document, of, of_everyone
from strongroom import ACCOUNT


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("s3-policies"))
    yield people
    people.server.stop()


def refused(call, **arguments) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    answer = error.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"].get("Message", "")


def denied(call, **arguments) -> str:
    """The message of an AccessDenied; HEAD has none."""
    status, code, message = refused(call, **arguments)
    assert (status, code) in ((403, "AccessDenied"), (403, "403")), (status, code, message)
    return message


def put(people, bucket, key="k", **more):
    people.s3.put_object(Bucket=bucket, Key=key, Body=b"body", **more)


# The policy itself.


def test_a_policy_comes_back_as_it_was_put(people):
    bucket = people.bucket()
    assert refused(people.s3.get_bucket_policy, Bucket=bucket)[:2] == (404, "NoSuchBucketPolicy")
    assert refused(people.s3.get_bucket_policy_status, Bucket=bucket)[:2] == (404, "NoSuchBucketPolicy")
    text = document(of(f"arn:aws:iam::{ACCOUNT}:root", allow("s3:*", f"arn:aws:s3:::{bucket}"))) + " "
    assert people.s3.put_bucket_policy(Bucket=bucket, Policy=text)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert people.s3.get_bucket_policy(Bucket=bucket)["Policy"] == text
    assert people.s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is False
    for _ in range(2):
        assert people.s3.delete_bucket_policy(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204


@pytest.mark.parametrize(
    "policy, message",
    [
        ("", "Policies must be valid JSON and the first byte must be '{'"),
        ("[]", "Policies must be valid JSON and the first byte must be '{'"),
        ("{}", "Missing required field Statement"),
        (document(allow("s3:*", "BUCKET")), "Missing required field Principal"),
        (document(of_everyone(allow("s3:Nonsense", "BUCKET"))), "Policy has invalid action"),
        (document(of_everyone(allow("s3:*", "arn:aws:s3:::another"))), "Policy has invalid resource"),
        (document(of_everyone(allow("s3:GetObject", "BUCKET"))), "Action does not apply to any resource(s) in statement"),
        (document(of("someone", allow("s3:*", "BUCKET"))), "Invalid principal in policy"),
        (document(of_everyone(allow("s3:*", "BUCKET", Condition={"StringEquals": {"s3:nonsense": "x"}}))), "Policy has an invalid condition key"),
    ],
)
def test_malformed_policies(people, policy, message):
    bucket = people.bucket()
    text = policy.replace("BUCKET", f"arn:aws:s3:::{bucket}")
    if not text:
        text = " "
    assert refused(people.s3.put_bucket_policy, Bucket=bucket, Policy=text) == (400, "MalformedPolicy", message)


def test_the_owners_root_user_is_never_locked_out_of_the_policy(people):
    bucket = people.bucket(of_everyone(deny("s3:*", ["BUCKET", "BUCKET/*"])))
    assert "with an explicit deny in a resource-based policy" in denied(people.s3.list_objects_v2, Bucket=bucket)
    user = people.user(allow("s3:*", "*"))
    denied(user.s3.get_bucket_policy, Bucket=bucket)
    denied(user.s3.delete_bucket_policy, Bucket=bucket)
    people.s3.get_bucket_policy(Bucket=bucket)
    people.s3.delete_bucket_policy(Bucket=bucket)
    people.s3.list_objects_v2(Bucket=bucket)


def test_strangers_who_are_allowed_everything_may_not_touch_the_policy(people):
    bucket = people.bucket(of(people.other.arn, allow("s3:*", ["BUCKET", "BUCKET/*"])))
    people.other.s3.list_objects_v2(Bucket=bucket)
    assert refused(people.other.s3.get_bucket_policy, Bucket=bucket)[:2] == (405, "MethodNotAllowed")
    assert refused(people.other.s3.delete_bucket_policy, Bucket=bucket)[:2] == (405, "MethodNotAllowed")
    text = people.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert refused(people.other.s3.put_bucket_policy, Bucket=bucket, Policy=text)[:2] == (405, "MethodNotAllowed")


# Who may what.


def test_messages_name_user_action_and_resource(people):
    bucket = people.bucket()
    put(people, bucket)
    user = people.user()
    assert denied(user.s3.get_object, Bucket=bucket, Key="k") == (
        f'User: {user.arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::{bucket}/k" '
        "because no identity-based policy allows the s3:GetObject action"
    )
    assert denied(user.s3.list_buckets) == (
        f"User: {user.arn} is not authorized to perform: s3:ListAllMyBuckets "
        "because no identity-based policy allows the s3:ListAllMyBuckets action"
    )
    assert denied(people.other.s3.get_object, Bucket=bucket, Key="k") == "Access Denied"
    assert denied(people.nobody.get_object, Bucket=bucket, Key="k") == "Access Denied"


def test_within_an_account_either_policy_is_enough_and_across_accounts_both(people):
    bucket = people.bucket()
    put(people, bucket)
    mine, plain = people.user(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")), people.user()
    theirs, theirs_plain = people.user(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), other=True), people.user(other=True)
    get = {"Bucket": bucket, "Key": "k"}
    mine.s3.get_object(**get)
    denied(plain.s3.get_object, **get)
    denied(theirs.s3.get_object, **get)
    people.policy(bucket, {"Effect": "Allow", "Principal": {"AWS": [plain.arn, theirs.arn, theirs_plain.arn]}, "Action": "s3:GetObject", "Resource": "BUCKET/*"})
    plain.s3.get_object(**get)
    theirs.s3.get_object(**get)
    denied(theirs_plain.s3.get_object, **get)
    people.policy(bucket, of_everyone(deny("s3:GetObject", "BUCKET/k")))
    for person in (mine, plain, theirs):
        denied(person.s3.get_object, **get)
    denied(people.s3.get_object, **get)


def test_what_is_missing_is_told_to_those_who_may_list(people):
    bucket = people.bucket()
    reader = people.user(allow(["s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectAttributes"], f"arn:aws:s3:::{bucket}/*"))
    lister = people.user(allow(["s3:GetObject", "s3:ListBucket"], ["*"]))
    missing = {"Bucket": bucket, "Key": "missing"}
    assert refused(reader.s3.head_object, **missing)[0] == 403
    assert "s3:ListBucket on resource" in denied(reader.s3.get_object, **missing)
    denied(reader.s3.get_object_tagging, **missing)
    denied(reader.s3.get_object_attributes, ObjectAttributes=["ETag"], **missing)
    assert refused(lister.s3.get_object, **missing)[:2] == (404, "NoSuchKey")
    assert refused(lister.s3.head_object, **missing)[0] == 404


def test_each_operation_needs_its_own_action(people):
    bucket = people.bucket()
    put(people, bucket, Tagging="team=blue")
    arn, objects = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"
    named = {"Bucket": bucket, "Key": "k"}
    source = {"CopySource": f"{bucket}/k"}
    upload = people.s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    tags = {"Tagging": {"TagSet": [{"Key": "team", "Value": "blue"}]}}
    block = {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True, "BlockPublicAcls": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}}
    sse = {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}
    cases = [
        ("get_object", named, ["s3:GetObject"]),
        ("head_object", named, ["s3:GetObject"]),
        ("get_object", named | {"VersionId": "null"}, ["s3:GetObjectVersion"]),
        ("get_object_attributes", named | {"ObjectAttributes": ["ETag"]}, ["s3:GetObject", "s3:GetObjectAttributes"]),
        ("get_object_acl", named, ["s3:GetObjectAcl"]),
        ("put_object_acl", named | {"ACL": "bucket-owner-full-control"}, ["s3:PutObjectAcl"]),
        ("get_object_tagging", named, ["s3:GetObjectTagging"]),
        ("get_object_tagging", named | {"VersionId": "null"}, ["s3:GetObjectVersionTagging"]),
        ("put_object_tagging", named | tags, ["s3:PutObjectTagging"]),
        ("delete_object_tagging", named | {"VersionId": "null"}, ["s3:DeleteObjectVersionTagging"]),
        ("put_object_tagging", named | tags | {"VersionId": "null"}, ["s3:PutObjectVersionTagging"]),
        ("put_object", named | {"Body": b"x"}, ["s3:PutObject"]),
        ("put_object", named | {"Body": b"x", "Tagging": "team=blue"}, ["s3:PutObject", "s3:PutObjectTagging"]),
        ("put_object", named | {"Body": b"x", "ACL": "bucket-owner-full-control", "Tagging": "team=blue"}, ["s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"]),
        ("copy_object", {"Bucket": bucket, "Key": "copy"} | source, ["s3:GetObject", "s3:PutObject", "s3:GetObjectTagging", "s3:PutObjectTagging"]),
        ("copy_object", {"Bucket": bucket, "Key": "copy", "TaggingDirective": "REPLACE"} | source, ["s3:GetObject", "s3:PutObject"]),
        ("create_multipart_upload", {"Bucket": bucket, "Key": "upload"}, ["s3:PutObject"]),
        ("upload_part", named | {"UploadId": upload, "PartNumber": 1, "Body": b"x"}, ["s3:PutObject"]),
        ("upload_part_copy", named | {"UploadId": upload, "PartNumber": 2} | source, ["s3:PutObject", "s3:GetObject"]),
        ("list_parts", named | {"UploadId": upload}, ["s3:ListMultipartUploadParts"]),
        ("abort_multipart_upload", named | {"UploadId": upload}, ["s3:AbortMultipartUpload"]),
        ("delete_object", {"Bucket": bucket, "Key": "copy"}, ["s3:DeleteObject"]),
        ("delete_object", {"Bucket": bucket, "Key": "copy", "VersionId": "null"}, ["s3:DeleteObjectVersion"]),
        ("list_objects", {"Bucket": bucket}, ["s3:ListBucket"]),
        ("list_objects_v2", {"Bucket": bucket}, ["s3:ListBucket"]),
        ("head_bucket", {"Bucket": bucket}, ["s3:ListBucket"]),
        ("list_object_versions", {"Bucket": bucket}, ["s3:ListBucketVersions"]),
        ("list_multipart_uploads", {"Bucket": bucket}, ["s3:ListBucketMultipartUploads"]),
        ("list_buckets", {}, ["s3:ListAllMyBuckets"]),
        ("get_bucket_location", {"Bucket": bucket}, ["s3:GetBucketLocation"]),
        ("get_bucket_versioning", {"Bucket": bucket}, ["s3:GetBucketVersioning"]),
        ("get_bucket_acl", {"Bucket": bucket}, ["s3:GetBucketAcl"]),
        ("get_bucket_encryption", {"Bucket": bucket}, ["s3:GetEncryptionConfiguration"]),
        ("put_bucket_encryption", {"Bucket": bucket} | sse, ["s3:PutEncryptionConfiguration"]),
        ("delete_bucket_encryption", {"Bucket": bucket}, ["s3:PutEncryptionConfiguration"]),
        ("get_bucket_ownership_controls", {"Bucket": bucket}, ["s3:GetBucketOwnershipControls"]),
        ("put_bucket_tagging", {"Bucket": bucket} | tags, ["s3:PutBucketTagging"]),
        ("get_bucket_tagging", {"Bucket": bucket}, ["s3:GetBucketTagging"]),
        ("delete_bucket_tagging", {"Bucket": bucket}, ["s3:PutBucketTagging"]),
        ("put_bucket_policy", {"Bucket": bucket, "Policy": document(of(ROOT, allow("s3:GetObject", objects)))}, ["s3:PutBucketPolicy"]),
        ("get_bucket_policy", {"Bucket": bucket}, ["s3:GetBucketPolicy"]),
        ("get_bucket_policy_status", {"Bucket": bucket}, ["s3:GetBucketPolicyStatus"]),
        ("delete_bucket_policy", {"Bucket": bucket}, ["s3:DeleteBucketPolicy"]),
        ("put_public_access_block", {"Bucket": bucket} | block, ["s3:PutBucketPublicAccessBlock"]),
        ("get_public_access_block", {"Bucket": bucket}, ["s3:GetBucketPublicAccessBlock"]),
        ("create_bucket", {"Bucket": bucket + "-2"}, ["s3:CreateBucket"]),
        ("delete_bucket", {"Bucket": bucket + "-2"}, ["s3:DeleteBucket"]),
    ]
    user = people.user()
    resources = [arn, objects, arn + "-2"]
    for operation, arguments, actions in cases:
        call = getattr(user.s3, operation)
        for lacking in actions:
            rest = [action for action in actions if action != lacking]
            wide = "*" if "s3:ListAllMyBuckets" in actions else resources
            statements = [allow(rest, wide)] if rest else [allow("s3:ListStorageLensGroups", "*")]
            people.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(*statements))
            message = denied(call, **arguments)
            assert operation.startswith("head") or lacking in message, (operation, lacking, message)
        people.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(allow(actions, wide)))
        call(**arguments)


def test_delete_objects_decides_key_by_key(people):
    bucket = people.bucket()
    keys = ["a/1", "b/1", "a/2", "b/2"]
    for key in keys:
        put(people, bucket, key)
    user = people.user(allow("s3:DeleteObject", f"arn:aws:s3:::{bucket}/a/*"))
    answer = user.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a/1", "a/2"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("b/1", "AccessDenied"), ("b/2", "AccessDenied")]
    assert f'"arn:aws:s3:::{bucket}/b/1"' in answer["Errors"][0]["Message"]
    left = [entry["Key"] for entry in people.s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left == ["b/1", "b/2"]


def test_each_account_lists_its_own_buckets(people):
    bucket = people.bucket(of(people.other.arn, allow("s3:*", ["BUCKET", "BUCKET/*"])))
    assert bucket in [entry["Name"] for entry in people.s3.list_buckets()["Buckets"]]
    assert bucket not in [entry["Name"] for entry in people.other.s3.list_buckets()["Buckets"]]
    denied(people.other.s3.get_object, Bucket=bucket, Key="k", ExpectedBucketOwner="999988887777")


def test_a_write_only_and_a_read_only_user(people):
    bucket = people.bucket()
    writer = people.user(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    reader = people.user(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    writer.s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    denied(writer.s3.get_object, Bucket=bucket, Key="k")
    assert reader.s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    denied(reader.s3.put_object, Bucket=bucket, Key="k", Body=b"y")


# Condition keys.


def on(operator, key, value):
    return {"Condition": {operator: {key: value}}}


def test_encryption_can_be_demanded(people):
    key = people.kms.create_key()["KeyMetadata"]
    people.kms.create_alias(AliasName="alias/s3-policies", TargetKeyId=key["KeyId"])
    header = "s3:x-amz-server-side-encryption"
    bucket = people.bucket(
        of_everyone(deny("s3:PutObject", "BUCKET/*", **on("StringNotEquals", header, "aws:kms"))),
        of_everyone(deny("s3:PutObject", "BUCKET/*", **on("ArnNotEqualsIfExists", header + "-aws-kms-key-id", key["Arn"]))),
    )
    denied(people.s3.put_object, Bucket=bucket, Key="k", Body=b"x")
    denied(people.s3.put_object, Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")
    denied(people.s3.put_object, Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    for name in (key["Arn"], key["KeyId"], "alias/s3-policies"):
        people.s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=name)
    # An upload's parts say nothing of encryption: what its creation said counts.
    denied(people.s3.create_multipart_upload, Bucket=bucket, Key="m")
    upload = people.s3.create_multipart_upload(Bucket=bucket, Key="m", ServerSideEncryption="aws:kms", SSEKMSKeyId=key["Arn"])["UploadId"]
    part = people.s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x")
    people.s3.complete_multipart_upload(
        Bucket=bucket, Key="m", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    )
    people.policy(bucket, of_everyone(deny("s3:PutObject", "BUCKET/*", **on("Null", header, "true"))))
    denied(people.s3.put_object, Bucket=bucket, Key="k", Body=b"x")
    people.s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="AES256")


def test_customer_keys_can_be_demanded_and_forbidden(people):
    name = "s3:x-amz-server-side-encryption-customer-algorithm"
    bucket = people.bucket(of_everyone(deny("s3:PutObject", "BUCKET/*", **on("Null", name, "true"))))
    customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": secrets.token_bytes(32)}
    denied(people.s3.put_object, Bucket=bucket, Key="k", Body=b"x")
    people.s3.put_object(Bucket=bucket, Key="k", Body=b"x", **customer)
    people.policy(bucket, of_everyone(deny("s3:PutObject", "BUCKET/*", **on("Null", name, "false"))))
    denied(people.s3.put_object, Bucket=bucket, Key="k", Body=b"x", **customer)
    people.s3.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_listings_by_prefix(people):
    bucket = people.bucket()
    put(people, bucket, "home/alice/1")
    arn = f"arn:aws:s3:::{bucket}"
    user = people.user(allow("s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": ["", "home/", "home/alice/*"]}, "StringEquals": {"s3:delimiter": "/"}}))
    user.s3.list_objects_v2(Bucket=bucket, Prefix="home/alice/", Delimiter="/")
    user.s3.list_objects(Bucket=bucket, Prefix="", Delimiter="/")
    denied(user.s3.list_objects_v2, Bucket=bucket, Prefix="home/bob/", Delimiter="/")
    denied(user.s3.list_objects_v2, Bucket=bucket, Prefix="home/alice/")
    denied(user.s3.list_objects_v2, Bucket=bucket, Delimiter="/")
    few = people.user(allow("s3:ListBucket", arn, **on("NumericLessThanEquals", "s3:max-keys", "10")))
    few.s3.list_objects_v2(Bucket=bucket, MaxKeys=10)
    denied(few.s3.list_objects_v2, Bucket=bucket, MaxKeys=11)
    denied(few.s3.list_objects_v2, Bucket=bucket)


def test_existing_tags_decide(people):
    bucket = people.bucket()
    put(people, bucket, "blue", Tagging="team=blue")
    put(people, bucket, "red", Tagging="team=red")
    put(people, bucket, "none")
    objects = f"arn:aws:s3:::{bucket}/*"
    user = people.user(allow(["s3:GetObject", "s3:GetObjectTagging", "s3:PutObjectTagging"], objects, **on("StringEquals", "s3:ExistingObjectTag/team", "blue")))
    user.s3.get_object(Bucket=bucket, Key="blue")
    user.s3.get_object_tagging(Bucket=bucket, Key="blue")
    for key in ("red", "none", "missing"):
        denied(user.s3.get_object, Bucket=bucket, Key=key)
        denied(user.s3.get_object_tagging, Bucket=bucket, Key=key)
        denied(user.s3.put_object_tagging, Bucket=bucket, Key=key, Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    denied(user.s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/red")
    user.s3.put_object_tagging(Bucket=bucket, Key="blue", Tagging={"TagSet": [{"Key": "team", "Value": "red"}]})
    denied(user.s3.get_object, Bucket=bucket, Key="blue")


def test_tags_of_a_request_decide(people):
    bucket = people.bucket()
    objects = f"arn:aws:s3:::{bucket}/*"
    user = people.user(
        allow(["s3:PutObject", "s3:PutObjectTagging"], objects, Condition={
            "StringEquals": {"s3:RequestObjectTag/team": "blue"},
            "ForAllValues:StringEquals": {"s3:RequestObjectTagKeys": ["team", "project"]},
        })
    )
    user.s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging="team=blue&project=p")
    denied(user.s3.put_object, Bucket=bucket, Key="k", Body=b"x", Tagging="team=red")
    denied(user.s3.put_object, Bucket=bucket, Key="k", Body=b"x", Tagging="team=blue&secret=p")
    denied(user.s3.put_object, Bucket=bucket, Key="k", Body=b"x")
    user.s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    denied(user.s3.put_object_tagging, Bucket=bucket, Key="k", Tagging={"TagSet": []})
    upload = user.s3.create_multipart_upload(Bucket=bucket, Key="m", Tagging="team=blue")["UploadId"]
    user.s3.upload_part(Bucket=bucket, Key="m", UploadId=upload, PartNumber=1, Body=b"x")


def test_copies_by_source_and_directive(people):
    bucket = people.bucket()
    put(people, bucket, "public/a b")
    put(people, bucket, "private/a")
    objects = f"arn:aws:s3:::{bucket}/*"
    user = people.user(
        allow("s3:GetObject", objects),
        allow("s3:PutObject", objects, Condition={"StringLike": {"s3:x-amz-copy-source": f"{bucket}/public/*"}, "StringEquals": {"s3:x-amz-metadata-directive": "REPLACE"}}),
    )
    copy = {"Bucket": bucket, "Key": "copy", "MetadataDirective": "REPLACE"}
    for source in (f"{bucket}/public/a b", f"/{bucket}/public/a b", {"Bucket": bucket, "Key": "public/a b"}):
        user.s3.copy_object(CopySource=source, **copy)
    denied(user.s3.copy_object, CopySource=f"{bucket}/private/a", **copy)
    denied(user.s3.copy_object, Bucket=bucket, Key="copy", CopySource=f"{bucket}/public/a b")
    denied(user.s3.put_object, Bucket=bucket, Key="copy", Body=b"x")


def test_how_a_request_was_signed_decides(people):
    bucket = people.bucket(of_everyone(deny("s3:*", ["BUCKET", "BUCKET/*"], **on("NumericGreaterThan", "s3:signatureAge", "600000"))))
    put(people, bucket)
    signing = people.server.client("s3", secure=True, config=Config(signature_version="s3v4"))
    presign = lambda: signing.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=60)  # noqa: E731
    fetch = lambda: requests.get(presign(), verify=people.server.ca_bundle(), timeout=10).status_code  # noqa: E731
    assert fetch() == 200
    for key, header, query in [
        ("s3:authType", "REST-HEADER", "REST-QUERY-STRING"),
        ("s3:x-amz-content-sha256", None, "UNSIGNED-PAYLOAD"),
    ]:
        people.policy(bucket, of_everyone(deny("s3:GetObject", "BUCKET/*", **on("StringEquals", key, query))))
        assert fetch() == 403, key
        people.s3.get_object(Bucket=bucket, Key="k")
        if header:
            people.policy(bucket, of_everyone(deny("s3:GetObject", "BUCKET/*", **on("StringEquals", key, header))))
            denied(people.s3.get_object, Bucket=bucket, Key="k")
            assert fetch() == 200
    people.policy(bucket, of_everyone(deny("s3:GetObject", "BUCKET/*", **on("StringEquals", "s3:signatureversion", "AWS4-HMAC-SHA256"))))
    assert fetch() == 403
    people.policy(bucket, of_everyone(deny("s3:GetObject", "BUCKET/*", **on("NumericLessThan", "s3:TlsVersion", "1.3"))))
    assert fetch() == 200
    people.policy(bucket, of_everyone(deny("s3:GetObject", "BUCKET/*", **on("NumericGreaterThanEquals", "s3:TlsVersion", "1.3"))))
    assert fetch() == 403


def test_plain_http_can_be_refused(people):
    bucket = people.bucket(of_everyone(deny("s3:*", ["BUCKET", "BUCKET/*"], **on("Bool", "aws:SecureTransport", "false"))))
    put(people, bucket)
    denied(people.server.client("s3").get_object, Bucket=bucket, Key="k")


def test_locations_of_new_buckets(people):
    user = people.user(allow("s3:CreateBucket", "*", **on("StringEquals", "s3:LocationConstraint", "eu-central-1")))
    denied(user.s3.create_bucket, Bucket="bucket-" + secrets.token_hex(8))
    narrow = people.user(allow("s3:CreateBucket", "arn:aws:s3:::narrow-*"))
    narrow.s3.create_bucket(Bucket="narrow-" + secrets.token_hex(8))
    denied(narrow.s3.create_bucket, Bucket="wide-" + secrets.token_hex(8))


# Strangers and Block Public Access.


def test_new_buckets_block_public_access(people):
    bucket = people.bucket()
    block = people.s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
    public = document(of_everyone(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*")))
    assert denied(people.s3.put_bucket_policy, Bucket=bucket, Policy=public) == (
        f'User: {ROOT} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::{bucket}" '
        "because public policies are blocked by the BlockPublicPolicy block public access setting."
    )
    people.s3.delete_public_access_block(Bucket=bucket)
    assert refused(people.s3.get_public_access_block, Bucket=bucket)[:2] == (404, "NoSuchPublicAccessBlockConfiguration")
    people.s3.put_bucket_policy(Bucket=bucket, Policy=public)
    assert people.s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"]["IsPublic"] is True


def test_a_public_bucket_and_its_restriction(people):
    bucket = people.bucket(of_everyone(allow("s3:GetObject", "BUCKET/*")), of_everyone(allow("s3:ListBucket", "BUCKET")), public=True)
    put(people, bucket)
    user, stranger = people.user(), people.user(allow("s3:*", "*"), other=True)
    everyone = (people.nobody, user.s3, stranger.s3)
    for client in everyone:
        assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"body"
        assert client.head_object(Bucket=bucket, Key="k")["ContentLength"] == 4
        assert refused(client.get_object, Bucket=bucket, Key="missing")[:2] == (404, "NoSuchKey")
        denied(client.put_object, Bucket=bucket, Key="k", Body=b"x")
    assert len(people.nobody.list_objects_v2(Bucket=bucket)["Contents"]) == 1
    url = f"{people.server.https}/{bucket}/k?response-content-type=text/html"
    assert requests.get(url, verify=people.server.ca_bundle(), timeout=10).status_code == 400
    people.s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    denied(people.nobody.get_object, Bucket=bucket, Key="k")
    denied(stranger.s3.get_object, Bucket=bucket, Key="k")
    user.s3.get_object(Bucket=bucket, Key="k")


def test_nobody_reads_what_a_kms_key_encrypts(people):
    bucket = people.bucket(of_everyone(allow("s3:*", ["BUCKET", "BUCKET/*"])), public=True)
    key = people.kms.create_key(Policy=document(of_everyone(allow("kms:*", "*"))))["KeyMetadata"]["Arn"]
    put(people, bucket, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    message = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4."
    assert refused(people.nobody.get_object, Bucket=bucket, Key="k") == (400, "InvalidArgument", message)
    assert refused(people.nobody.put_object, Bucket=bucket, Key="n", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)[0] == 400
    people.nobody.put_object(Bucket=bucket, Key="n", Body=b"x")
    assert people.nobody.get_object(Bucket=bucket, Key="n")["ServerSideEncryption"] == "AES256"


# Tags.


def test_tags_of_objects(people):
    bucket = people.bucket()
    put(people, bucket, Tagging="b=2&a=1")
    assert people.s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert people.s3.head_object(Bucket=bucket, Key="k")["TagCount"] == 2
    people.s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    assert people.s3.get_object(Bucket=bucket, Key="copy")["TagCount"] == 2
    people.s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k", Tagging="z=9", TaggingDirective="REPLACE")
    assert people.s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == [{"Key": "z", "Value": "9"}]
    people.s3.delete_object_tagging(Bucket=bucket, Key="k")
    assert "TagCount" not in people.s3.get_object(Bucket=bucket, Key="k")
    tags = lambda *pairs: {"TagSet": [{"Key": key, "Value": value} for key, value in pairs]}  # noqa: E731
    wrong = [
        (tags(*((str(number), "") for number in range(11))), "BadRequest", "Object tags cannot be greater than 10"),
        (tags(("k", "1"), ("k", "2")), "InvalidTag", "Cannot provide multiple Tags with the same key"),
        (tags(("k" * 129, "")), "InvalidTag", "The TagKey you have provided is invalid"),
        (tags(("k", "v" * 257)), "InvalidTag", "The TagValue you have provided is invalid"),
        (tags(("aws:k", "")), "InvalidTag", "Your TagKey cannot be prefixed with aws:"),
    ]
    for tagging, code, message in wrong:
        assert refused(people.s3.put_object_tagging, Bucket=bucket, Key="k", Tagging=tagging) == (400, code, message)
    assert refused(people.s3.put_object, Bucket=bucket, Key="k", Tagging="a=1&a=2")[:2] == (400, "InvalidArgument")


def test_tags_of_a_bucket(people):
    bucket = people.bucket()
    assert refused(people.s3.get_bucket_tagging, Bucket=bucket)[:2] == (404, "NoSuchTagSet")
    fifty = [{"Key": f"{number:02}", "Value": "ä"} for number in range(50)]
    people.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": fifty})
    assert people.s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == fifty
    assert refused(people.s3.put_bucket_tagging, Bucket=bucket, Tagging={"TagSet": [*fifty, {"Key": "k", "Value": ""}]})[0] == 400
    people.s3.delete_bucket_tagging(Bucket=bucket)
    assert refused(people.s3.get_bucket_tagging, Bucket=bucket)[:2] == (404, "NoSuchTagSet")


# From the next request on.


def test_changes_count_from_the_next_request_on(people):
    bucket = people.bucket()
    put(people, bucket)
    user = people.user(allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"))
    for _ in range(3):
        user.s3.get_object(Bucket=bucket, Key="k")
        people.policy(bucket, of(user.arn, deny("s3:GetObject", "BUCKET/*")))
        denied(user.s3.get_object, Bucket=bucket, Key="k")
        people.s3.delete_bucket_policy(Bucket=bucket)
    people.iam.delete_user_policy(UserName=user.name, PolicyName="own")
    denied(user.s3.get_object, Bucket=bucket, Key="k")


def test_a_warm_bucket_key_forgets_nobody_who_lost_its_right(people):
    key = people.kms.create_key()["KeyMetadata"]["Arn"]
    bucket = people.bucket()
    sse = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, "BucketKeyEnabled": True}
    user = people.user(allow("s3:*", "*"))
    grant = people.kms.create_grant(KeyId=key, GranteePrincipal=user.arn, Operations=["Decrypt", "GenerateDataKey"])["GrantId"]
    user.s3.put_object(Bucket=bucket, Key="k", Body=b"x", **sse)
    user.s3.get_object(Bucket=bucket, Key="k")
    people.kms.revoke_grant(KeyId=key, GrantId=grant)
    assert "kms:Decrypt" in denied(user.s3.get_object, Bucket=bucket, Key="k")
    assert "kms:GenerateDataKey" in denied(user.s3.put_object, Bucket=bucket, Key="k", Body=b"y", **sse)
    people.s3.get_object(Bucket=bucket, Key="k")
    people.kms.disable_key(KeyId=key)
    assert refused(people.s3.get_object, Bucket=bucket, Key="k")[:2] == (400, "KMS.DisabledException")


def test_policies_are_documents_of_aws_json(people):
    bucket = people.bucket()
    text = json.dumps({"Version": "2008-10-17", "Id": "x", "Statement": {"Sid": "one", "Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/${{aws:username}}"}})
    people.s3.put_bucket_policy(Bucket=bucket, Policy=text)
    assert people.s3.get_bucket_policy(Bucket=bucket)["Policy"] == text.replace(f'"{ACCOUNT}"', f'"{ROOT}"')
