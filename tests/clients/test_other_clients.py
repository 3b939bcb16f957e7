"""The AWS SDK for JavaScript v3 and s3cmd."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

JAVASCRIPT = Path(__file__).parent / "javascript"
MIB = 1024 * 1024


def test_the_javascript_sdk(server):
    environment = server.environment_of_clients()
    environment["NODE_EXTRA_CA_CERTS"] = environment["AWS_CA_BUNDLE"]
    done = subprocess.run(
        ["node", "roundtrip.mjs"], cwd=JAVASCRIPT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["kms"] == "hello" and seen["dataKeyLength"] == 32
    assert seen["modes"] == {name: [True, True] for name in ("sse-s3", "sse-kms", "bucket-key", "dsse-kms", "sse-c")}
    assert seen["listed"] == ["chunked", "copy"]
    assert seen["presigned"] == "chunked body"


@pytest.fixture
def s3cmd(server, tmp_path):
    configuration = tmp_path / "s3cfg"
    host = server.https.removeprefix("https://")
    configuration.write_text(
        f"[default]\naccess_key = {server.access_key_id}\nsecret_key = {server.secret_access_key}\n"
        f"host_base = {host}\nhost_bucket = {host}\nbucket_location = us-east-1\nuse_https = True\n"
        f"ca_certs_file = {server.ca_bundle()}\nmultipart_chunk_size_mb = 5\n"
    )
    program = Path(sys.executable).parent / "s3cmd"

    def run(*arguments: str) -> str:
        command = [sys.executable, program, "-c", configuration, "--no-progress", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_s3cmd(s3cmd, key_arn, tmp_path):
    bucket = "s3cmd-" + secrets.token_hex(6)
    (tmp_path / "large").write_bytes(secrets.token_bytes(12 * MIB + 5))
    (tmp_path / "small").write_text("small")
    s3cmd("mb", f"s3://{bucket}")
    s3cmd("put", str(tmp_path / "large"), str(tmp_path / "small"), f"s3://{bucket}/folder/")
    s3cmd("put", "--server-side-encryption", f"--server-side-encryption-kms-id={key_arn}", str(tmp_path / "small"), f"s3://{bucket}/kms")
    assert "folder/large" in s3cmd("ls", "--recursive", f"s3://{bucket}")
    s3cmd("get", f"s3://{bucket}/folder/large", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()
    s3cmd("get", f"s3://{bucket}/kms", str(tmp_path / "kms"))
    assert (tmp_path / "kms").read_text() == "small"
    s3cmd("cp", f"s3://{bucket}/kms", f"s3://{bucket}/copy")
    s3cmd("rb", "--force", "--recursive", f"s3://{bucket}")
