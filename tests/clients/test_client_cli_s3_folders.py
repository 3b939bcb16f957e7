"""Folders and prefixes of a bucket by the command line: cp, ls and sync."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from client_cli import FAILED, INPUT, MIB, USAGE, aws, files, own, results, run, wait_for  # noqa: F401
from strongroom import BINARY


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


def test_what_takes_a_files_place_after_the_walk_is_not_read(tmp_path, aws, s3, bucket, own, folder):
    """Whoever writes in the folder reads no more by our rights than by his own."""
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("secret", "b"):
        (outside / name).write_bytes(b"root:secret")
    with (folder / "a").open("wb") as first:
        first.truncate(256 * MIB)
    for name in ("pipe", "z"):
        (folder / name).write_bytes(b"harmless")
    command = [BINARY, "sync", "-p", "1", folder, f"s3://{bucket}/p", *own, "--json"]
    with subprocess.Popen(command, env=aws, stdout=subprocess.PIPE) as process:
        opened = Path(f"/proc/{process.pid}/fd")
        wait_for(lambda: any(os.path.realpath(each) == str(folder / "a") for each in opened.iterdir()))
        process.send_signal(signal.SIGSTOP)
        try:
            shutil.rmtree(folder / "deep")
            (folder / "deep").symlink_to(outside)
            for name in ("pipe", "z"):
                (folder / name).unlink()
            (folder / "z").symlink_to(outside / "secret")
            os.mkfifo(folder / "pipe")
        finally:
            process.send_signal(signal.SIGCONT)
        process.communicate(timeout=60)
    assert process.returncode == FAILED
    assert {one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]} == {"p/a", "p/deep.txt"}


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


def test_names_of_our_temporary_files_do_not_come_down(tmp_path, aws, bucket, own):
    """Whoever may write to the bucket would replace what is kept of another object, or a download that is on its way."""
    url, there = f"s3://{bucket}/tree", tmp_path / "there"
    kept = f".strongroom-{'0' * 16}.partial"
    names = [kept, f"deep/{kept}", f"{kept.upper()}/x", ".strongroom-0123456789abcdef", "a"]
    for name in names:
        run("cp", "-", f"{url}/{name}", *own, stdin=b"theirs", env=aws)
    there.mkdir()
    (there / kept).write_bytes(b"ours")
    for command in (["cp", "-r"], ["cp", "-r", "--resume"], ["sync"]):
        (there / "a").unlink(missing_ok=True)
        done = run(*command, url, there, *own, env=aws, code=FAILED)
        assert contents(there) == {kept: b"ours", "a": b"theirs"}, "the rest comes"
        assert done.stderr.count(b"not whole yet") == len(names) - 1
    # One of them may be had, under another name.
    run("cp", f"{url}/{kept}", there / "mine", *own, env=aws)
    assert (there / "mine").read_bytes() == b"theirs"
    for target in (there, there / kept):
        run("cp", f"{url}/{kept}", target, *own, env=aws, code=USAGE)
    assert (there / kept).read_bytes() == b"ours"


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
