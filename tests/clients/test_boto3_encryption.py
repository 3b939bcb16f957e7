"""The rules of server-side encryption: what is refused, with which code, and what a bucket's default does."""

import base64
import secrets

import pytest
from botocore.exceptions import ClientError

from modes import CUSTOMER_KEY, Mode


def refused(call, **arguments) -> tuple[str, int]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_bucket_that_was_never_configured_answers_aes256(s3, bucket):
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert rules[0]["BucketKeyEnabled"] is False


@pytest.mark.parametrize("algorithm,bucket_key", [("aws:kms", False), ("aws:kms", True), ("aws:kms:dsse", False)])
def test_the_default_of_a_bucket_applies_where_the_request_says_nothing(s3, bucket, key_arn, algorithm, bucket_key):
    default = {"SSEAlgorithm": algorithm, "KMSMasterKeyID": key_arn}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket=bucket, Key="default", Body=b"x")
    s3.put_object(Bucket=bucket, Key="explicit", Body=b"x", ServerSideEncryption="AES256")
    head = s3.head_object(Bucket=bucket, Key="default")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == (algorithm, key_arn)
    assert head.get("BucketKeyEnabled", False) == bucket_key
    assert s3.head_object(Bucket=bucket, Key="explicit")["ServerSideEncryption"] == "AES256"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert s3.put_object(Bucket=bucket, Key="after", Body=b"x")["ServerSideEncryption"] == "AES256"


def test_no_key_named_means_the_aws_managed_key(s3, kms, bucket):
    arn = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")["SSEKMSKeyId"]
    metadata = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
    assert (metadata["Arn"], metadata["KeyManager"]) == (arn, "AWS")


def test_keys_are_named_by_id_arn_and_alias(s3, kms, bucket, key_arn):
    alias = "alias/test-" + secrets.token_hex(6)
    kms.create_alias(AliasName=alias, TargetKeyId=key_arn)
    for name in (key_arn, key_arn.split("/")[1], alias, key_arn.split(":key/")[0] + ":" + alias):
        stored = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=name)
        assert stored["SSEKMSKeyId"] == key_arn


def test_keys_that_cannot_be_used(s3, kms, bucket):
    def put(key):
        return refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)

    assert put("11111111-2222-3333-4444-555555555555") == ("KMS.NotFoundException", 400)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    s3.put_object(Bucket=bucket, Key="before", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    kms.disable_key(KeyId=key)
    assert put(key) == ("KMS.DisabledException", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="before") == ("KMS.DisabledException", 400)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert put(key) == ("KMS.KMSInvalidStateException", 400)
    kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert s3.get_object(Bucket=bucket, Key="before")["Body"].read() == b"x"


def test_customer_keys_missing_wrong_and_needless(s3, bucket):
    s3.put_object(Bucket=bucket, Key="c", Body=b"secret", **Mode.SSE_C.write(""))
    s3.put_object(Bucket=bucket, Key="plain", Body=b"open")
    other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(32)}
    assert refused(s3.get_object, Bucket=bucket, Key="c") == ("InvalidRequest", 400)
    assert refused(s3.head_object, Bucket=bucket, Key="c") == ("400", 400)
    assert refused(s3.get_object, Bucket=bucket, Key="c", **other) == ("AccessDenied", 403)
    assert refused(s3.get_object, Bucket=bucket, Key="plain", **other) == ("InvalidRequest", 400)
    unknown = {"SSECustomerAlgorithm": "AES128", "SSECustomerKey": CUSTOMER_KEY}
    assert refused(s3.put_object, Bucket=bucket, Key="c", Body=b"", **unknown) == ("InvalidEncryptionAlgorithmError", 400)
    short = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(31)}
    assert refused(s3.put_object, Bucket=bucket, Key="c", Body=b"", **short) == ("InvalidArgument", 400)


def test_customer_keys_over_plain_http_are_refused(server, bucket):
    plain = server.client("s3")
    assert refused(_raw_put(server, plain, bucket)) == ("InvalidRequest", 400)


def _raw_put(server, plain, bucket):
    """boto3 refuses to send a customer key over HTTP; a hook puts the headers in behind its back."""

    def add(params, **_):
        params["headers"].update(Mode.SSE_C.headers(""))

    plain.meta.events.register("before-call.s3.PutObject", add)
    return lambda: plain.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_parts_take_the_key_of_their_upload(s3, bucket, key_arn):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", **Mode.SSE_C.write(""))["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload, "PartNumber": 1, "Body": b"x"}
    assert refused(s3.upload_part, **part) == ("InvalidRequest", 400)
    other = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": bytes(32)}
    assert refused(s3.upload_part, **part, **other) == ("InvalidRequest", 400)


def test_conflicting_requests(s3, bucket, key_arn):
    def put(**arguments):
        return refused(s3.put_object, Bucket=bucket, Key="k", Body=b"x", **arguments)

    assert put(ServerSideEncryption="AES256", SSEKMSKeyId=key_arn)[0] == "InvalidArgument"
    assert put(ServerSideEncryption="AES256", **Mode.SSE_C.read())[0] == "InvalidArgument"
    assert put(ServerSideEncryption="aws:kms", **Mode.SSE_C.read())[0] == "InvalidArgument"
    assert put(ServerSideEncryption="aws:nonsense")[0] == "InvalidArgument"
    context = base64.b64encode(b"[1]").decode()
    assert put(ServerSideEncryption="aws:kms", SSEKMSEncryptionContext=context)[1] == 400


def test_blocked_encryption_types(own_server):
    """AWS's default since April 2026: SSE-C is refused on a new bucket until its owner allows it."""
    own_server.stop()
    own_server.flags = ()
    own_server.start()
    s3 = own_server.client("s3", secure=True)
    s3.create_bucket(Bucket="blocked")
    customer = Mode.SSE_C.write("")
    assert refused(s3.put_object, Bucket="blocked", Key="k", Body=b"x", **customer) == ("AccessDenied", 403)
    assert refused(s3.create_multipart_upload, Bucket="blocked", Key="k", **customer) == ("AccessDenied", 403)
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]},
    }
    s3.put_bucket_encryption(Bucket="blocked", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_object(Bucket="blocked", Key="k", Body=b"x", **customer)
    rule["BlockedEncryptionTypes"] = {"EncryptionType": ["SSE-C"]}
    s3.put_bucket_encryption(Bucket="blocked", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert refused(s3.put_object, Bucket="blocked", Key="k", Body=b"x", **customer) == ("AccessDenied", 403)
    assert s3.get_object(Bucket="blocked", Key="k", **Mode.SSE_C.read())["Body"].read() == b"x"
