"""boto3 stores and reads objects in every encryption mode, and gets back what it stored."""

import base64
import hashlib
import io
import secrets

import pytest
from botocore.exceptions import ClientError

from modes import Mode

KIB, MIB = 1024, 1024 * 1024
# Around every boundary of the format: nothing, one byte, the inline limit's neighbourhood, segments of 64 KiB, buffers of 1 MiB.
SIZES = [0, 1, 4095, 16 * KIB, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 128 * KIB + 7, MIB, MIB + 1, 3 * MIB + 12345]


def code_of(error) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("size", SIZES)
def test_what_was_stored_comes_back(s3, bucket, key_arn, mode, size):
    content = secrets.token_bytes(size)
    stored = s3.put_object(
        Bucket=bucket, Key="k/ü ", Body=content, ContentType="text/x-test", Metadata={"colour": "green"}, **mode.write(key_arn)
    )
    read = s3.get_object(Bucket=bucket, Key="k/ü ", **mode.read())
    assert read["Body"].read() == content
    assert read["ETag"] == stored["ETag"]
    assert read["ContentLength"] == size
    assert read["ContentType"] == "text/x-test"
    assert read["Metadata"] == {"colour": "green"}
    if mode is Mode.SSE_S3:
        assert stored["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
    else:
        assert stored["ETag"] != f'"{hashlib.md5(content).hexdigest()}"'


def test_answers_say_how_the_object_is_encrypted(s3, bucket, key_arn, mode):
    stored = s3.put_object(Bucket=bucket, Key="k", Body=b"x", **mode.write(key_arn))
    for answer in (stored, s3.head_object(Bucket=bucket, Key="k", **mode.read()), s3.get_object(Bucket=bucket, Key="k", **mode.read())):
        expected = {Mode.SSE_S3: "AES256", Mode.DSSE_KMS: "aws:kms:dsse", Mode.SSE_C: None}.get(mode, "aws:kms")
        assert answer.get("ServerSideEncryption") == expected
        assert answer.get("SSEKMSKeyId") == (key_arn if mode in (Mode.SSE_KMS, Mode.BUCKET_KEY, Mode.DSSE_KMS) else None)
        assert answer.get("BucketKeyEnabled", False) == (mode is Mode.BUCKET_KEY)
        assert answer.get("SSECustomerAlgorithm") == ("AES256" if mode is Mode.SSE_C else None)


@pytest.mark.parametrize(
    "header,start,stop",
    [
        ("bytes=0-0", 0, 1),
        ("bytes=65535-65536", 65535, 65537),
        ("bytes=65536-131071", 65536, 131072),
        ("bytes=100000-", 100000, None),
        ("bytes=-1", -1, None),
        ("bytes=-70000", -70000, None),
        ("bytes=1048570-1048590", 1048570, 1048591),
        ("bytes=0-999999999", 0, None),
    ],
)
def test_ranges(s3, bucket, key_arn, mode, header, start, stop):
    content = secrets.token_bytes(MIB + 100_000)
    s3.put_object(Bucket=bucket, Key="k", Body=content, **mode.write(key_arn))
    answer = s3.get_object(Bucket=bucket, Key="k", Range=header, **mode.read())
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert answer["Body"].read() == content[start:stop]
    first = start if start >= 0 else len(content) + start
    last = (stop or len(content)) - 1
    assert answer["ContentRange"] == f"bytes {first}-{last}/{len(content)}"


def test_a_range_after_the_end_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"12345")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=5-")
    assert code_of(error) == ("InvalidRange", 416)


def multipart(s3, bucket, key, parts, mode, key_arn, **arguments):
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key, **mode.write(key_arn), **arguments)["UploadId"]
    etags = []
    for number, content in parts:
        answer = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=content, **mode.read())
        etags.append({"PartNumber": number, "ETag": answer["ETag"]})
    # boto3 names a checksum algorithm on its own, so that AWS asks for the SSE-C key here too.
    return s3.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": etags}, **mode.read()
    )


def test_multipart_with_uneven_parts_and_gaps_in_the_numbers(s3, bucket, key_arn, mode):
    parts = [(2, secrets.token_bytes(5 * MIB + 1)), (3, secrets.token_bytes(5 * MIB)), (9, secrets.token_bytes(77))]
    whole = b"".join(content for _, content in parts)
    completed = multipart(s3, bucket, "k", parts, mode, key_arn, Metadata={"a": "b"})
    assert completed["ETag"].endswith('-3"')
    read = s3.get_object(Bucket=bucket, Key="k", **mode.read())
    assert read["Body"].read() == whole
    assert read["Metadata"] == {"a": "b"}
    for first, last in [(0, 10), (5 * MIB - 3, 5 * MIB + 3), (5 * MIB, 10 * MIB + 5), (10 * MIB - 1, 10 * MIB + 70)]:
        answer = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={first}-{last}", **mode.read())
        assert answer["Body"].read() == whole[first : last + 1]
    for ordinal, (_, content) in enumerate(parts, start=1):
        answer = s3.get_object(Bucket=bucket, Key="k", PartNumber=ordinal, **mode.read())
        assert answer["Body"].read() == content
        assert answer["PartsCount"] == 3


def test_complete_asks_for_the_key_where_a_checksum_was_named(s3, bucket):
    mode = Mode.SSE_C
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA256", **mode.write(None))["UploadId"]
    body = {"Body": b"x", "ChecksumAlgorithm": "SHA256"}
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, **body, **mode.read())
    named = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"], "ChecksumSHA256": part["ChecksumSHA256"]}]}
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=named)
    assert code_of(error) == ("InvalidRequest", 400)
    s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=named, **mode.read())
    # By its number a part tells its own checksum.
    read = s3.get_object(Bucket=bucket, Key="k", PartNumber=1, **mode.read())
    assert (read["ChecksumSHA256"], read["ChecksumType"]) == (part["ChecksumSHA256"], "COMPOSITE")


def test_the_transfer_manager_with_threads(s3, bucket, key_arn, mode):
    content = secrets.token_bytes(33 * MIB + 17)
    arguments = mode.write(key_arn)
    if arguments.pop("BucketKeyEnabled", False):  # upload_fileobj has no word for it, a bucket's rule does
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn}
        rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)
        arguments = {}
    s3.upload_fileobj(io.BytesIO(content), bucket, "big", ExtraArgs=arguments)
    target = io.BytesIO()
    s3.download_fileobj(bucket, "big", target, ExtraArgs=mode.read() or None)
    assert hashlib.sha256(target.getvalue()).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("target", list(Mode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("size", [0, 5, 70_000, 2 * MIB + 3])
def test_copies_between_any_two_modes(s3, bucket, key_arn, mode, target, size):
    content = secrets.token_bytes(size)
    s3.put_object(Bucket=bucket, Key="source", Body=content, Metadata={"m": "1"}, **mode.write(key_arn))
    s3.copy_object(
        Bucket=bucket, Key="target", CopySource={"Bucket": bucket, "Key": "source"}, **target.write(key_arn), **mode.source()
    )
    read = s3.get_object(Bucket=bucket, Key="target", **target.read())
    assert read["Body"].read() == content
    assert read["Metadata"] == {"m": "1"}


@pytest.mark.parametrize("target", list(Mode), ids=lambda mode: mode.value)
def test_a_copy_onto_itself_changes_the_mode_and_nothing_else(s3, bucket, key_arn, mode, target):
    content = secrets.token_bytes(200_001)
    s3.put_object(Bucket=bucket, Key="k", Body=content, **mode.write(key_arn))
    s3.copy_object(Bucket=bucket, Key="k", CopySource={"Bucket": bucket, "Key": "k"}, **target.write(key_arn), **mode.source())
    assert s3.get_object(Bucket=bucket, Key="k", **target.read())["Body"].read() == content


def test_parts_copied_from_another_object_with_a_range(s3, bucket, key_arn, mode):
    content = secrets.token_bytes(6 * MIB)
    s3.put_object(Bucket=bucket, Key="source", Body=content, **mode.write(key_arn))
    for target in Mode:
        upload = s3.create_multipart_upload(Bucket=bucket, Key="t", **target.write(key_arn))["UploadId"]
        etags = []
        for number, (first, last) in enumerate([(17, 17 + 5 * MIB - 1), (3, 99)], start=1):
            answer = s3.upload_part_copy(
                Bucket=bucket, Key="t", UploadId=upload, PartNumber=number, CopySource={"Bucket": bucket, "Key": "source"},
                CopySourceRange=f"bytes={first}-{last}", **mode.source(), **target.read(),
            )
            etags.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        s3.complete_multipart_upload(
            Bucket=bucket, Key="t", UploadId=upload, MultipartUpload={"Parts": etags}, **target.read()
        )
        assert s3.get_object(Bucket=bucket, Key="t", **target.read())["Body"].read() == content[17 : 17 + 5 * MIB] + content[3:100]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_are_kept_and_given_back(s3, bucket, algorithm):
    if algorithm in ("CRC32C", "CRC64NVME"):
        # Without the optional native library boto3 cannot compute these: the value goes as a header, known beforehand.
        known = {"CRC32C": "4waSgw==", "CRC64NVME": base64.b64encode(0xAE8B14860A799888.to_bytes(8, "big")).decode()}[algorithm]
        extra = {f"Checksum{algorithm}": known}
    else:
        extra = {"ChecksumAlgorithm": algorithm}
    stored = s3.put_object(Bucket=bucket, Key="k", Body=b"123456789", **extra)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{algorithm}"] == stored[f"Checksum{algorithm}"]
    assert head["ChecksumType"] == "FULL_OBJECT"
    expected = {
        "CRC32": base64.b64encode(0xCBF43926.to_bytes(4, "big")).decode(),
        "CRC32C": base64.b64encode(0xE3069283.to_bytes(4, "big")).decode(),
        "CRC64NVME": base64.b64encode(0xAE8B14860A799888.to_bytes(8, "big")).decode(),
        "SHA1": base64.b64encode(hashlib.sha1(b"123456789").digest()).decode(),
        "SHA256": base64.b64encode(hashlib.sha256(b"123456789").digest()).decode(),
    }
    assert head[f"Checksum{algorithm}"] == expected[algorithm]


def test_a_wrong_checksum_and_a_wrong_md5_store_nothing(s3, bucket):
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumSHA256=base64.b64encode(bytes(32)).decode())
    assert code_of(error) == ("BadDigest", 400)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=base64.b64encode(bytes(16)).decode())
    assert code_of(error) == ("BadDigest", 400)
    with pytest.raises(ClientError) as error:
        s3.head_object(Bucket=bucket, Key="k")
    assert code_of(error)[1] == 404


def test_conditional_writes(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"00000000000000000000000000000000"'}):
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"2", **condition)
        assert code_of(error) == ("PreconditionFailed", 412)
    s3.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=etag)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"3"
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="missing", Body=b"2", IfMatch=etag)
    assert code_of(error) == ("NoSuchKey", 404)


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["Body"].read() == b"1"
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", IfNoneMatch=etag)
    assert code_of(error)[1] == 304
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", IfMatch='"no"')
    assert code_of(error) == ("PreconditionFailed", 412)
