"""What goes wrong below the command line while it works: partial downloads that were damaged, pipes that stand still."""

import hashlib
import os
import signal
import subprocess
import time

import pytest

from client_cli import DONE, FAILED, INPUT, MIB, Breaking, aws, files, interruptible, own, results, run, wait_for  # noqa: F401
from strongroom import BINARY

LONG = 24 * MIB + 12_345


@pytest.fixture
def broken_off(tmp_path, server, aws, bucket, own):
    """An object, its plaintext, and the file with what came of it."""
    plain, url, folder = os.urandom(LONG), f"s3://{bucket}/ein Weg/ü", tmp_path / "out"
    run("cp", "-", url, *own, stdin=plain, env=aws)
    folder.mkdir()
    run("cp", "--resume", url, folder / "file", *own, env=Breaking(server, LONG * 2 // 3).through(aws), code=FAILED)
    (partial,) = folder.iterdir()
    return url, plain, partial


def tear(path) -> None:
    """As after a crash: a page of it never came to the disk."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(bytes(4096))


def test_what_waits_to_be_resumed_has_the_name_that_is_documented(broken_off):
    """By docs/formats/partial-download.md, so that another build finds it."""
    url, _, partial = broken_off
    assert partial.name == f".strongroom-{hashlib.sha256(url.encode()).hexdigest()[:16]}.partial"


@pytest.mark.parametrize("command", ["cp", "cp -r", "sync"])
def test_a_download_of_which_the_part_that_was_there_is_damaged_begins_anew_by_itself(tmp_path, server, aws, bucket, own, broken_off, command):
    url, plain, partial = broken_off
    folder, there = partial.parent, partial.stat().st_size
    tear(partial)
    if command == "cp":
        arguments, file = ["cp", url, folder / "file"], "file"
    else:
        arguments, file = [*command.split(), f"s3://{bucket}/ein Weg", folder], "ü"
    counting = Breaking(server, 100 * LONG)
    done = run(*arguments, "--resume", "--json", *own, env=counting.through(aws))
    assert (folder / file).read_bytes() == plain and files(folder) == {file}
    (told,) = results(done)
    assert told["status"] == "done" and told["began_anew"] is True and told["plaintext_bytes"] == LONG
    assert b"what an earlier download left of it may be damaged" in done.stderr and url.encode() in done.stderr
    assert counting.served > LONG + LONG - there, "the rest, and then all of it"
    (again,) = results(run("cp", url, tmp_path / "again", "--resume", "--json", *own, env=aws))
    assert "began_anew" not in again


def test_what_is_wrong_with_the_object_is_not_fetched_for_ever(server, aws, s3, bucket, own, broken_off):
    url, _, partial = broken_off
    folder, key = partial.parent, url.removeprefix(f"s3://{bucket}/")
    stored = s3.get_object(Bucket=bucket, Key=key)
    sealed = bytearray(stored["Body"].read())
    sealed[-20] ^= 1
    s3.put_object(Bucket=bucket, Key=key, Body=bytes(sealed), Metadata=stored["Metadata"])
    etag = s3.head_object(Bucket=bucket, Key=key)["ETag"]
    # What is there says it is of the object as it is now.
    first, name, _, length, rest = partial.read_bytes().split(b"\n", 4)
    partial.write_bytes(b"\n".join([first, name, etag.encode(), length, rest]))
    counting = Breaking(server, 100 * LONG)
    done = run("cp", "--resume", url, folder / "file", "--json", *own, env=counting.through(aws), code=INPUT)
    assert files(folder) == set() and b"may be damaged" in done.stderr
    (told,) = results(done)
    assert told["status"] == "failed" and told["began_anew"] is True and "tag" in told["error"], told
    assert LONG < counting.served < 2 * LONG, "the rest, and then all of it, once"
    # Where nothing was there, it is told at once.
    counting = Breaking(server, 100 * LONG)
    done = run("cp", "--resume", url, folder / "file", "--json", *own, env=counting.through(aws), code=INPUT)
    assert files(folder) == set() and b"may be damaged" not in done.stderr and counting.served < LONG + MIB
    assert "began_anew" not in results(done)[0]


@pytest.mark.parametrize("what", ["a folder", "no permission"])
def test_what_keeps_a_download_from_being_resumed_is_named(aws, own, broken_off, what):
    """Nobody typed this name."""
    url, plain, partial = broken_off
    if what == "a folder":
        partial.unlink()
        partial.mkdir()
    elif os.geteuid() == 0:
        pytest.skip("who may do everything")
    else:
        partial.chmod(0)
    done = run("cp", "--resume", url, partial.parent / "file", *own, env=aws, code=FAILED)
    assert str(partial).encode() in done.stderr and files(partial.parent) == {partial.name}
    run("cp", url, partial.parent / "file", *own, env=aws)
    assert (partial.parent / "file").read_bytes() == plain


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("length", [0, LONG], ids=["nothing yet", "some parts"])
def test_an_upload_from_a_pipe_that_stands_still_is_aborted_at_once(aws, s3, bucket, own, stop, length):
    uploads = lambda: s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])  # noqa: E731
    command = [BINARY, "cp", "-", f"s3://{bucket}/piped", *own]
    process = subprocess.Popen(command, env=aws, stdin=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=interruptible)
    try:
        process.stdin.write(os.urandom(length))
        process.stdin.flush()
        if length:
            wait_for(uploads)
            # The parts that are full are there.
            time.sleep(1)
        else:
            # It listens, as all that is behind a name of its own in /proc.
            wait_for(lambda: "signals" in names_of_threads(process.pid))
        begun = time.monotonic()
        process.send_signal(stop)
        assert process.wait(timeout=30) == -stop
        assert time.monotonic() - begun < 5
    finally:
        process.kill()
        process.communicate()
    assert not uploads() and s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def names_of_threads(pid: int) -> set[str]:
    tasks = f"/proc/{pid}/task"
    return {open(f"{tasks}/{task}/comm").read().strip() for task in os.listdir(tasks)}


@pytest.mark.parametrize("suite", ["0478", "0578"])
@pytest.mark.parametrize("frame", [1, 1000])
def test_inspect_tells_of_what_is_behind_a_message(tmp_path, own, suite, frame):
    path, body = tmp_path / "sealed", {"truncated": False, "frames": 10, "plaintext_bytes": 10 * frame}
    sealed = run("encrypt", *own, "--suite", suite, "--frame-length", frame, stdin=b"x" * 10 * frame).stdout

    def told(message: bytes) -> dict:
        path.write_bytes(message)
        return results(run("inspect", path, "--json"))[0]["body"]

    assert told(sealed) == {**body, "trailing_bytes": 0}
    assert b"trailing" not in run("inspect", path).stdout
    for behind in (b"x", bytes(100), os.urandom(200_000), sealed):
        assert told(sealed + behind) == {**body, "trailing_bytes": len(behind)}
        assert f"{len(behind)} bytes follow".encode() in run("inspect", path).stdout
        run("decrypt", path, "-o", tmp_path / "plain", *own, code=INPUT)
    for missing in (1, 2, 50, 60 + frame, len(sealed) // 4):
        assert told(sealed[:-missing]) == {"truncated": True}, missing
    assert b"truncated or damaged" in run("inspect", path).stdout
    # All of it is there, but for the number of the last frame but one, which is looked at in any case.
    number, iv = (9).to_bytes(4, "big"), (9).to_bytes(12, "big")
    assert sealed.count(number + iv) == 1
    assert told(sealed.replace(number + iv, bytes(4) + iv)) == {"truncated": True}
    assert b"truncated or damaged" in run("inspect", path).stdout


def test_inspect_reads_little_of_a_long_message(tmp_path, own):
    """A file of holes behind the message is as long as a disk could be."""
    path = tmp_path / "sealed"
    path.write_bytes(sealed := run("encrypt", *own, stdin=b"text").stdout)
    os.truncate(path, 1 << 40)
    begun = time.monotonic()
    (told,) = results(run("inspect", path, "--json", code=DONE))
    assert told["body"]["trailing_bytes"] == (1 << 40) - len(sealed) and time.monotonic() - begun < 5
