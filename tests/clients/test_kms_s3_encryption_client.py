"""The Amazon S3 Encryption Client for Python: data keys from our KMS, ciphertext in our S3."""

import secrets

import pytest
from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.exceptions import S3EncryptionClientError
from s3_encryption.materials.kms_keyring import KmsKeyring

MIB = 1024 * 1024


@pytest.fixture
def encrypting(server, own_key):
    keyring = KmsKeyring(server.client("kms", secure=True), own_key)
    return S3EncryptionClient(server.client("s3", secure=True), S3EncryptionClientConfig(keyring=keyring))


@pytest.mark.parametrize("size", [0, 1, 16, 100_000, 6 * MIB])
def test_there_and_back(encrypting, s3, bucket, size):
    document = secrets.token_bytes(size)
    encrypting.put_object(Bucket=bucket, Key="document", Body=document)
    stored = s3.get_object(Bucket=bucket, Key="document")["Body"].read()
    assert len(stored) == size + 16 and (size < 16 or document[:16] not in stored)
    assert encrypting.get_object(Bucket=bucket, Key="document")["Body"].read() == document


def test_a_context(encrypting, bucket):
    context = {"tenant": "blue"}
    encrypting.put_object(Bucket=bucket, Key="document", Body=b"hello", EncryptionContext=context)
    assert encrypting.get_object(Bucket=bucket, Key="document", EncryptionContext=context)["Body"].read() == b"hello"
    for wrong in ({}, {"tenant": "red"}):
        with pytest.raises(S3EncryptionClientError):
            encrypting.get_object(Bucket=bucket, Key="document", EncryptionContext=wrong)["Body"].read()


def test_a_large_object_in_parts(encrypting, s3, bucket, tmp_path):
    document = tmp_path / "document"
    document.write_bytes(secrets.token_bytes(17 * MIB + 3))
    encrypting.upload_file(str(document), bucket, "document")
    assert s3.head_object(Bucket=bucket, Key="document")["ETag"].endswith('-3"')
    assert encrypting.get_object(Bucket=bucket, Key="document")["Body"].read() == document.read_bytes()


def test_a_disabled_key_closes_the_objects(encrypting, kms, own_key, bucket):
    encrypting.put_object(Bucket=bucket, Key="document", Body=b"hello")
    kms.disable_key(KeyId=own_key)
    with pytest.raises(Exception, match="DisabledException|disabled"):
        encrypting.get_object(Bucket=bucket, Key="document")["Body"].read()
    kms.enable_key(KeyId=own_key)
    assert encrypting.get_object(Bucket=bucket, Key="document")["Body"].read() == b"hello"
