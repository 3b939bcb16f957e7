"""`aws cloudtrail validate-logs` over delivered logs, and over logs that somebody has tampered with."""

import gzip
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cloudtrail import FAST, Trail, wait
from strongroom import REGION, Server

PROGRAM = Path(sys.executable).parent / "aws"


@pytest.fixture(scope="module")
def trail(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("validation"), *FAST).start()
    trail = Trail(server, "validated", EnableLogFileValidation=True, S3KeyPrefix="some/prefix")
    kms = server.client("kms", secure=True)

    def enough():
        kms.generate_random(NumberOfBytes=8)
        return len(trail.digests()) >= 3 and len(trail.logs()) >= 4

    wait(enough, 60)
    trail.cloudtrail.stop_logging(Name=trail.name)
    # The last files, and the digest that ends the chain.
    wait(lambda: trail.cloudtrail.get_trail_status(Name=trail.name).get("LatestDigestDeliveryTime"), 30)
    count = -1
    while count != (count := len(trail.digests())):
        time.sleep(7)
    yield trail
    server.stop()


def validate(trail) -> subprocess.CompletedProcess:
    environment = trail.server.environment_of_clients() | {"AWS_ENDPOINT_URL": trail.server.https}
    start = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return subprocess.run(
        [PROGRAM, "cloudtrail", "validate-logs", "--trail-arn", trail.arn, "--start-time", start, "--verbose", "--region", REGION],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def digested(trail) -> list[str]:
    """The log files that digests name."""
    return [file["s3Object"] for digest in trail.digests() for file in trail.content(digest)["logFiles"]]


@pytest.fixture
def original(trail):
    """Puts everything back after a test has tampered with it."""
    kept = {}
    for key in trail.logs() + trail.digests():
        answer = trail.s3.get_object(Bucket=trail.bucket, Key=key)
        kept[key] = (answer["Body"].read(), answer["Metadata"])
    yield kept
    for key, (body, metadata) in kept.items():
        trail.s3.put_object(Bucket=trail.bucket, Key=key, Body=body, Metadata=metadata)


def test_delivered_logs_are_valid(trail):
    result = validate(trail)
    assert result.returncode == 0, result.stdout + result.stderr
    logs, digests = len(digested(trail)), len(trail.digests())
    assert logs >= 4 and digests >= 3
    assert set(digested(trail)) == set(trail.logs())
    assert f"{digests}/{digests} digest files valid" in result.stdout
    assert f"{logs}/{logs} log files valid" in result.stdout
    assert "INVALID" not in result.stdout + result.stderr


def test_a_changed_byte_of_a_log_is_named(trail, original):
    key = digested(trail)[1]
    content = bytearray(gzip.decompress(original[key][0]))
    content[len(content) // 2] ^= 1
    trail.s3.put_object(Bucket=trail.bucket, Key=key, Body=gzip.compress(bytes(content)))
    result = validate(trail)
    assert result.returncode == 1
    assert f"Log file\ts3://{trail.bucket}/{key}\tINVALID: hash value doesn't match" in result.stderr


def test_a_changed_byte_of_a_digest_is_named(trail, original):
    key = trail.digests()[1]
    body, metadata = original[key]
    content = gzip.decompress(body).replace(b"hashAlgorithm", b"hashalgorithm", 1).replace(b'"awsAccountId"', b'"awsAccountid"', 1)
    trail.s3.put_object(Bucket=trail.bucket, Key=key, Body=gzip.compress(content), Metadata=metadata)
    result = validate(trail)
    assert result.returncode == 1
    assert f"Digest file\ts3://{trail.bucket}/{key}\tINVALID: signature verification failed" in result.stderr


def test_a_removed_log_is_named(trail, original):
    key = digested(trail)[0]
    trail.s3.delete_object(Bucket=trail.bucket, Key=key)
    result = validate(trail)
    assert result.returncode == 1
    assert f"Log file\ts3://{trail.bucket}/{key}\tINVALID: not found" in result.stderr


def test_a_log_that_was_replaced_by_an_older_one_is_named(trail, original):
    older, newer = digested(trail)[0], digested(trail)[2]
    trail.s3.put_object(Bucket=trail.bucket, Key=newer, Body=original[older][0])
    result = validate(trail)
    assert result.returncode == 1
    assert f"Log file\ts3://{trail.bucket}/{newer}\tINVALID: hash value doesn't match" in result.stderr


def test_a_removed_digest_is_named(trail, original):
    key = trail.digests()[1]
    trail.s3.delete_object(Bucket=trail.bucket, Key=key)
    result = validate(trail)
    assert result.returncode == 1
    assert f"Digest file\ts3://{trail.bucket}/{key}\tINVALID: not found" in result.stderr


def test_digests_chain_from_a_first_one(trail):
    digests = [trail.content(key) for key in trail.digests()]
    assert digests[0]["previousDigestS3Object"] is None and digests[0]["previousDigestSignature"] is None
    for before, after in zip(digests, digests[1:], strict=False):
        assert after["previousDigestS3Object"] == before["digestS3Object"]
        assert after["digestStartTime"] == before["digestEndTime"]
    keys = trail.cloudtrail.list_public_keys()["PublicKeyList"]
    assert {digest["digestPublicKeyFingerprint"] for digest in digests} == {key["Fingerprint"] for key in keys}
