"""Messages by the command line that were damaged, break off, fill up a disk or are longer than memory: what leaves, and what stays behind."""

import errno
import hashlib
import os
import secrets
import signal
import subprocess
from pathlib import Path

import pytest

from client_cli import FAILED, GIB, INPUT, MEMORY, MIB, REFUSED, Peak, ends_within_bounds, files, interruptible, own, run, small_disk, wait_for  # noqa: F401
from strongroom import BINARY

# 20 GiB take 45 s in a build for tests on two cores, and 70 s when those have much else to do.
PIPE_BYTES = int(os.environ.get("STRONGROOM_PIPE_GIB", 20)) * GIB


def damaged(sealed: bytes) -> dict[str, tuple[bytes, int]]:
    """What somebody may have done to a message, and the code that says so."""

    def flipped(at: int) -> bytes:
        return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]

    return {
        "nothing": (b"", INPUT),
        "half a header": (sealed[:40], INPUT),
        "half a body": (sealed[: len(sealed) // 2], INPUT),
        "without its last byte": (sealed[:-1], INPUT),
        "more behind it": (sealed + b"x", INPUT),
        "another version": (b"\x03" + sealed[1:], INPUT),
        "an unknown suite": (sealed[:1] + b"\x09\x99" + sealed[3:], INPUT),
        "another message id": (flipped(10), INPUT),
        "a frame changed": (flipped(len(sealed) // 2), INPUT),
        "no message": (b"plain text, much longer than a header has to be" * 10, INPUT),
    }


@pytest.mark.parametrize("suite", ["0478", "0578"])
def test_what_was_damaged_leaves_no_file(tmp_path, own, suite):
    sealed = run("encrypt", *own, "--suite", suite, "--frame-length", "512", stdin=secrets.token_bytes(5000)).stdout
    folder = tmp_path / "out"
    folder.mkdir()
    for what, (bytes_, code) in damaged(sealed).items():
        done = run("decrypt", "-o", folder / "plain", *own, stdin=bytes_, code=code)
        assert done.stderr.startswith(b"strongroom: -: "), what
        assert files(folder) == set(), what
    # An old file stays as it was.
    (folder / "plain").write_bytes(b"old")
    run("decrypt", "-o", folder / "plain", "--force", *own, stdin=sealed[:-1], code=INPUT)
    assert (folder / "plain").read_bytes() == b"old" and files(folder) == {"plain"}
    run("decrypt", "-o", folder / "plain", "--force", *own, stdin=sealed)
    assert len((folder / "plain").read_bytes()) == 5000


def test_a_signed_message_gives_a_pipe_nothing_before_its_signature(own):
    key = [*own, "--suite", "0578", "--frame-length", "512"]
    sealed = run("encrypt", *key, stdin=b"x" * 5000).stdout
    wrong = sealed[:-1] + bytes([sealed[-1] ^ 1])
    key = key[:2]
    assert run("decrypt", *key, stdin=wrong, code=INPUT).stdout == b""
    assert len(run("decrypt", "--release-frames", *key, stdin=wrong, code=INPUT).stdout) >= 4096
    assert run("decrypt", "--unsigned-only", *key, stdin=sealed, code=REFUSED).stdout == b""


def test_a_pipe_gets_verified_frames_and_the_exit_code_says_whether_that_is_all(own):
    plain = os.urandom(5000)
    sealed = run("encrypt", *own, "--suite", "0478", "--frame-length", "512", stdin=plain).stdout
    for wrong in (sealed[:-1], sealed[:3000], sealed[:3000] + bytes([sealed[3000] ^ 1]) + sealed[3001:], sealed + b"x"):
        came = run("decrypt", *own, stdin=wrong, code=INPUT).stdout
        assert len(came) < len(plain) and len(came) % 512 == 0 and plain.startswith(came)


def test_a_long_signed_message_needs_a_file(tmp_path, own):
    sealed = run("encrypt", *own, stdin=(plain := os.urandom(20 * MIB))).stdout
    refused = run("decrypt", *own, stdin=sealed, code=REFUSED)
    assert refused.stdout == b"" and b"-o" in refused.stderr and b"--release-frames" in refused.stderr
    assert run("decrypt", "--release-frames", *own, stdin=sealed).stdout == plain
    run("decrypt", "-o", tmp_path / "plain", *own, stdin=sealed)
    assert (tmp_path / "plain").read_bytes() == plain


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stop_in_the_middle_leaves_no_final_file(tmp_path, own, stop):
    sealed = run("encrypt", *own, "--suite", "0478", stdin=os.urandom(4 * MIB)).stdout
    for command, half in (["encrypt", os.urandom(2 * MIB)], ["decrypt", sealed[: 2 * MIB]]):
        folder = tmp_path / command
        folder.mkdir()
        process = subprocess.Popen([BINARY, command, "-o", folder / "out", *own], stdin=subprocess.PIPE, preexec_fn=interruptible)
        process.stdin.write(half)
        process.stdin.flush()
        wait_for(lambda: any(path.stat().st_size > 0 for path in folder.iterdir()))
        assert all(name.startswith(".strongroom-") for name in files(folder)), "no final name yet"
        process.send_signal(stop)
        assert process.wait(timeout=30) == -stop
        process.stdin.close()
        left = files(folder)
        assert "out" not in left and (stop == signal.SIGKILL or not left), left


def test_a_disk_that_fills_up_is_left_as_it_was(tmp_path, own, small_disk):
    (tmp_path / "plain").write_bytes(os.urandom(4 * MIB))
    run("encrypt", tmp_path / "plain", "-o", tmp_path / "sealed", *own)
    for command, source in (("encrypt", "plain"), ("decrypt", "sealed")):
        done = run(command, tmp_path / source, "-o", small_disk / "out", *own, code=FAILED)
        assert os.strerror(errno.ENOSPC).encode() in done.stderr
        assert files(small_disk) == set()
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "decrypt", tmp_path / "sealed", "--release-frames", *own], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED


def test_a_reader_that_leaves_is_a_failure(tmp_path, own):
    """Not everything was verified."""
    sealed = run("encrypt", *own, "--suite", "0478", stdin=bytes(8 * MIB)).stdout
    (tmp_path / "sealed").write_bytes(sealed)
    process = subprocess.Popen([BINARY, "decrypt", tmp_path / "sealed", *own], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=30) == FAILED


def test_20_gib_through_a_pipe_in_bounded_memory(own):
    zero = subprocess.Popen(["head", "-c", str(PIPE_BYTES), "/dev/zero"], stdout=subprocess.PIPE)
    seal = subprocess.Popen([BINARY, "encrypt", "--suite", "0478", *own], stdin=zero.stdout, stdout=subprocess.PIPE)
    open_ = subprocess.Popen([BINARY, "decrypt", *own], stdin=seal.stdout, stdout=subprocess.PIPE)
    zero.stdout.close()
    seal.stdout.close()
    peak = Peak(seal, open_)
    buffer, total, reads = memoryview(bytearray(MIB)), 0, 0
    while read := os.readv(open_.stdout.fileno(), [buffer]):
        total, reads = total + read, reads + 1
        if reads % 1000 == 0:
            peak.sample()
    assert total == PIPE_BYTES and not any(buffer)
    assert [process.wait(timeout=30) for process in (zero, seal, open_)] == [0, 0, 0]
    assert 0 < peak.bytes < MEMORY, peak.bytes


def test_memory_is_bounded_for_files_too(tmp_path, own):
    """A signed message of a length that could not be held."""
    with (tmp_path / "plain").open("wb") as plain:
        plain.truncate(200 * MIB)
    for command, source, target in (("encrypt", "plain", "sealed"), ("decrypt", "sealed", "again")):
        ends_within_bounds(command, tmp_path / source, "-o", tmp_path / target, *own)
    assert digest(tmp_path / "again") == digest(tmp_path / "plain")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
