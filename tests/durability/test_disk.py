"""A disk that is full, and one whose syncs fail: clear errors, and nothing that was acknowledged is lost."""

import hashlib
import json
import os
import secrets
import subprocess
import time
from pathlib import Path

import pytest

import disks
from modes import Mode
from raw import Connection, Kms, Query
from strongroom import Server

KIB, MIB = 1024, 1024 * 1024
# A store that has found its disk full looks for room once a second.
ROOM_IS_SOUGHT = 1.1


def store(connection: Connection, stored: dict[str, str], size: int, headers: dict[str, str]):
    path, body = f"/disk/{secrets.token_hex(8)}", secrets.token_bytes(size)
    answer = connection.request("PUT", path, headers, body)
    if answer.status == 200:
        stored[path] = hashlib.sha256(body).hexdigest()
    return answer


def all_there(server: Server, stored: dict[str, str]) -> bool:
    connection = Connection(server)
    return all(hashlib.sha256(connection.request("GET", path).body).hexdigest() == digest for path, digest in stored.items())


def there_or_refused(server: Server, stored: dict[str, str]) -> bool:
    """Whoever reads with a KMS key leaves a record, or is told that it failed."""
    connection = Connection(server)
    answers = {path: connection.request("GET", path) for path in stored}
    return all(
        (answer.status, answer.code) == (500, "InternalError") or hashlib.sha256(answer.body).hexdigest() == stored[path]
        for path, answer in answers.items()
    )


def recorded(server: Server) -> set[str]:
    export = server.run("audit", "export")
    assert export.returncode == 0, export.stderr
    return {short(json.loads(line)["requestID"]) for line in export.stdout.splitlines()}


def short(identity: str) -> str:
    """What ids of S3 and of KMS have in common for one request: 16 digits but that of the UUID's version."""
    digits = identity.replace("-", "")[:16].upper()
    return digits[:12] + digits[13:]


def whole(server: Server):
    for command in (("scrub",), ("audit", "verify")):
        found = server.run(*command)
        assert found.returncode == 0, found.stdout + found.stderr


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 80 MiB."""
    with disks.small(tmp_path / "disk", "80m") as folder:
        yield folder


@pytest.mark.parametrize("size", [3 * KIB, 300 * KIB, 5 * MIB], ids=["inline", "blob", "large"])
def test_a_full_disk(tmp_path, small_disk, size):
    server = Server(tmp_path)
    server.data = small_disk / "data"
    server.start()
    server.client("s3").create_bucket(Bucket="disk")
    key_arn = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    connection, stored, of_keys = Connection(server), {}, {}
    modes = [mode for mode in Mode if mode is not Mode.SSE_C]
    filler = small_disk / "filler"
    filler.write_bytes(bytes(30 * MIB))
    for number in range(20_000):
        mode = modes[number % len(modes)]
        answer = store(connection, stored if mode is Mode.SSE_S3 else of_keys, size, mode.headers(key_arn))
        if answer.status != 200:
            break
    # The object has no room, or its record has none.
    assert (answer.status, answer.code) in [(507, "InsufficientStorage"), (500, "InternalError")], answer
    assert stored and of_keys
    assert all_there(server, stored), "a full disk still serves what it has"
    assert there_or_refused(server, of_keys)
    server.stop()
    server.start()
    assert all_there(server, stored)
    assert there_or_refused(server, of_keys)
    filler.unlink()
    time.sleep(ROOM_IS_SOUGHT)
    answer = store(Connection(server), stored, size, {})
    assert answer.status == 200, f"with room again, writes go on: {answer}"
    assert all_there(server, stored | of_keys)
    server.stop()
    whole(server)


def test_no_room_for_records(tmp_path, small_disk):
    """In the strict mode of the audit log nothing is answered as done without its record, reads with keys neither."""
    server = Server(tmp_path)
    server.data = small_disk / "data"
    server.start()
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    server.client("s3").create_bucket(Bucket="disk")
    kms, iam, s3 = Kms(server), Query(server), Connection(server)
    plain, of_key = "/disk/plain", "/disk/of-key"
    for path, mode in ((plain, Mode.SSE_S3), (of_key, Mode.SSE_KMS)):
        assert s3.request("PUT", path, mode.headers(key), b"content").status == 200
    encrypt = json.dumps({"KeyId": key, "Plaintext": "c2VjcmV0"}).encode()
    sealed = json.loads(kms.call("Encrypt", encrypt).body)["CiphertextBlob"]
    decrypt = json.dumps({"CiphertextBlob": sealed}).encode()
    filler, answered, refused = small_disk / "filler", set(), set()
    calls = [
        lambda: kms.call("Encrypt", encrypt),
        lambda: kms.call("Decrypt", decrypt),
        lambda: kms.call("ListKeys", b"{}"),
        lambda: kms.call("CreateKey", b"{}"),
        lambda: iam.call("CreateUser", {"UserName": "user-" + secrets.token_hex(8)}),
        lambda: iam.call("ListUsers"),
        lambda: s3.request("PUT", "/disk/" + secrets.token_hex(8), Mode.SSE_KMS.headers(key), b"content"),
        lambda: s3.request("GET", of_key),
        lambda: s3.request("GET", "/"),
    ]

    def ask(rounds: int) -> set[int]:
        """Asks for everything; the statuses."""
        statuses = set()
        for call in calls * rounds:
            answer = call()
            identity = answer.headers.get("x-amzn-requestid") or answer.headers["x-amz-request-id"]
            (answered if answer.status < 500 else refused).add(short(identity))
            statuses.add(answer.status)
        return statuses

    assert ask(1) == {200}
    for _ in range(2):
        with filler.open("ab") as file:
            room = os.statvfs(small_disk)
            file.write(bytes(room.f_bavail * room.f_frsize))
        while 200 in ask(10):
            assert len(answered) < 20_000
        assert ask(3) <= {500, 507}, "nothing that leaves a record is answered"
        assert s3.request("GET", plain).body == b"content", "what leaves none is"
        server.stop()
        # What was only in the store's log comes into its file, and may leave room.
        server.start()
        kms, iam, s3 = Kms(server), Query(server), Connection(server)
    filler.unlink()
    time.sleep(ROOM_IS_SOUGHT)
    assert ask(3) == {200}, "with room again all goes on"
    server.stop()
    on_record = recorded(server)
    assert answered <= on_record and not refused & on_record
    assert len(answered) > 9 and len(refused) > 30
    whole(server)


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
