"""Files that change while the command line reads them, and files that are missing: what would be none of their states is not sealed."""

import os
import resource
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from client_cli import FAILED, INPUT, MIB, Breaking, aws, files, own, run, wait_for  # noqa: F401
from strongroom import BINARY

LONG = 24 * MIB + 12_345
CHANGED = b"the file changed while it was read"


class Gate(Breaking):
    """A way to the server on which nothing goes on once so many bytes went there, until it is opened."""

    def __init__(self, server, after: int):
        self.opened, self.sent, self.limit = threading.Event(), 0, after
        super().__init__(server, 1 << 40)

    def carry(self, source, target, counted):
        if not counted:
            inner, gate = source, self

            class Counting:
                def recv(self, most):
                    data = inner.recv(most)
                    gate.sent += len(data)
                    if gate.sent > gate.limit:
                        gate.opened.wait(60)
                    return data

                def __getattr__(self, name):
                    return getattr(inner, name)

            source = Counting()
        super().carry(source, target, counted)


def write_over(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(length // 2)
        file.write(b"something else")


def write_over_secretly(path: Path, length: int) -> None:
    before = path.stat()
    write_over(path, length)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    "grows": lambda path, length: os.truncate(path, length + 1),
    "shrinks": lambda path, length: os.truncate(path, length - 1),
    "is emptied": lambda path, length: os.truncate(path, 0),
    "is written over": write_over,
    "is written over and its time set back": write_over_secretly,
}


def zeros(path: Path, length: int, holes: bool = False) -> Path:
    with path.open("wb") as file:
        file.truncate(length)
        for _ in range(0 if holes else length // MIB):
            file.write(bytes(MIB))
    # What changes it comes at another tick of the clock by which files are stamped.
    time.sleep(0.02)
    return path


WAYS_UP = [*(("cp", change) for change in CHANGES), *((command, "is written over") for command in ("cp -", "cp -r", "sync"))]


@pytest.mark.parametrize(("command", "change"), WAYS_UP)
def test_a_file_that_changes_while_it_goes_up_leaves_no_object(tmp_path, server, aws, s3, bucket, own, command, change):
    folder, length = tmp_path / "folder", 3 * LONG
    folder.mkdir()
    path, gate = zeros(folder / "file", length), Gate(server, LONG)
    ends = {"cp": [path, f"s3://{bucket}/file"], "cp -": [f"s3://{bucket}/file"]}.get(command, [folder, f"s3://{bucket}"])
    with path.open("rb") as stdin:
        process = subprocess.Popen(
            [BINARY, *command.split(), *ends, "--json", *own], env=gate.through(aws), stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    wait_for(lambda: gate.sent > LONG)
    CHANGES[change](path, length)
    gate.opened.set()
    out, error = process.communicate(timeout=120)
    assert process.returncode == FAILED and CHANGED in error and CHANGED in out, error
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads") and s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    if command == "sync":
        run("sync", *ends, *own, env=aws)
        run("cp", f"s3://{bucket}/file", tmp_path / "back", *own, env=aws)
        assert (tmp_path / "back").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("piped", [False, True], ids=["by name", "as standard input"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_sealed_gives_no_message(tmp_path, own, change, piped):
    path, length = zeros(tmp_path / "file", 16 * MIB), 16 * MIB
    with path.open("rb") as stdin:
        command = [BINARY, "encrypt", *([] if piped else [path]), "-o", "-", *own]
        process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    # It has begun, and its pipe is full.
    begun = os.read(process.stdout.fileno(), 1)
    CHANGES[change](path, length)
    rest, error = process.communicate(timeout=60)
    assert process.returncode == FAILED and CHANGED in error, error
    run("decrypt", *own, stdin=begun + rest, code=INPUT)


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_sealed_leaves_no_file(tmp_path, own, change):
    out, length = tmp_path / "out", 512 * MIB
    out.mkdir()
    path = zeros(tmp_path / "file", length, holes=True)
    process = subprocess.Popen([BINARY, "encrypt", path, "-o", out / "sealed", *own], stderr=subprocess.PIPE)
    wait_for(lambda: files(out))
    process.send_signal(signal.SIGSTOP)
    CHANGES[change](path, length)
    process.send_signal(signal.SIGCONT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == FAILED and CHANGED in error, error
    assert files(out) == set()


def test_a_file_that_grows_as_fast_as_it_is_read_has_an_end(tmp_path, own):
    path, length = tmp_path / "file", 4 * MIB
    path.write_bytes(os.urandom(length))
    with path.open("rb") as source, path.open("ab") as target:
        process = subprocess.Popen(
            [BINARY, "encrypt", "-o", "-", *own],
            stdin=source,
            stdout=target,
            stderr=subprocess.PIPE,
            # It would fill the disk.
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20 * length, 20 * length)),
        )
    _, error = process.communicate(timeout=60)
    assert process.returncode == FAILED and CHANGED in error, error
    assert path.stat().st_size < 3 * length


SILENT = ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/class/net/lo/mtu"]


@pytest.mark.parametrize("about", SILENT)
def test_a_file_that_does_not_tell_its_length_is_read_to_its_end(aws, bucket, own, about):
    """Those of /proc say that they have no bytes, those of /sys that they have a page, and they do not change while they are read."""
    about = Path(about)
    if not about.exists():
        pytest.skip(f"{about} is not there")
    assert about.stat().st_size != len(about.read_bytes())
    sealed = run("encrypt", about, "-o", "-", *own).stdout
    assert run("decrypt", *own, stdin=sealed).stdout == about.read_bytes()
    run("cp", about, f"s3://{bucket}/about", *own, env=aws)
    assert run("cat", f"s3://{bucket}/about", *own, env=aws).stdout == about.read_bytes()


def test_of_standard_input_what_was_not_read_before_counts(tmp_path, aws, bucket, own):
    (tmp_path / "file").write_bytes(b"one line\nand another\n")
    for command, back in ((["encrypt"], ["decrypt"]), (["cp", "-", f"s3://{bucket}/rest"], ["cat", f"s3://{bucket}/rest"])):
        with (tmp_path / "file").open("rb") as file:
            os.read(file.fileno(), 9)
            done = subprocess.run([BINARY, *command, *own], env=aws, stdin=file, capture_output=True, check=True)
        assert run(*back, *own, stdin=done.stdout, env=aws).stdout == b"and another\n"


def test_a_file_that_is_missing_is_named_once(tmp_path, aws, bucket, own):
    missing = tmp_path / "nope"
    for command in (["encrypt", missing, "-o", "-", *own], ["decrypt", missing, *own], ["inspect", missing], ["cp", missing, f"s3://{bucket}/x", *own]):
        told = run(*command, env=aws, code=FAILED).stderr.decode()
        assert told.count(str(missing)) == 1 and "No such file" in told, told
