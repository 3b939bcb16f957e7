"""Objects by the command line that break off, are stopped, fill up a disk or are longer than memory: what stays behind here and there."""

import os
import signal
import socket
import subprocess
import time

import pytest

from client_cli import FAILED, MIB, Breaking, aws, ends_within_bounds, files, interruptible, own, run, small_disk, wait_for  # noqa: F401
from strongroom import BINARY

LONG = 24 * MIB + 12_345


def test_a_download_that_breaks_off_leaves_no_file_and_is_resumed(tmp_path, server, aws, s3, bucket, own):
    plain, url = os.urandom(LONG), f"s3://{bucket}/long"
    run("cp", "-", url, *own, stdin=plain, env=aws)
    folder = tmp_path / "out"
    folder.mkdir()
    run("cp", url, folder / "file", *own, env=Breaking(server, LONG * 2 // 3).through(aws), code=FAILED)
    assert files(folder) == set()
    run("cp", "--resume", url, folder / "file", *own, env=Breaking(server, LONG * 2 // 3).through(aws), code=FAILED)
    (partial,) = folder.iterdir()
    there = partial.stat().st_size
    assert partial.name.endswith(".partial") and there > LONG // 4
    assert partial.stat().st_mode & 0o777 == 0o600
    rest = Breaking(server, 10 * LONG)
    run("cp", "--resume", url, folder / "file", *own, env=rest.through(aws))
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

    through = Slow(server, 10 * LONG).through(aws)
    folder = tmp_path / "out"
    folder.mkdir()
    process = subprocess.Popen([BINARY, "cp", url, folder / "file", *own], env=through, preexec_fn=interruptible)
    wait_for(lambda: any(folder.iterdir()))
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

    through = Slow(server, 10 * LONG).through(aws)
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
        least = 2 if source == "folder" else 1
        wait_for(lambda: process.poll() is not None or len(s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])) >= least)
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
    with (tmp_path / "plain").open("wb") as plain:
        for _ in range(150):
            plain.write(bytes(MIB))
    url = f"s3://{bucket}/long"
    up, down = ["cp", tmp_path / "plain", url], ["cp", url, tmp_path / "again"]
    for arguments in (up, down, [*down, "--resume"]):
        ends_within_bounds(*arguments, *own, env=aws)
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
