"""The AWS CLI and curl, set up by `eval "$(strongroom env)"` and nothing else."""

import base64
import json
import secrets
import subprocess
import sys
from pathlib import Path

import botocore.config
import pytest

from modes import CUSTOMER_KEY, Mode

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def aws(server):
    environment = server.environment_of_clients()
    program = Path(sys.executable).parent / "aws"

    def run(*arguments: str, secure: bool = True) -> subprocess.CompletedProcess:
        settings = environment if secure else environment | {"AWS_ENDPOINT_URL": server.http}
        done = subprocess.run([program, *arguments], env=settings, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture
def files(tmp_path):
    """A small file, one that the CLI uploads in parts, and a folder."""
    (tmp_path / "small").write_bytes(secrets.token_bytes(1000))
    (tmp_path / "large").write_bytes(secrets.token_bytes(20 * MIB + 1))
    return tmp_path


def flags(mode: Mode, key_arn: str, tmp_path: Path) -> tuple[list[str], list[str]]:
    """`aws s3 cp` flags that write, and those that read. It has no words for DSSE and Bucket Keys: the bucket's default does."""
    customer = tmp_path / "customer.key"
    customer.write_bytes(CUSTOMER_KEY)
    sse_c = ["--sse-c", "AES256", "--sse-c-key", f"fileb://{customer}"]
    return {
        Mode.SSE_S3: (["--sse", "AES256"], []),
        Mode.SSE_KMS: (["--sse", "aws:kms", "--sse-kms-key-id", key_arn], []),
        Mode.BUCKET_KEY: ([], []),
        Mode.DSSE_KMS: ([], []),
        Mode.SSE_C: (sse_c, sse_c),
    }[mode]


@pytest.mark.parametrize("name", ["small", "large"])
def test_cp_there_and_back(aws, bucket, key_arn, files, mode, name):
    write, read = flags(mode, key_arn, files)
    if mode in (Mode.BUCKET_KEY, Mode.DSSE_KMS):
        default = {"SSEAlgorithm": mode.write(key_arn)["ServerSideEncryption"], "KMSMasterKeyID": key_arn}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": mode is Mode.BUCKET_KEY}
        aws("s3api", "put-bucket-encryption", "--bucket", bucket, "--server-side-encryption-configuration", json.dumps({"Rules": [rule]}))
    aws("s3", "cp", str(files / name), f"s3://{bucket}/{name}", *write)
    aws("s3", "cp", f"s3://{bucket}/{name}", str(files / "back"), *read)
    assert (files / "back").read_bytes() == (files / name).read_bytes()
    if mode is not Mode.SSE_C:
        head = json.loads(aws("s3api", "head-object", "--bucket", bucket, "--key", name).stdout)
        assert head.get("BucketKeyEnabled", False) == (mode is Mode.BUCKET_KEY)


def test_sync_list_move_and_remove(aws, bucket, files):
    tree = files / "tree"
    (tree / "deep/er").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/er/c with space"):
        (tree / name).write_text(name)
    aws("s3", "sync", str(tree), f"s3://{bucket}/tree")
    listed = aws("s3", "ls", "--recursive", f"s3://{bucket}/").stdout
    assert "tree/deep/er/c with space" in listed and len(listed.splitlines()) == 3
    aws("s3", "mv", f"s3://{bucket}/tree/a", f"s3://{bucket}/moved")
    aws("s3", "sync", f"s3://{bucket}/tree", str(files / "back"))
    assert (files / "back/deep/b").read_text() == "deep/b" and not (files / "back/a").exists()
    aws("s3", "rb", "--force", f"s3://{bucket}")


def test_kms_from_the_shell(aws, files):
    key = json.loads(aws("kms", "create-key", "--description", "from the shell").stdout)["KeyMetadata"]["KeyId"]
    sealed = json.loads(aws("kms", "encrypt", "--key-id", key, "--plaintext", f"fileb://{files}/small", "--encryption-context", "a=b").stdout)
    (files / "sealed").write_bytes(base64.b64decode(sealed["CiphertextBlob"]))
    opened = aws("kms", "decrypt", "--ciphertext-blob", f"fileb://{files}/sealed", "--encryption-context", "a=b", "--query", "Plaintext", "--output", "text")
    assert base64.b64decode(opened.stdout) == (files / "small").read_bytes()


def test_the_cli_over_plain_http(aws, bucket, files):
    aws("s3", "cp", str(files / "large"), f"s3://{bucket}/k", secure=False)
    aws("s3", "cp", f"s3://{bucket}/k", str(files / "back"), secure=False)
    assert (files / "back").read_bytes() == (files / "large").read_bytes()


def test_curl_with_presigned_urls(server, bucket, files):
    s3 = server.client("s3", secure=True, config=botocore.config.Config(signature_version="s3v4"))
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "by curl"}, ExpiresIn=60)
    get = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "by curl"}, ExpiresIn=60)
    curl = ["curl", "--silent", "--show-error", "--fail", "--cacert", server.ca_bundle()]
    subprocess.run([*curl, "--upload-file", str(files / "large"), put], check=True, timeout=60)
    subprocess.run([*curl, "--output", str(files / "back"), get], check=True, timeout=60)
    assert (files / "back").read_bytes() == (files / "large").read_bytes()


def test_curl_signs_by_itself(server, bucket, files):
    """curl has its own Signature Version 4."""
    curl = ["curl", "--silent", "--show-error", "--fail", "--user", f"{server.access_key_id}:{server.secret_access_key}"]
    signed = [*curl, "--aws-sigv4", "aws:amz:us-east-1:s3"]
    headers = ["--header", "x-amz-content-sha256: UNSIGNED-PAYLOAD"]
    subprocess.run([*signed, *headers, "--upload-file", str(files / "small"), f"{server.http}/{bucket}/curl"], check=True, timeout=60)
    subprocess.run([*signed, *headers, "--output", str(files / "back"), f"{server.http}/{bucket}/curl"], check=True, timeout=60)
    assert (files / "back").read_bytes() == (files / "small").read_bytes()
