"""A disk that is full, and one whose syncs fail: clear errors, and nothing that was acknowledged is lost."""

import hashlib
import os
import secrets
import subprocess
import time
from pathlib import Path

import pytest

from modes import Mode
from raw import Connection
from strongroom import Server

KIB, MIB = 1024, 1024 * 1024


def store(connection: Connection, stored: dict[str, str], size: int, headers: dict[str, str]):
    path, body = f"/disk/{secrets.token_hex(8)}", secrets.token_bytes(size)
    answer = connection.request("PUT", path, headers, body)
    if answer.status == 200:
        stored[path] = hashlib.sha256(body).hexdigest()
    return answer


def all_there(server: Server, stored: dict[str, str]) -> bool:
    connection = Connection(server)
    return all(hashlib.sha256(connection.request("GET", path).body).hexdigest() == digest for path, digest in stored.items())


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 80 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("size", [3 * KIB, 300 * KIB, 5 * MIB], ids=["inline", "blob", "large"])
def test_a_full_disk(tmp_path, small_disk, size):
    server = Server(tmp_path)
    server.data = small_disk / "data"
    server.start()
    server.client("s3").create_bucket(Bucket="disk")
    key_arn = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    connection, stored = Connection(server), {}
    modes = [mode.headers(key_arn) for mode in Mode if mode is not Mode.SSE_C]
    filler = small_disk / "filler"
    filler.write_bytes(bytes(30 * MIB))
    for number in range(20_000):
        answer = store(connection, stored, size, modes[number % len(modes)])
        if answer.status != 200:
            break
    assert answer.status == 507 and answer.code == "InsufficientStorage", answer
    assert len(stored) > 1
    assert all_there(server, stored), "a full disk still serves what it has"
    server.stop()
    server.start()
    assert all_there(server, stored)
    filler.unlink()
    answer = store(Connection(server), stored, size, {})
    assert answer.status == 200, f"with room again, writes go on: {answer}"
    assert all_there(server, stored)
    server.stop()
    scrub = server.run("scrub")
    assert scrub.returncode == 0, scrub.stdout


@pytest.fixture(scope="module")
def shim(tmp_path_factory) -> Path:
    library = tmp_path_factory.mktemp("shim") / "failing_sync.so"
    source = Path(__file__).parent / "failing_sync.c"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("size", [3 * KIB, 2 * MIB], ids=["inline", "blob"])
def test_a_failing_sync(tmp_path, shim, size):
    flag = tmp_path / "fail"
    server = Server(tmp_path, environment={"LD_PRELOAD": str(shim), "FAIL_SYNC_WHILE": str(flag)}).start()
    server.client("s3").create_bucket(Bucket="disk")
    connection, stored = Connection(server), {}
    for _ in range(5):
        assert store(connection, stored, size, {}).status == 200
    flag.touch()
    answer = store(connection, stored, size, {})
    assert (answer.status, answer.code) in [(500, "InternalError"), (503, "ServiceUnavailable")], answer
    flag.unlink()
    answer = store(connection, stored, size, {})
    assert answer.status == 503 and answer.code == "ServiceUnavailable", f"after a failed sync no write is acknowledged: {answer}"
    time.sleep(1.1)  # readiness is asked anew once a second
    assert connection.send("GET", "/_/health/ready", {"Host": connection.host}).status == 503
    assert all_there(server, stored), "reads go on"
    server.stop()
    server.start()
    assert all_there(server, stored)
    assert store(Connection(server), stored, size, {}).status == 200
    server.stop()
