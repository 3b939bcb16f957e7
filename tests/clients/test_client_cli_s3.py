"""Objects of the S3 Encryption Client by the command line: cp, cat, inspect and rewrap against the real server."""

import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest

import rsa_keys
from client_cli import FAILED, INPUT, KEY, MIB, REFUSED, USAGE, aws, files, own, results, run, secret  # noqa: F401
from strongroom import BINARY

LONG = 24 * MIB + 12_345


@pytest.fixture(scope="module")
def rsa(tmp_path_factory) -> list:
    folder = tmp_path_factory.mktemp("rsa")
    public, private = rsa_keys.pair()
    secret(folder / "private", private)
    (folder / "public").write_bytes(public)
    return ["--rsa-public-key", folder / "public", "--rsa-private-key", folder / "private"]


@pytest.fixture(params=["kms", "key file", "raw", "rsa"])
def key(request, key_arn, own, rsa, tmp_path) -> list:
    if request.param == "raw":
        return ["--raw-key", secret(tmp_path / "raw", secrets.token_bytes(32)), "--material-description", "key=raw"]
    return {"kms": ["--kms-key", key_arn, "-c", "purpose=test"], "key file": own, "rsa": rsa}[request.param]


@pytest.mark.parametrize("size", [0, 1, 100_000, LONG])
@pytest.mark.parametrize("how", [[], ["--format", "v2"], ["--instruction-file"]], ids=["v3", "v2", "instruction file"])
def test_a_file_comes_back(tmp_path, aws, s3, bucket, key, size, how):
    (tmp_path / "plain").write_bytes(plain := os.urandom(size))
    url = f"s3://{bucket}/folder/object"
    run("cp", tmp_path / "plain", url, *key, *how, env=aws)
    stored = s3.get_object(Bucket=bucket, Key="folder/object")
    sealed = stored["Body"].read()
    assert len(sealed) == size + 16 and (size < 16 or plain[:16] not in sealed)
    reading = ["--commitment-policy", "require-encrypt-allow-decrypt"] if "v2" in how else []
    if reading:
        run("cp", url, tmp_path / "again", *key, env=aws, code=REFUSED)
        assert not (tmp_path / "again").exists()
    run("cp", url, tmp_path / "again", *key, *reading, env=aws)
    assert (tmp_path / "again").read_bytes() == plain
    assert files(tmp_path) - {"raw"} == {"plain", "again"}
    (told,) = results(run("inspect", url, "--json", env=aws))
    assert told["format"] == "s3-encryption-client" and told["version"] == (2 if "v2" in how else 3)
    assert told["instruction_file"] is ("--instruction-file" in how) and told["body"]["plaintext_bytes"] == size
    assert told["suite"]["committing"] is ("v2" not in how)


def test_pipes_come_and_go(aws, bucket, own, s3):
    for size in (0, 5, LONG):
        plain, url = os.urandom(size), f"s3://{bucket}/piped"
        (told,) = results(run("cp", "-", url, *own, "--json", stdin=plain, env=aws))
        assert told["plaintext_bytes"] == size and told["sealed_bytes"] == size + 16
        assert s3.head_object(Bucket=bucket, Key="piped")["ContentLength"] == size + 16
        if size < 16 * MIB:
            assert run("cp", url, "-", *own, env=aws).stdout == plain
            assert run("cat", url, url, *own, env=aws).stdout == plain * 2
        else:
            refused = run("cat", url, *own, env=aws, code=REFUSED)
            assert refused.stdout == b"" and b"--release-unverified" in refused.stderr
            assert run("cat", url, *own, "--release-unverified", env=aws).stdout == plain


def test_ranges_are_asked_for_by_name(aws, bucket, own):
    plain, url = os.urandom(100_000), f"s3://{bucket}/ranged"
    run("cp", "-", url, *own, stdin=plain, env=aws)
    run("cat", url, *own, "--range", "0-9", env=aws, code=USAGE)
    for text, part in (("0-9", plain[:10]), ("17-99", plain[17:100]), ("99990-", plain[-10:]), ("-7", plain[-7:]), ("0-", plain)):
        assert run("cat", url, *own, "--range", text, "--unauthenticated-range", env=aws).stdout == part
    run("cat", url, *own, "--range", "100000-", "--unauthenticated-range", env=aws, code=USAGE)


def test_exit_codes(tmp_path, aws, s3, bucket, own, rsa, key_arn, kms):
    url, to = f"s3://{bucket}/object", tmp_path / "out"
    run("cp", "-", url, *own, stdin=os.urandom(100_000), env=aws)
    body = s3.get_object(Bucket=bucket, Key="object")
    metadata, sealed = body["Metadata"], body["Body"].read()

    def put(name: str, body: bytes, metadata: dict) -> str:
        s3.put_object(Bucket=bucket, Key=name, Body=body, Metadata=metadata)
        return f"s3://{bucket}/{name}"

    flipped = sealed[:500] + bytes([sealed[500] ^ 1]) + sealed[501:]
    cases = [
        (put("flipped", flipped, metadata), own, INPUT),
        (put("truncated", sealed[:-1], metadata), own, INPUT),
        (put("empty", b"", metadata), own, INPUT),
        (put("plain", b"plain text", {}), own, INPUT),
        (put("half", sealed, {k: v for k, v in metadata.items() if k != "x-amz-d"}), own, INPUT),
        (put("other-commitment", sealed, {**metadata, "x-amz-d": "A" * 37 + "=="[:3]}), own, INPUT),
        (url, rsa, KEY),
        (f"s3://{bucket}/missing", own, FAILED),
        (f"s3://missing-{bucket}/object", own, FAILED),
        (url, [], USAGE),
        (url, [*own, "-c", "a=b"], USAGE),
    ]
    for source, which, code in cases:
        done = run("cp", source, to, *which, env=aws, code=code)
        assert done.stderr.startswith(b"strongroom: "), source
        assert files(tmp_path) == set(), source
    run("keygen", "-o", tmp_path / "other", env=aws)
    run("cp", url, to, "--key-file", tmp_path / "other", env=aws, code=KEY)
    run("cp", url, to, *own, env={**aws, "AWS_SECRET_ACCESS_KEY": "wrong" * 8}, code=KEY)
    run("cp", url, to, *own, env={**aws, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, code=FAILED)
    for case in (["cp", url, url], ["cp", "a", "b"], ["cp", "-", f"s3://{bucket}"], ["sync", "-", url], ["cat", f"s3://{bucket}/"], ["cp", url, to, "--discovery"]):
        run(*case, *own, env=aws, code=USAGE)
    run("cp", "-", url, *own, *rsa, stdin=b"x", env=aws, code=USAGE)
    run("cp", "-", url, *own, "-c", "a=b", stdin=b"x", env=aws, code=USAGE)
    # What would say nothing.
    for case in (["cp", "-", url, "--legacy"], ["cp", "-", url, "--resume"], ["cp", url, to, "--format", "v2"], ["cp", url, to, "--instruction-file"], ["cp", url, to, "--key-name", "x"], ["cp", url, to, "--rsa-padding", "pkcs1"]):
        run(*case, *own, env=aws, code=USAGE)
    run("cp", url, to, "--kms-key", key_arn, "--material-description", "a=b", env=aws, code=USAGE)
    # The context of a KMS key.
    sealed = f"s3://{bucket}/kms"
    run("cp", "-", sealed, "--kms-key", key_arn, "-c", "a=1", stdin=b"text", env=aws)
    assert run("cat", sealed, "--kms-key", key_arn, "-c", "a=1", env=aws).stdout == b"text"
    run("cat", sealed, "--kms-key", key_arn, "-c", "a=2", env=aws, code=REFUSED)
    run("cat", sealed, "--kms-key", key_arn, env=aws, code=REFUSED)
    assert b"kms+context" in run("cat", sealed, *own, env=aws, code=KEY).stderr
    other = kms.create_key()["KeyMetadata"]["Arn"]
    run("cat", sealed, "--kms-key", other, "-c", "a=1", env=aws, code=KEY)


def test_json_of_what_failed(aws, bucket, own):
    (told,) = results(run("cp", f"s3://{bucket}/missing", "/tmp/never", *own, "--json", env=aws, code=FAILED))
    assert told["code"] == FAILED and told["status"] == "failed" and "NoSuchKey" in told["error"], json.dumps(told)


def test_the_description_chooses_among_keys(tmp_path, aws, bucket, own):
    run("keygen", "-o", tmp_path / "other", env=aws)
    both = [*own, "--key-file", tmp_path / "other"]
    for name, key in (("a", own), ("b", ["--key-file", tmp_path / "other"])):
        run("cp", "-", f"s3://{bucket}/{name}", *key, stdin=name.encode(), env=aws)
        assert run("cat", f"s3://{bucket}/{name}", *both, env=aws).stdout == name.encode()
        (told,) = results(run("inspect", f"s3://{bucket}/{name}", "--json", env=aws))
        assert told["description"]["strongroom-key"] in Path(key[1]).read_text()


def test_targets_that_are_folders(tmp_path, aws, s3, bucket, own):
    (tmp_path / "name").write_bytes(b"text")
    run("cp", tmp_path / "name", f"s3://{bucket}", *own, env=aws)
    run("cp", tmp_path / "name", f"s3://{bucket}/folder/", *own, env=aws)
    (tmp_path / "out").mkdir()
    run("cp", f"s3://{bucket}/folder/name", tmp_path / "out", *own, env=aws)
    assert (tmp_path / "out/name").read_bytes() == b"text"
    run("cp", f"s3://{bucket}/name", f"{tmp_path}/new/", *own, env=aws)
    assert (tmp_path / "new/name").read_bytes() == b"text"


def test_what_could_not_come_down_does_not_go_up(tmp_path, aws, s3, bucket, own):
    (tmp_path / "file").write_bytes(b"text")
    for name in ("x/../../evil", "a//b", "/a", "./a", "a/.."):
        for source in (tmp_path / "file", "-"):
            done = run("cp", source, f"s3://{bucket}/{name}", *own, env=aws, code=FAILED)
            assert b"no path within a folder" in done.stderr
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_standard_output_is_no_file(tmp_path, aws, bucket, own):
    url, log = f"s3://{bucket}/short", tmp_path / "log"
    run("cp", "-", url, *own, stdin=b"text", env=aws)
    sealed = tmp_path / "sealed"
    run("encrypt", "-o", sealed, *own, stdin=b"text", env=aws)
    (tmp_path / "link").symlink_to("/dev/stdout")
    log.write_bytes(b"old\n")
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", tmp_path / "link", "/dev/null", "/dev/new"):
        for command in (["cp", url, name], ["decrypt", sealed, "-o", name], ["decrypt", sealed, "-o", name, "--force"]):
            with log.open("ab") as out:
                done = subprocess.run([BINARY, *command, *own], env=aws, stdout=out, stderr=subprocess.PIPE, check=False)
            assert done.returncode == USAGE and b"name it -" in done.stderr, (command, done)
            assert log.read_bytes() == b"old\n"
    with log.open("ab") as out:
        subprocess.run([BINARY, "cp", url, "-", *own], env=aws, stdout=out, check=True)
    assert log.read_bytes() == b"old\ntext"


def test_inspect_tells_messages_and_strangers_apart(aws, s3, bucket, own):
    message = run("encrypt", *own, "-c", "a=b", stdin=b"text", env=aws).stdout
    s3.put_object(Bucket=bucket, Key="message", Body=message)
    (told,) = results(run("inspect", f"s3://{bucket}/message", "--json", env=aws))
    assert told["format"] == "aws-encryption-sdk" and told["encryption_context"]["a"] == "b"
    for name, body in (("plain", b"plain text"), ("empty", b"")):
        s3.put_object(Bucket=bucket, Key=name, Body=body)
        run("inspect", f"s3://{bucket}/{name}", env=aws, code=INPUT)
    run("inspect", f"s3://{bucket}/missing", env=aws, code=FAILED)
    text = run("inspect", f"s3://{bucket}/message", env=aws).stdout.decode()
    assert "0578" in text


def test_rewrap_changes_the_instruction_file_alone(tmp_path, aws, s3, bucket, own, rsa, key_arn):
    url, key_file = f"s3://{bucket}/rotated", tmp_path / "new"
    run("keygen", "-o", key_file, env=aws)
    secret(tmp_path / "raw", os.urandom(32))
    run("cp", "-", url, *own, "--instruction-file", stdin=b"text", env=aws)
    object_before, file_before = (s3.head_object(Bucket=bucket, Key=name)["ETag"] for name in ("rotated", "rotated.instruction"))
    ways = [
        (["--new-key-file", key_file], ["--key-file", key_file]),
        (["--new-kms-key", key_arn], ["--kms-key", key_arn]),
        (["--new-raw-key", tmp_path / "raw", "--new-material-description", "year=2026"], ["--raw-key", tmp_path / "raw"]),
        (["--new-rsa-public-key", rsa[1], "--new-material-description", "year=2027"], rsa),
    ]
    old = own
    for new, reading in ways:
        (told,) = results(run("rewrap", url, *old, *new, "--check-rotation", "--json", env=aws))
        assert told["action"] == "rewrap" and told["etag"] != file_before
        file_before = told["etag"]
        assert run("cat", url, *reading, env=aws).stdout == b"text"
        run("cat", url, *old, env=aws, code=KEY)
        old = reading
    assert s3.head_object(Bucket=bucket, Key="rotated")["ETag"] == object_before
    # A key that does not open it, one that is the same, and an object without an instruction file: nothing changes.
    run("rewrap", url, *own, "--new-key-file", key_file, env=aws, code=KEY)
    run("rewrap", url, *rsa, "--new-kms-key", key_arn, env=aws)
    run("rewrap", url, "--kms-key", key_arn, "--new-kms-key", key_arn, "--check-rotation", env=aws, code=REFUSED)
    run("rewrap", url, "--kms-key", key_arn, env=aws, code=USAGE)
    run("rewrap", url, "--kms-key", key_arn, "--new-kms-key", key_arn, "--new-key-file", key_file, env=aws, code=USAGE)
    assert run("cat", url, "--kms-key", key_arn, env=aws).stdout == b"text"
    for name in ("rotated", "none"):
        run("cp", "-", f"s3://{bucket}/{name}", *own, stdin=b"text", env=aws)
        run("rewrap", f"s3://{bucket}/{name}", *own, "--new-key-file", key_file, env=aws, code=USAGE)
