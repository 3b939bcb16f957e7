"""Objects of the S3 Encryption Client by the command line: cp, cat, ls, sync and inspect against the real server."""

import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from strongroom import BINARY, free_port
from test_client_cli import DONE, FAILED, INPUT, KEY, MIB, REFUSED, USAGE, files, interruptible, results, secret, small_disk  # noqa: F401

LONG = 24 * MIB + 12_345


def run(*arguments, env: dict, stdin: bytes = b"", code: int = DONE) -> subprocess.CompletedProcess:
    done = subprocess.run([BINARY, *map(str, arguments)], input=stdin, capture_output=True, timeout=120, check=False, env=env)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done


@pytest.fixture(scope="module")
def aws(server) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], **{k: v for k, v in server.environment_of_clients().items() if k.startswith("AWS_")}}


@pytest.fixture(scope="module")
def own(tmp_path_factory, aws) -> list:
    """A key file, as options."""
    path = tmp_path_factory.mktemp("keys") / "own"
    run("keygen", "-o", path, env=aws)
    return ["--key-file", path]


@pytest.fixture(scope="module")
def rsa(tmp_path_factory) -> list:
    folder = tmp_path_factory.mktemp("rsa")
    subprocess.run(["openssl", "genrsa", "-out", folder / "private", "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", folder / "private", "-pubout", "-out", folder / "public"], check=True, capture_output=True)
    (folder / "private").chmod(0o600)
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


@pytest.fixture
def folder(tmp_path) -> Path:
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    for name in ("a", "deep/b", "deep/er/ü c", "deep.txt"):
        (source / name).write_bytes(os.urandom(5000))
    return source


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_by_cp(tmp_path, aws, s3, bucket, own, folder):
    run("cp", "--recursive", folder, f"s3://{bucket}/backup", *own, "--instruction-file", env=aws)
    keys = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {f"backup/{name}{suffix}" for name in contents(folder) for suffix in ("", ".instruction")}
    run("cp", "-r", f"s3://{bucket}/backup/", tmp_path / "again", *own, env=aws)
    assert contents(tmp_path / "again") == contents(folder)
    run("cp", folder, f"s3://{bucket}/backup", *own, env=aws, code=USAGE)


def test_no_key_leads_out_of_the_folder(tmp_path, aws, s3, bucket, own):
    run("cp", "-", f"s3://{bucket}/good", *own, stdin=b"text", env=aws)
    for name in ("p/../../evil", "p//etc/evil", "p/./evil", "p/good"):
        s3.copy_object(Bucket=bucket, Key=name, CopySource={"Bucket": bucket, "Key": "good"})
    done = run("cp", "-r", f"s3://{bucket}/p", tmp_path / "in/out", *own, "--json", env=aws, code=FAILED)
    assert files(tmp_path) == {"in", "in/out", "in/out/good"}
    assert sum(one["status"] == "failed" for one in results(done)) == 3


def test_what_stands_for_a_folder_is_empty(tmp_path, aws, s3, bucket, own):
    run("cp", "-", f"s3://{bucket}/p/good", *own, stdin=b"text", env=aws)
    s3.put_object(Bucket=bucket, Key="p/empty/", Body=b"")
    run("cp", "-r", f"s3://{bucket}/p", tmp_path / "one", *own, env=aws)
    for name in ("p/full/", "p/"):
        s3.copy_object(Bucket=bucket, Key=name, CopySource={"Bucket": bucket, "Key": "p/good"})
    for command in (["cp", "-r"], ["sync"]):
        done = run(*command, f"s3://{bucket}/p", tmp_path / command[0], *own, "--json", env=aws, code=FAILED)
        assert {one["input"] for one in results(done) if one["status"] == "failed"} == {f"s3://{bucket}/p/full/", f"s3://{bucket}/p/"}
        assert files(tmp_path / command[0]) == {"good"}


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

def test_below_the_target_folder_no_link_is_followed(tmp_path, aws, s3, bucket, own):
    url, target, outside = f"s3://{bucket}/p", tmp_path / "target", tmp_path / "outside"
    for name in ("out/new", "out/deep/new", "link", "plain"):
        run("cp", "-", f"{url}/{name}", *own, stdin=b"text", env=aws)
    outside.mkdir()
    (outside / "victim").write_bytes(b"precious")
    target.mkdir()
    (target / "out").symlink_to(outside)
    (target / "link").symlink_to(outside / "victim")
    for command in (["cp", "-r"], ["sync"], ["cp", "-r", "--resume"], ["sync", "--delete"]):
        (target / "plain").unlink(missing_ok=True)
        done = run(*command, url, target, *own, "--json", env=aws, code=FAILED)
        assert {Path(one["output"]).name for one in results(done) if one["status"] == "done"} == {"plain"}
        assert b"a symbolic link" in done.stderr
        assert files(outside) == {"victim"} and (outside / "victim").read_bytes() == b"precious"
        assert (target / "link").is_symlink() and (target / "out").is_symlink()
    # The folder itself may be one.
    (tmp_path / "way").symlink_to(outside)
    run("cp", "-r", url, tmp_path / "way", *own, env=aws)
    assert (outside / "out/new").read_bytes() == b"text"


def test_listings(aws, bucket, own, folder):
    run("cp", "-r", folder, f"s3://{bucket}/x", *own, env=aws)
    text = run("ls", f"s3://{bucket}/x/", env=aws).stdout.decode()
    assert "x/deep/" in text and "x/deep.txt" in text and "5016" in text and "x/deep/b" not in text
    lines = results(run("ls", "-r", "--long", "--json", f"s3://{bucket}", env=aws))
    assert {one["url"] for one in lines} == {f"s3://{bucket}/x/{name}" for name in contents(folder)}
    assert all(one["sealed_bytes"] == 5016 and one["header"]["version"] == 3 for one in lines)
    run("ls", f"s3://missing-{bucket}", env=aws, code=FAILED)


def test_what_is_not_there_is_a_failure(tmp_path, aws, bucket, own):
    assert run("ls", f"s3://{bucket}", env=aws).stdout == b""
    run("cp", "-", f"s3://{bucket}/x/object", *own, stdin=b"text", env=aws)
    for arguments in (["ls"], ["ls", "-r", "--json"]):
        done = run(*arguments, f"s3://{bucket}/nosuch", env=aws, code=FAILED)
        assert done.stdout == b"" and b"nosuch: nothing is there" in done.stderr
        assert run(*arguments, f"s3://{bucket}/x/obj", env=aws).stdout
    done = run("cp", "-r", f"s3://{bucket}/nosuch", tmp_path / "out", *own, env=aws, code=FAILED)
    assert b"nosuch: nothing is there" in done.stderr and files(tmp_path) == set()


def test_a_malformed_object_keeps_back_no_others_from_a_listing(aws, s3, bucket, own):
    for name in ("a", "c"):
        run("cp", "-", f"s3://{bucket}/{name}", *own, stdin=b"text", env=aws)
    metadata = s3.head_object(Bucket=bucket, Key="a")["Metadata"]
    s3.put_object(Bucket=bucket, Key="b", Body=b"x" * 20, Metadata={**metadata, "x-amz-c": "nonsense"})
    done = run("ls", "-l", f"s3://{bucket}", env=aws, code=INPUT)
    lines = done.stdout.decode().splitlines()
    assert [line.split()[2] for line in lines] == ["a", "b", "c"] and "malformed" in lines[1], lines
    assert f"s3://{bucket}/b: ".encode() in done.stderr
    told = {Path(one["url"]).name: one for one in results(run("ls", "-l", "--json", f"s3://{bucket}", env=aws, code=INPUT))}
    assert told["b"]["code"] == INPUT and told["b"]["error"] and "header" not in told["b"]
    assert told["a"]["header"] and told["c"]["header"]


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


def actions(done: subprocess.CompletedProcess) -> list[tuple[str, str]]:
    return sorted((one["action"], Path(one["output"]).name) for one in results(done))


def test_sync_goes_both_ways_and_comes_to_rest(tmp_path, aws, s3, bucket, own, folder):
    url, there = f"s3://{bucket}/tree", tmp_path / "there"
    up, down = ["sync", folder, url, *own, "--json"], ["sync", url, there, *own, "--json"]
    assert len(actions(run(*up, "--dry-run", env=aws))) == 4
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    assert len(actions(run(*up, env=aws))) == 4
    assert actions(run(*up, env=aws)) == []
    assert len(actions(run(*down, env=aws))) == 4
    assert contents(there) == contents(folder)
    assert actions(run(*down, env=aws)) == []
    # Down to where it came from: the times are those that went up.
    assert actions(run("sync", url, folder, *own, "--json", env=aws)) == []
    # Another length; the same length and newer; gone; new.
    (folder / "a").write_bytes(b"longer" * 2000)
    (folder / "deep/b").write_bytes(os.urandom(5000))
    (folder / "deep.txt").unlink()
    (folder / "new").write_bytes(b"new")
    assert actions(run(*up, env=aws)) == [("upload", "a"), ("upload", "b"), ("upload", "new")]
    time.sleep(1.1)
    os.utime(folder / "deep/b")
    run(*up, env=aws)
    assert [name for _, name in actions(run(*down, env=aws))] == ["a", "b", "new"]
    assert (there / "deep.txt").exists(), "nothing is deleted unless that is asked for"
    assert actions(run(*up, "--delete", "--dry-run", env=aws)) == [("delete", "deep.txt")]
    assert actions(run(*up, "--delete", env=aws)) == [("delete", "deep.txt")]
    assert actions(run(*down, "--delete", env=aws)) == [("delete", "deep.txt")]
    assert contents(there) == contents(folder)


def test_sync_deletes_nothing_when_anything_failed(tmp_path, aws, s3, bucket, own, folder):
    url, there = f"s3://{bucket}/tree", tmp_path / "there"
    run("sync", folder, url, *own, env=aws)
    s3.put_object(Bucket=bucket, Key="tree/stranger", Body=b"x" * 100)
    (folder / "link").symlink_to("a")
    kept = run("sync", folder, url, *own, "--delete", env=aws, code=FAILED)
    assert b"nothing was deleted" in kept.stderr
    s3.head_object(Bucket=bucket, Key="tree/stranger")
    # What is not encrypted does not come down, and then nothing goes.
    there.mkdir()
    (there / "extra").write_bytes(b"x")
    run("sync", url, there, *own, "--delete", env=aws, code=INPUT)
    assert (there / "extra").exists() and not (there / "stranger").exists()
    (folder / "link").unlink()
    run("sync", folder, url, *own, "--delete", env=aws)
    run("sync", url, there, *own, "--delete", env=aws)
    assert contents(there) == contents(folder)
    # A bucket that cannot be listed is not an empty one.
    run("sync", f"s3://missing-{bucket}/tree", there, *own, "--delete", env=aws, code=FAILED)
    assert contents(there) == contents(folder)


def test_an_empty_source_deletes_nothing_unless_that_is_said(tmp_path, aws, s3, bucket, own, folder):
    url, empty, before = f"s3://{bucket}/tree", tmp_path / "empty", contents(folder)
    empty.mkdir()
    done = run("sync", url, folder, *own, "--delete", env=aws, code=FAILED)
    assert b"--delete-all" in done.stderr and contents(folder) == before
    run("sync", folder, url, *own, env=aws)
    run("sync", empty, url, *own, "--delete", env=aws, code=FAILED)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 4
    run("sync", empty, url, *own, "--delete", "--delete-all", env=aws)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    run("sync", url, folder, *own, "--delete", "--delete-all", env=aws)
    assert contents(folder) == {}


def test_names_that_begin_as_our_temporary_ones_are_names(tmp_path, aws, s3, bucket, own, folder):
    ours = ".strongroom-0123456789abcdef"
    for name in (".strongroom-notes", ours):
        (folder / name).write_bytes(b"text")
    run("cp", "-", f"s3://{bucket}/tree/{ours}", *own, stdin=b"kept", env=aws)
    run("sync", folder, f"s3://{bucket}/tree", *own, "--delete", env=aws)
    names = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert {"tree/.strongroom-notes", f"tree/{ours}"} <= names
    assert run("cat", f"s3://{bucket}/tree/{ours}", *own, env=aws).stdout == b"kept"


def test_instruction_files_go_with_their_objects(tmp_path, aws, s3, bucket, own, folder):
    url = f"s3://{bucket}/tree"
    run("sync", folder, url, *own, "--instruction-file", env=aws)
    run("sync", url, tmp_path / "there", *own, env=aws)
    assert contents(tmp_path / "there") == contents(folder)
    assert actions(run("sync", folder, url, *own, "--delete", "--json", env=aws)) == []
    (folder / "a").unlink()
    run("sync", folder, url, *own, "--delete", env=aws)
    keys = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {f"tree/{name}{suffix}" for name in contents(folder) for suffix in ("", ".instruction")}
    (folder / "b.instruction").write_bytes(b"x")
    run("sync", folder, url, *own, env=aws, code=FAILED)


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
    for name, code in (("rotated", USAGE), ("none", FAILED)):
        run("cp", "-", f"s3://{bucket}/{name}", *own, stdin=b"text", env=aws)
        run("rewrap", f"s3://{bucket}/{name}", *own, "--new-key-file", key_file, env=aws, code=code)


class Breaking:
    """A way to the server that breaks off after so many bytes of answers, once."""

    def __init__(self, port: int, after: int):
        self.port, self.left, self.listener = free_port(), after, socket.socket()
        self.target = port
        self.served = 0
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.left <= 0:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            threading.Thread(target=self.carry, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, True), daemon=True).start()

    def carry(self, source, target, counted):
        try:
            while data := source.recv(65536):
                if counted:
                    self.left -= len(data)
                    self.served += len(data)
                    if self.left <= 0:
                        break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()


def test_a_download_that_breaks_off_leaves_no_file_and_is_resumed(tmp_path, server, aws, s3, bucket, own):
    plain, url = os.urandom(LONG), f"s3://{bucket}/long"
    run("cp", "-", url, *own, stdin=plain, env=aws)
    folder = tmp_path / "out"
    folder.mkdir()
    breaking = Breaking(server.http_port, LONG * 2 // 3)
    broken = {**aws, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{breaking.port}"}
    run("cp", url, folder / "file", *own, env=broken, code=FAILED)
    assert files(folder) == set()

    breaking = Breaking(server.http_port, LONG * 2 // 3)
    broken = {**aws, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{breaking.port}"}
    run("cp", "--resume", url, folder / "file", *own, env=broken, code=FAILED)
    (partial,) = folder.iterdir()
    there = partial.stat().st_size
    assert partial.name.endswith(".partial") and there > LONG // 4
    assert partial.stat().st_mode & 0o777 == 0o600
    rest = Breaking(server.http_port, 10 * LONG)
    through = {**aws, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{rest.port}"}
    run("cp", "--resume", url, folder / "file", *own, env=through)
    assert (folder / "file").read_bytes() == plain and files(folder) == {"file"}
    assert rest.served < LONG - there + MIB, "what was there was not fetched again"


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL])
def test_a_stop_in_the_middle_leaves_no_final_file(tmp_path, aws, bucket, own, server, stop):
    plain, url = os.urandom(LONG), f"s3://{bucket}/long"
    run("cp", "-", url, *own, stdin=plain, env=aws)

    class Slow(Breaking):
        def carry(self, source, target, counted):
            if counted:
                time.sleep(0.3)
            super().carry(source, target, counted)

    slow = Slow(server.http_port, 10 * LONG)
    through = {**aws, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{slow.port}"}
    folder = tmp_path / "out"
    folder.mkdir()
    process = subprocess.Popen([BINARY, "cp", url, folder / "file", *own], env=through, preexec_fn=interruptible)
    deadline = time.monotonic() + 20
    while not list(folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(stop)
    assert process.wait(timeout=30) == -stop
    left = files(folder)
    assert "file" not in left and (stop == signal.SIGKILL or not left), left


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("source", ["file", "pipe", "folder"])
def test_an_upload_that_is_stopped_is_aborted(tmp_path, aws, s3, bucket, own, server, stop, source):
    class Slow(Breaking):
        def carry(self, source, target, counted):
            while data := source.recv(65536):
                time.sleep(0 if counted else 0.005)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    slow = Slow(server.http_port, 10 * LONG)
    through = {**aws, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{slow.port}"}
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b", "c"):
        with (folder / name).open("wb") as file:
            file.truncate(10 * LONG)
    arguments = {"file": [folder / "a", f"s3://{bucket}/long"], "pipe": ["-", f"s3://{bucket}/long"], "folder": ["-r", folder, f"s3://{bucket}/x"]}
    writer = subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE)
    process = subprocess.Popen([BINARY, "cp", *arguments[source], *own], env=through, stdin=writer.stdout, preexec_fn=interruptible)
    writer.stdout.close()
    try:
        deadline = time.monotonic() + 20
        while len(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])) < (2 if source == "folder" else 1):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        process.send_signal(stop)
        if source == "pipe":
            # As the Ctrl-C of a terminal, which ends those who write, too: what came until then is not the whole.
            writer.kill()
        assert process.wait(timeout=30) == -stop
    finally:
        # Without an end they would fill the disk.
        for each in (writer, process):
            each.kill()
            each.wait()
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads") and s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_what_ignores_a_hangup_goes_on(tmp_path, aws, s3, bucket, own):
    process = subprocess.Popen(["nohup", BINARY, "cp", "-", f"s3://{bucket}/kept", *own], env=aws, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    process.stdin.write(os.urandom(LONG))
    process.send_signal(signal.SIGHUP)
    process.stdin.close()
    assert process.wait(timeout=60) == 0
    assert s3.head_object(Bucket=bucket, Key="kept")["ContentLength"] == LONG + 16


def test_memory_is_bounded(tmp_path, aws, bucket, own):
    from test_client_cli import MEMORY, Peak

    with (tmp_path / "plain").open("wb") as plain:
        plain.truncate(150 * MIB)
    url = f"s3://{bucket}/sparse"
    up, down = ["cp", tmp_path / "plain", url], ["cp", url, tmp_path / "again"]
    for arguments in (up, down, [*down, "--resume"]):
        process = subprocess.Popen([BINARY, *arguments, *own], env=aws)
        peak = Peak(process)
        while process.poll() is None:
            peak.sample()
        assert process.returncode == 0
        assert 0 < peak.bytes < MEMORY, (arguments, peak.bytes)
    assert subprocess.run(["cmp", tmp_path / "plain", tmp_path / "again"], check=False).returncode == 0


def test_a_disk_that_fills_up_is_left_as_it_was(tmp_path, aws, bucket, own, small_disk):
    url = f"s3://{bucket}/long"
    run("cp", "-", url, *own, stdin=os.urandom(4 * MIB), env=aws)
    done = run("cp", url, small_disk / "file", *own, env=aws, code=FAILED)
    assert b"No space left" in done.stderr and files(small_disk) == set()
    # What is kept to be resumed is ciphertext, and never under the final name.
    run("cp", "--resume", url, small_disk / "file", *own, env=aws, code=FAILED)
    assert all(name.endswith(".partial") for name in files(small_disk))


def test_a_full_pipe_is_a_failure(aws, bucket, own):
    url = f"s3://{bucket}/short"
    run("cp", "-", url, *own, stdin=b"text" * 1000, env=aws)
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "cat", url, *own], env=aws, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED, done.stderr


def test_json_of_what_failed(aws, bucket, own):
    (told,) = results(run("cp", f"s3://{bucket}/missing", "/tmp/never", *own, "--json", env=aws, code=FAILED))
    assert told["code"] == FAILED and told["status"] == "failed" and "NoSuchKey" in told["error"], json.dumps(told)
