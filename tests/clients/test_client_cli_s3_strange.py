"""Objects by the command line that are not what they should be, or of which not everything can be told: what is said of them."""

import base64
import json
from pathlib import Path

import pytest

from client_cli import USAGE, aws, own, run, secret  # noqa: F401

VECTORS = Path(__file__).parents[2] / "crates/client/tests/vectors/objects.json"


@pytest.fixture
def of_old_clients(tmp_path, s3, bucket):
    """An object in AES-CBC, its plaintext and the options that read it."""
    vectors = json.loads(VECTORS.read_text())
    made = next(each for each in vectors["objects"] if "aes" in vectors["keys"][each["key"]] and each["metadata"].get("x-amz-key"))
    s3.put_object(Bucket=bucket, Key="old", Body=base64.b64decode(made["body"]), Metadata=made["metadata"])
    raw = secret(tmp_path / "raw", base64.b64decode(vectors["keys"][made["key"]]["aes"]))
    reading = ["--raw-key", raw, "--legacy", "--commitment-policy", "require-encrypt-allow-decrypt"]
    return f"s3://{bucket}/old", reading


def test_the_last_bytes_of_what_does_not_tell_its_length_are_refused(aws, of_old_clients):
    url, reading = of_old_clients
    plain = run("cat", url, *reading, env=aws).stdout
    ranged = lambda text, code=0: run("cat", url, *reading, f"--range={text}", "--unauthenticated-range", env=aws, code=code)  # noqa: E731
    refused = ranged("-7", USAGE)
    assert refused.stdout == b"" and b"first-last" in refused.stderr, refused.stderr
    # They are asked for by where they are.
    assert ranged("0-").stdout == plain and ranged("3-").stdout == plain[3:] and ranged("2-5").stdout == plain[2:6]
