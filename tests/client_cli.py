"""`strongroom` as a command for data that never reaches the server in the clear: what the tests of that command line share."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import disks
from strongroom import BINARY, Server, free_port

KIB, MIB, GIB = 1024, 1024**2, 1024**3
# Exit codes.
DONE, FAILED, USAGE, INPUT, KEY, REFUSED = range(6)
# The most that a command may hold, however long the data.
MEMORY = 32 * MIB


def run(*arguments, stdin: bytes = b"", code: int = DONE, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([BINARY, *map(str, arguments)], input=stdin, capture_output=True, timeout=120, check=False, **options)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done


def results(done: subprocess.CompletedProcess, stream: str = "stdout") -> list[dict]:
    return [json.loads(line) for line in getattr(done, stream).splitlines() if line.startswith(b"{")]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def secret(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def interruptible() -> None:
    """For `preexec_fn`: whoever runs the tests in the background may have them ignore what they send here."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


def wait_for(condition, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def environment(server: Server) -> dict[str, str]:
    """What `strongroom env` sets for any client, and no more."""
    return {"PATH": os.environ["PATH"], **{k: v for k, v in server.environment_of_clients().items() if k.startswith("AWS_")}}


@pytest.fixture(scope="module")
def aws(server) -> dict[str, str]:
    return environment(server)


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> list:
    """A key file, as options."""
    path = tmp_path_factory.mktemp("own") / "own"
    run("keygen", "-o", path)
    return ["--key-file", path]


@pytest.fixture
def small_disk(tmp_path):
    with disks.small(tmp_path / "small", "2m") as folder:
        yield folder


class Peak:
    """The most memory that processes had at once, each by itself, in bytes.

    Not `ru_maxrss`, which a process inherits from the one that forked it: the kernel's own high-water mark, read until they end.
    """

    def __init__(self, *processes: subprocess.Popen):
        self.processes = processes
        self.bytes = 0

    def sample(self) -> int:
        for process in self.processes:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except FileNotFoundError:
                continue
            marks = [line for line in status.splitlines() if line.startswith("VmHWM:")]
            self.bytes = max(self.bytes, *(int(mark.split()[1]) * KIB for mark in marks), 0)
        return self.bytes


def ends_within_bounds(*arguments, **options) -> None:
    """Runs a command to its end, and looks how much memory it takes."""
    process = subprocess.Popen([BINARY, *arguments], **options)
    peak = Peak(process)
    while process.poll() is None:
        peak.sample()
    assert process.returncode == DONE and 0 < peak.bytes < MEMORY, (arguments, peak.bytes)


class Breaking:
    """A way to the server that breaks off after so many bytes of answers, and then for good."""

    def __init__(self, server: Server, after: int):
        self.port, self.left, self.listener = free_port(), after, socket.socket()
        self.target = server.http_port
        self.served = 0
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(20)
        threading.Thread(target=self.accept, daemon=True).start()

    def through(self, aws: dict[str, str]) -> dict[str, str]:
        """The environment of a client that goes this way."""
        return {**aws, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

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
