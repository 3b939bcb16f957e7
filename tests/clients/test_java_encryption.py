"""Amazon's S3 encryption clients for Java among themselves, with our S3 between them and keys of our KMS."""

import secrets

import pytest
from botocore.exceptions import ClientError
from peers import Refused, aes, rsa_pair

MIB = 1024 * 1024
LEGACY = {"version": "V2", "legacyWrapping": True, "legacyModes": True}


@pytest.fixture(params=["aes", "rsa", "kms"])
def key(request, key_arn):
    return {"aes": aes, "rsa": rsa_pair, "kms": lambda: {"kms": key_arn}}[request.param]()


@pytest.mark.parametrize("place", [{}, {"instruction": True}], ids=["metadata", "instruction-file"])
def test_every_client_reads_what_its_elders_wrote(java, bucket, key, place):
    for number, (client, told, reading) in enumerate([
        ("V1", {"mode": "EncryptionOnly"}, LEGACY),
        ("V1", {"mode": "AuthenticatedEncryption"}, LEGACY),
        ("V2", {}, {"version": "V2"}),
        ("V4", {"version": "V2"}, {"version": "V2"}),
        ("V4", {}, {}),
    ]):  # fmt: skip
        document, name = secrets.token_bytes(1000 + number), f"document {number}"
        java.put(bucket, name, document, client=client, key=key, **told, **place)
        assert java.get(bucket, name, key=key, **reading) == document


def test_parts_and_a_range(java, s3, bucket, key):
    document = secrets.token_bytes(17 * MIB + 3)
    java.put(bucket, "document", document, key=key, partBytes=8 * MIB)
    assert s3.head_object(Bucket=bucket, Key="document")["ETag"].endswith('-3"')
    assert java.get(bucket, "document", key=key) == document
    part = java.get(bucket, "document", key=key, legacyModes=True, range=f"bytes={9 * MIB + 5}-{9 * MIB + 99}")
    assert part == document[9 * MIB + 5 : 9 * MIB + 100]


def test_an_instruction_file_goes_with_its_object(java, s3, bucket, key):
    java.put(bucket, "document", b"hello", key=key, instruction=True)
    java.work(do="delete", client="V4", bucket=bucket, object="document", key=key, instruction=True)
    for name in ("document", "document.instruction"):
        with pytest.raises(ClientError, match="404"):
            s3.head_object(Bucket=bucket, Key=name)


def test_another_key_opens_nothing(java, bucket):
    java.put(bucket, "document", b"hello", key=aes())
    with pytest.raises(Refused):
        java.get(bucket, "document", key=aes())
