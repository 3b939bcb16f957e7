"""kill -9 in the middle of concurrent writes, again and again.

Each writer owns its keys, so for each key it knows the last write that was acknowledged and the one that was under way.
After a restart a key must hold one of these two, whole; and never less than the last acknowledged one.
"""

import hashlib
import os
import random
import re
import threading
import time

from modes import Mode
from raw import Connection
from strongroom import Server

CYCLES = int(os.environ.get("STRONGROOM_KILL_CYCLES", "200"))
WRITERS = 6
KEYS = 6
KIB, MIB = 1024, 1024 * 1024
SIZES = [0, 1, 300, 4 * KIB, 20 * KIB, 64 * KIB, 65 * KIB, 200 * KIB, MIB, 3 * MIB]
DELETED = "deleted"


def content(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


class Ledger:
    """What may be found under a key: the digest of the acknowledged write, or of the one under way."""

    def __init__(self):
        self.acknowledged: dict[str, str] = {}
        self.pending: dict[str, str] = {}
        self.mode: dict[str, tuple[Mode, ...]] = {}
        self.counts = {"acknowledged": 0, "under way": 0, "verified": 0, "completed though not acknowledged": 0}


class Writer(threading.Thread):
    def __init__(self, server: Server, number: int, cycle: int, ledger: Ledger, key_arn: str):
        super().__init__(daemon=True)
        self.server, self.ledger, self.key_arn = server, ledger, key_arn
        self.random = random.Random(cycle * 1000 + number)
        self.number = number
        self.touched: set[str] = set()

    def run(self):
        try:
            connection = Connection(self.server, secure=True)
            while True:
                self.write_once(connection)
        except Exception:  # noqa: BLE001  the server was killed: whatever this write was, it is not acknowledged
            return

    def write_once(self, connection: Connection):
        key = f"/crash/{self.number}-{self.random.randrange(KEYS)}"
        mode = self.random.choice(list(Mode))
        kind = self.random.choices(["put", "multipart", "delete"], [8, 1, 1])[0]
        body = content(self.random.getrandbits(60), self.random.choice(SIZES))
        tail = content(1, 1000) if kind == "multipart" else b""
        if kind == "multipart":
            body = content(self.random.getrandbits(60), 5 * MIB + self.random.randrange(3))
        digest = DELETED if kind == "delete" else hashlib.sha256(body + tail).hexdigest()
        self.touched.add(key)
        old_modes = self.ledger.mode.get(key, ())
        self.ledger.pending[key] = digest
        self.ledger.mode[key] = (mode, *old_modes[:1])
        self.ledger.counts["under way"] += 1
        if kind == "delete":
            answer = connection.request("DELETE", key)
        elif kind == "put":
            answer = connection.request("PUT", key, mode.headers(self.key_arn), body)
        else:
            answer = self.multipart(connection, key, mode, [body, tail])
        assert answer.status in (200, 204), answer
        self.ledger.acknowledged[key] = digest
        del self.ledger.pending[key]
        self.ledger.mode[key] = (mode,)
        self.ledger.counts["acknowledged"] += 1
        self.ledger.counts["under way"] -= 1

    def multipart(self, connection: Connection, key: str, mode: Mode, parts: list[bytes]):
        started = connection.request("POST", key + "?uploads", mode.headers(self.key_arn))
        upload = re.search(rb"<UploadId>(.*?)</UploadId>", started.body).group(1).decode()
        manifest = ""
        part_headers = mode.headers("") if mode is Mode.SSE_C else {}
        for number, part in enumerate(parts, start=1):
            answer = connection.request("PUT", f"{key}?partNumber={number}&uploadId={upload}", part_headers, part)
            assert answer.status == 200, answer
            manifest += f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.headers['etag']}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{manifest}</CompleteMultipartUpload>".encode()
        return connection.request("POST", f"{key}?uploadId={upload}", None, document)


def read(connection: Connection, key: str, modes: tuple[Mode, ...]) -> tuple[str, tuple[Mode, ...]]:
    """The digest of what the server serves under the key, and the mode that opened it."""
    for mode in {mode is Mode.SSE_C: mode for mode in modes}.values():
        headers = mode.headers("") if mode is Mode.SSE_C else {}
        answer = connection.request("GET", key, headers)
        if answer.status == 404:
            return DELETED, ()
        if answer.status == 200:
            assert int(answer.headers["content-length"]) == len(answer.body)
            return hashlib.sha256(answer.body).hexdigest(), (mode,)
        assert answer.status == 400, f"{key}: {answer}"  # the other of two modes: with or without a customer key
    raise AssertionError(f"{key} opens in neither mode: {answer}")


def verify(server: Server, ledger: Ledger, keys: set[str]):
    connection = Connection(server, secure=True)
    for key in keys:
        found, ledger.mode[key] = read(connection, key, ledger.mode[key] or (Mode.SSE_S3,))
        acknowledged, pending = ledger.acknowledged.get(key, DELETED), ledger.pending.pop(key, None)
        assert found in (acknowledged, pending), f"{key}: an acknowledged write was lost or torn"
        if found == pending and found != acknowledged:
            ledger.counts["completed though not acknowledged"] += 1
        ledger.acknowledged[key] = found
        ledger.counts["verified"] += 1


def test_nothing_acknowledged_is_lost(tmp_path, capsys):
    server = Server(tmp_path, "--blocked-encryption-types", "NONE").start()
    server.client("s3").create_bucket(Bucket="crash")
    key_arn = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    ledger, chance = Ledger(), random.Random(7)
    for cycle in range(CYCLES):
        writers = [Writer(server, number, cycle, ledger, key_arn) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.05, 0.9))
        server.kill()
        for writer in writers:
            writer.join(timeout=30)
        server.start()
        verify(server, ledger, set().union(*(writer.touched for writer in writers)))
    verify(server, ledger, set(ledger.mode))
    server.stop()
    scrub = server.run("scrub")
    assert scrub.returncode == 0, scrub.stdout + scrub.stderr
    with capsys.disabled():
        print(f"\n  {CYCLES} kills; writes: {ledger.counts}; scrub: {scrub.stdout.strip().splitlines()[-1]}")
