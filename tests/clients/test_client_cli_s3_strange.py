"""Objects by the command line that are not what they should be, or of which not everything can be told: what is said of them."""

import base64
import json
from pathlib import Path

import pytest

from client_cli import FAILED, INPUT, USAGE, aws, own, results, run, secret  # noqa: F401

VECTORS = Path(__file__).parents[2] / "crates/client/tests/vectors/objects.json"


@pytest.fixture
def put(s3, bucket):
    """Stores what a test has made of an object, under the same name."""

    def put(url: str, body: bytes, metadata: dict) -> None:
        s3.put_object(Bucket=bucket, Key=url.removeprefix(f"s3://{bucket}/"), Body=body, Metadata=metadata)

    return put


@pytest.fixture
def of_old_clients(tmp_path, s3, bucket):
    """An object in AES-CBC, and the options that read it."""
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


@pytest.mark.parametrize("length", [0, 15])
def test_an_object_that_was_cut_is_truncated_and_not_somebody_elses(tmp_path, aws, s3, bucket, own, put, length):
    url = f"s3://{bucket}/cut"
    run("cp", "-", url, *own, stdin=b"text" * 1000, env=aws)
    put(url, b"x" * length, s3.head_object(Bucket=bucket, Key="cut")["Metadata"])
    for command in (["cat", url], ["cp", url, "-"], ["cp", url, tmp_path / "out"], ["cp", "--resume", url, tmp_path / "out"], ["cat", url, "--range=-4", "--unauthenticated-range"]):
        done = run(*command, *own, env=aws, code=INPUT)
        assert b"truncated" in done.stderr and b"not encrypted" not in done.stderr, (command, done.stderr)
    assert b"truncated" in run("inspect", url, env=aws).stdout
    (told,) = results(run("inspect", url, "--json", env=aws))
    assert told["body"] == {"sealed_bytes": length, "truncated": True}
    put(url, bytes(16), s3.head_object(Bucket=bucket, Key="cut")["Metadata"])
    (told,) = results(run("inspect", url, "--json", env=aws))
    assert told["body"] == {"sealed_bytes": 16, "truncated": False, "plaintext_bytes": 0}
    put(url, b"", {})
    for command in (["cat", url], ["cp", url, tmp_path / "out"]):
        assert b"not encrypted by a client" in run(*command, *own, env=aws, code=INPUT).stderr


def test_an_old_object_that_was_cut_is_truncated(aws, s3, bucket, put, of_old_clients):
    url, reading = of_old_clients
    old = s3.get_object(Bucket=bucket, Key="old")
    body = old["Body"].read()
    (told,) = results(run("inspect", url, "--json", env=aws))
    assert told["body"] == {"sealed_bytes": len(body), "truncated": False, "plaintext_bytes": None}
    for cut in (body[:-1], b""):
        put(url, cut, old["Metadata"])
        assert b"truncated" in run("cat", url, *reading, env=aws, code=INPUT).stderr
        (told,) = results(run("inspect", url, "--json", env=aws))
        assert told["body"] == {"sealed_bytes": len(cut), "truncated": True}


def test_rewrap_tells_what_has_no_instruction_file(tmp_path, aws, bucket, own):
    run("keygen", "-o", tmp_path / "new")
    rewrap = lambda name, code: run("rewrap", f"s3://{bucket}/{name}", *own, "--new-key-file", tmp_path / "new", env=aws, code=code).stderr  # noqa: E731
    for version in ("v2", "v3"):
        run("cp", "-", f"s3://{bucket}/{version}", "--format", version, *own, stdin=b"text", env=aws)
        said = rewrap(version, USAGE)
        assert b"written without an instruction file" in said and b"NoSuchKey" not in said, said
    assert b"NotFound" in rewrap("missing", FAILED)


@pytest.mark.parametrize("junk", [b"x" * 3_000_000, b"{}", b"", b"[]"], ids=["long", "empty object", "empty", "list"])
def test_a_bad_instruction_file_is_named(tmp_path, aws, bucket, own, put, junk):
    url = f"s3://{bucket}/split"
    run("keygen", "-o", tmp_path / "new")
    run("cp", "-", url, "--instruction-file", *own, stdin=b"text", env=aws)
    put(f"{url}.instruction", junk, {})
    commands = (["cat", url, *own], ["cp", url, tmp_path / "out", *own], ["rewrap", url, *own, "--new-key-file", tmp_path / "new"], ["inspect", url])
    for command in commands:
        done = run(*command, env=aws, code=INPUT)
        assert b" split.instruction: " in done.stderr, (command, done.stderr)
