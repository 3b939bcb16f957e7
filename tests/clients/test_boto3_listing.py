"""Listings: byte order, delimiters and pages, against a naive model."""

import random
import secrets

import pytest
from botocore.exceptions import ClientError

NAMES = sorted(
    ["a", "a/b", "a/b/c", "a/c", "a0", "aa", "b/", "b/b", "b/c/d", "c d", "c+d", "c%20d", "é", "ö/1", "日本/語", "\U0001f511", "~"],
    key=lambda name: name.encode(),
)


@pytest.fixture(scope="module")
def full_bucket(s3):
    name = "listing-" + secrets.token_hex(8)
    s3.create_bucket(Bucket=name)
    for key in random.sample(NAMES, len(NAMES)):
        s3.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def model(prefix: str, delimiter: str, after: str = "") -> list[str]:
    """What a listing shows, in order: keys, and prefixes that end in the delimiter."""
    seen = []
    for name in NAMES:
        if not name.startswith(prefix):
            continue
        rest = name[len(prefix) :]
        shown = prefix + rest[: rest.index(delimiter) + len(delimiter)] if delimiter and delimiter in rest else name
        if shown.encode() > after.encode() and shown not in seen:
            seen.append(shown)
    return seen


def pages(operation, size: int, token_in: str, token_out, **arguments) -> list[str]:
    shown = []
    while True:
        page = operation(MaxKeys=size, **arguments)
        keys = [item["Key"] for item in page.get("Contents", [])]
        prefixes = [item["Prefix"] for item in page.get("CommonPrefixes", [])]
        assert len(keys) + len(prefixes) <= size
        shown += sorted(keys + prefixes, key=lambda name: name.encode())
        if not page["IsTruncated"]:
            return shown
        arguments[token_in] = token_out(page)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize("prefix,delimiter", [("", ""), ("", "/"), ("a", ""), ("a/", "/"), ("a", "/"), ("b/", "/"), ("", "b"), ("x", "/")])
def test_version_two(s3, full_bucket, prefix, delimiter, size):
    shown = pages(
        s3.list_objects_v2, size, "ContinuationToken", lambda page: page["NextContinuationToken"],
        Bucket=full_bucket, Prefix=prefix, Delimiter=delimiter,
    )
    assert shown == model(prefix, delimiter)


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("prefix,delimiter", [("", "/"), ("a", "/"), ("", "b")])
def test_version_one(s3, full_bucket, prefix, delimiter, size):
    shown = pages(
        s3.list_objects, size, "Marker", lambda page: page["NextMarker"], Bucket=full_bucket, Prefix=prefix, Delimiter=delimiter
    )
    assert shown == model(prefix, delimiter)


def test_start_after(s3, full_bucket):
    page = s3.list_objects_v2(Bucket=full_bucket, StartAfter="a/c")
    assert [item["Key"] for item in page["Contents"]] == model("", "", "a/c")


def test_a_bucket_with_objects_is_not_deleted(s3, full_bucket):
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket=full_bucket)
    assert error.value.response["Error"]["Code"] == "BucketNotEmpty"


def test_delete_many(s3, bucket):
    for number in range(25):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    objects = [{"Key": f"k{number}"} for number in range(24)] + [{"Key": "never-was"}]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert len(answer["Deleted"]) == 25 and "Errors" not in answer
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k24"]


def test_open_uploads_and_their_parts_are_listed(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="up/load")["UploadId"]
    for number in (1, 3, 2):
        s3.upload_part(Bucket=bucket, Key="up/load", UploadId=upload, PartNumber=number, Body=bytes(number))
    listed = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(item["Key"], item["UploadId"]) for item in listed] == [("up/load", upload)]
    page = s3.list_parts(Bucket=bucket, Key="up/load", UploadId=upload, MaxParts=2)
    assert [(part["PartNumber"], part["Size"]) for part in page["Parts"]] == [(1, 1), (2, 2)]
    assert page["IsTruncated"] and page["NextPartNumberMarker"] == 2
    s3.abort_multipart_upload(Bucket=bucket, Key="up/load", UploadId=upload)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    with pytest.raises(ClientError) as error:
        s3.list_parts(Bucket=bucket, Key="up/load", UploadId=upload)
    assert error.value.response["Error"]["Code"] == "NoSuchUpload"
    s3.delete_bucket(Bucket=bucket)
