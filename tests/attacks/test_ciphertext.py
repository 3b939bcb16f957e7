"""Somebody who can write to the data folder changes what lies there. No wrong byte is ever served, and scrub finds each change.

All damage of one mode is done at once, each to an object of its own, while the server is down: one restart shows them all.
"""

import http.client
import json
import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from modes import Mode
from raw import Connection
from strongroom import Server

KIB, MIB = 1024, 1024 * 1024
HEADER = 32
INLINE, BLOB, PARTS = [3 * KIB], [300 * KIB], [5 * MIB, 200 * KIB]


class Vault:
    """A server, what was stored in it, and where that lies on the disk."""

    def __init__(self, server: Server, mode: Mode, key_arn: str):
        self.server, self.mode, self.key_arn = server, mode, key_arn
        self.connection = Connection(server, secure=True)
        self.content: dict[str, bytes] = {}
        self.blobs: dict[str, list[Path]] = {}

    def files(self) -> set[Path]:
        return {path for path in (self.server.data / "blobs").rglob("*") if path.is_file()}

    def store(self, name: str, parts: list[int]) -> str:
        before, bodies = self.files(), [secrets.token_bytes(size) for size in parts]
        path, headers = f"/attack/{name}", self.mode.headers(self.key_arn)
        if len(parts) == 1:
            answer = self.connection.request("PUT", path, headers, bodies[0])
        else:
            answer = self.multipart(path, headers, bodies)
        assert answer.status == 200, answer
        self.content[name] = b"".join(bodies)
        new = self.files() - before
        self.blobs[name] = sorted(new, key=lambda file: -file.stat().st_size)
        return name

    def multipart(self, path: str, headers: dict[str, str], bodies: list[bytes]):
        started = self.connection.request("POST", path + "?uploads", headers)
        upload = started.body.split(b"<UploadId>")[1].split(b"</UploadId>")[0].decode()
        manifest = ""
        for number, body in enumerate(bodies, start=1):
            part_headers = self.mode.headers("") if self.mode is Mode.SSE_C else {}
            answer = self.connection.request("PUT", f"{path}?partNumber={number}&uploadId={upload}", part_headers, body)
            manifest += f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.headers['etag']}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{manifest}</CompleteMultipartUpload>"
        return self.connection.request("POST", f"{path}?uploadId={upload}", None, document.encode())

    def served(self, name: str, method: str = "GET") -> tuple[int, bytes, bool]:
        """Status, the bytes that came, and whether the body came to its end."""
        connection = Connection(self.server, secure=True)
        headers = self.mode.headers("") if self.mode is Mode.SSE_C else {}
        path = f"/attack/{name}"
        connection.http.request(method, path, headers=connection.signed(method, path, headers))
        response = connection.http.getresponse()
        try:
            return response.status, response.read(), True
        except http.client.IncompleteRead as error:
            return response.status, error.partial, False
        except OSError:
            return response.status, b"", False

    def rows(self) -> "Rows":
        database = next(path for path in self.server.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3")
        return Rows(database)


class Rows:
    """The rows of objects, by name."""

    def __init__(self, database: Path):
        self.connection = sqlite3.connect(database)

    def key(self, name: str) -> bytes:
        rows = self.connection.execute('SELECT k FROM "object"').fetchall()
        return next(key for (key,) in rows if bytes(key[16:]) == name.encode())

    def read(self, name: str) -> tuple[bytes, bytes | None]:
        return self.connection.execute('SELECT v, b FROM "object" WHERE k = ?', (self.key(name),)).fetchone()

    def write(self, name: str, value: bytes, body: bytes | None):
        self.connection.execute('UPDATE "object" SET v = ?, b = ? WHERE k = ?', (value, body, self.key(name)))
        self.connection.commit()


def flip(content: bytes, position: int) -> bytes:
    position %= len(content)
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


SEGMENT = 64 * KIB


def sealed_segment(mode: Mode) -> int:
    return SEGMENT + (32 if mode is Mode.DSSE_KMS else 16)


def on_blob(change: Callable[[bytes, int], bytes | None], which: int = 0):
    """An attack on one file: `change` gets its bytes and the length of a sealed segment."""

    def attack(vault: Vault, rows: Rows, name: str):
        file = vault.blobs[name][which]
        changed = change(file.read_bytes(), sealed_segment(vault.mode))
        file.unlink() if changed is None else file.write_bytes(changed)

    return attack


def exchange(content: bytes, first: int, second: int, length: int) -> bytes:
    one, two = content[first : first + length], content[second : second + length]
    return content[:first] + two + content[first + length : second] + one + content[second + length :]


def on_row(change: Callable[[bytes, bytes | None], tuple[bytes, bytes | None]]):
    def attack(vault: Vault, rows: Rows, name: str):
        rows.write(name, *change(*rows.read(name)))

    return attack


BLOB_ATTACKS = {
    "flip-magic": on_blob(lambda content, _: flip(content, 3)),
    "flip-id": on_blob(lambda content, _: flip(content, 20)),
    "flip-first-byte": on_blob(lambda content, _: flip(content, HEADER)),
    "flip-first-tag": on_blob(lambda content, segment: flip(content, HEADER + segment - 1)),
    "flip-middle": on_blob(lambda content, _: flip(content, len(content) // 2)),
    "flip-last-byte": on_blob(lambda content, _: flip(content, -1)),
    "cut-one-byte": on_blob(lambda content, _: content[:-1]),
    "cut-at-a-segment": on_blob(lambda content, segment: content[: HEADER + segment]),
    "cut-to-nothing": on_blob(lambda content, _: b""),
    "longer": on_blob(lambda content, _: content + bytes(100)),
    "removed": on_blob(lambda content, _: None),
    "segments-reordered": on_blob(lambda content, segment: exchange(content, HEADER, HEADER + segment, segment)),
    "segment-repeated": on_blob(
        lambda content, segment: content[: HEADER + segment] + content[HEADER : HEADER + segment] + content[HEADER + 2 * segment :]
    ),
}
ROW_ATTACKS = {
    "row-flip-first": on_row(lambda value, body: (flip(value, 0), body)),
    "row-flip-middle": on_row(lambda value, body: (flip(value, len(value) // 2), body)),
    "row-flip-last": on_row(lambda value, body: (flip(value, -1), body)),
    "row-cut": on_row(lambda value, body: (value[:-1], body)),
}
BODY_ATTACKS = {
    "body-flip-first": on_row(lambda value, body: (value, flip(body, 0))),
    "body-flip-last": on_row(lambda value, body: (value, flip(body, -1))),
    "body-cut": on_row(lambda value, body: (value, body[:-1])),
    "body-gone": on_row(lambda value, body: (value, None)),
}


def swap_files(vault: Vault, rows: Rows, one: str, two: str, keep_ids: bool = False):
    """Each file under the other's name; `keep_ids`: with the header that belongs there."""
    first, second = vault.blobs[one][0], vault.blobs[two][0]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes((a if keep_ids else b)[:HEADER] + b[HEADER:])
    second.write_bytes((b if keep_ids else a)[:HEADER] + a[HEADER:])


def swap_rows(vault: Vault, rows: Rows, one: str, two: str, values: bool = True, bodies: bool = True):
    (value_1, body_1), (value_2, body_2) = rows.read(one), rows.read(two)
    rows.write(one, value_2 if values else value_1, body_2 if bodies else body_1)
    rows.write(two, value_1 if values else value_2, body_1 if bodies else body_2)


def plan(vault: Vault) -> dict[str, Callable[[Rows], None]]:
    """Stores an object, or two, for each attack; gives what is to be done to it once the server is down."""
    todo: dict[str, Callable[[Rows], None]] = {}

    def alone(kind: str, parts: list[int], attacks: dict):
        for attack, act in attacks.items():
            name = vault.store(f"{kind}.{attack}", parts)
            todo[name] = lambda rows, act=act, name=name: act(vault, rows, name)

    def pair(kind: str, parts: list[int], attack: str, act: Callable, **options):
        one, two = vault.store(f"{kind}.{attack}.1", parts), vault.store(f"{kind}.{attack}.2", parts)
        todo[one] = lambda rows: act(vault, rows, one, two, **options)
        todo[two] = lambda rows: None

    alone("inline", INLINE, ROW_ATTACKS | BODY_ATTACKS)
    alone("blob", BLOB, BLOB_ATTACKS | ROW_ATTACKS)
    alone("parts", PARTS, BLOB_ATTACKS | ROW_ATTACKS | BODY_ATTACKS)
    alone("second-part", PARTS, {"flip": on_blob(lambda content, _: flip(content, HEADER + 5), which=1)})
    for kind, parts in (("inline", INLINE), ("blob", BLOB), ("parts", PARTS)):
        pair(kind, parts, "rows-swapped", swap_rows)
        pair(kind, parts, "values-swapped", swap_rows, bodies=False)
    for kind, parts in (("inline", INLINE), ("parts", PARTS)):
        pair(kind, parts, "bodies-swapped", swap_rows, values=False)
    for kind, parts in (("blob", BLOB), ("parts", PARTS)):
        pair(kind, parts, "files-swapped", swap_files)
        pair(kind, parts, "files-swapped-with-headers", swap_files, keep_ids=True)

    name = vault.store("parts.swapped-within", [5 * MIB, 5 * MIB])
    first, second = vault.blobs[name]

    def within(rows: Rows):
        a, b = first.read_bytes(), second.read_bytes()
        first.write_bytes(a[:HEADER] + b[HEADER:])
        second.write_bytes(b[:HEADER] + a[HEADER:])

    todo[name] = within

    for keep_header in (False, True):
        name = vault.store(f"blob.replayed-{keep_header}", BLOB)
        older = vault.blobs[name][0].read_bytes()
        vault.store(name, BLOB)
        newer = vault.blobs[name][0]
        todo[name] = lambda rows, newer=newer, older=older, keep=keep_header: newer.write_bytes(
            (newer.read_bytes() if keep else older)[:HEADER] + older[HEADER:]
        )
    return todo


def test_no_wrong_byte_is_served_and_scrub_finds_each(tmp_path, mode, capsys):
    server = Server(tmp_path, "--blocked-encryption-types", "NONE").start()
    server.client("s3").create_bucket(Bucket="attack")
    vault = Vault(server, mode, server.client("kms").create_key()["KeyMetadata"]["Arn"])
    healthy = [vault.store("healthy-inline", INLINE), vault.store("healthy-blob", BLOB), vault.store("healthy-parts", PARTS)]
    todo = plan(vault)
    server.stop()
    clean = server.run("scrub")
    assert clean.returncode == 0, clean.stdout + clean.stderr
    rows = vault.rows()
    for act in todo.values():
        act(rows)
    rows.connection.close()

    server.start()
    for name in healthy:
        assert vault.served(name) == (200, vault.content[name], True)
    for name in todo:
        status, body, complete = vault.served(name)
        if status == 200:
            assert vault.content[name].startswith(body), f"{name}: a wrong byte was served"
            assert not complete and len(body) < len(vault.content[name]) or name.endswith("longer"), f"{name}: served as if whole"
        else:
            assert status == 500 and b"<Code>InternalError</Code>" in body, f"{name}: {status} {body}"
    server.stop()

    scrub = server.run("scrub", "--json")
    assert scrub.returncode == 1, scrub.stdout + scrub.stderr
    lines = [json.loads(line) for line in scrub.stdout.splitlines()]
    found = {line["finding"]["key"] for line in lines if "finding" in line}
    assert found == set(todo), f"not found: {set(todo) - found}; not damaged: {found - set(todo)}"
    with capsys.disabled():
        print(f"\n  {mode.value}: {len(todo)} objects damaged, none served wrong, scrub found all")
