"""`strongroom audit verify` and `export`: of a server that runs, of a store that was stopped, and of one that somebody has edited."""

import contextlib
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from raw import Kms
from strongroom import Server

# Of a store in which nothing else happens each call is a block of its own.
CALLS = 30
UNOPENED = "does not open, or says what cannot be"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A stopped store with records, and the end of its chain after each third of them."""
    server = Server(tmp_path_factory.mktemp("audit")).start()
    key = server.client("kms").create_key()["KeyMetadata"]["KeyId"]
    kms, server.heads = Kms(server), []
    for number in range(CALLS):
        body = {"KeyId": key, "Plaintext": "c2VjcmV0", "EncryptionContext": {"number": str(number)}}
        assert kms.call("Encrypt", json.dumps(body).encode()).status == 200
        if number % 10 == 9:
            server.heads.append(verified(server)["head"])
    server.running = (verified(server), exported(server))
    server.stop()
    return server


@pytest.fixture
def copied(original, tmp_path):
    """A copy of it, to be edited."""
    return copy_of(original, tmp_path)


def copy_of(original: Server, folder: Path) -> Server:
    (secrets_folder,) = (original.folder / "config" / "strongroom").iterdir()
    copy = Server(folder, environment={"STRONGROOM_SECRETS_DIR": str(folder / "secrets")})
    shutil.copytree(original.data, copy.data)
    shutil.copytree(secrets_folder, folder / "secrets")
    copy.access_key_id, copy.secret_access_key = original.access_key_id, original.secret_access_key
    return copy


@contextlib.contextmanager
def rows(server: Server):
    (path,) = [path for path in server.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    with contextlib.closing(sqlite3.connect(path)) as store, store:
        yield store


def blocks(store: sqlite3.Connection) -> list[tuple[bytes, bytes]]:
    return store.execute("SELECT k, b FROM audit WHERE substr(k, 1, 1) = x'62' ORDER BY k").fetchall()


def write(store: sqlite3.Connection, key: bytes, body: bytes):
    assert store.execute("UPDATE audit SET b = ? WHERE k = ?", [body, key]).rowcount == 1


def first_of(key: bytes) -> int:
    """The number of a block's first event."""
    return int.from_bytes(key[-8:], "big")


def audit(server: Server, *arguments: str):
    return server.run("audit", *arguments)


def verified(server: Server, *flags: str) -> dict:
    done = audit(server, "verify", "--json", *flags)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def findings(server: Server, *flags: str) -> list[str]:
    """What is wrong, which the process's end tells too, and the same in words."""
    done, words = audit(server, "verify", "--json", *flags), audit(server, "verify", *flags)
    assert done.returncode == words.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)["findings"]
    assert words.stdout.splitlines()[: len(found)] == found
    assert words.stdout.splitlines()[-1] == (f"{len(found)} findings" if len(found) > 1 else "1 finding")
    return found


def exported(server: Server, *flags: str) -> list[dict]:
    done = audit(server, "export", *flags)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_running_and_stopped_say_the_same(original):
    verification, records = original.running
    assert verified(original) == verification
    assert exported(original) == records
    assert verification["findings"] == [] and verification["head"] == original.heads[-1]
    assert (verification["first"], verification["last"], verification["events"]) == (1, len(records), len(records))
    text = audit(original, "verify")
    assert text.returncode == 0 and text.stdout.splitlines() == [
        f"verified {len(records)} events, 1 to {len(records)}, in {verification['blocks']} blocks",
        f"the chain ends with {verification['head']}",
        "nothing was changed, moved or removed",
    ]


def test_export_is_one_record_a_line_oldest_first_between_two_moments(original):
    records = exported(original)
    encrypts = [record for record in records if record["eventName"] == "Encrypt"]
    numbers = [int(record["requestParameters"]["encryptionContext"]["number"]) for record in encrypts]
    assert numbers == list(range(CALLS)) and records[-CALLS:] == encrypts
    middle = encrypts[CALLS // 2]["eventTime"]
    # Records have seconds, the log has milliseconds: a moment of whole seconds parts them alike.
    assert exported(original, "--start", middle) == [record for record in records if record["eventTime"] >= middle]
    assert exported(original, "--start", "2100-01-01T00:00:00Z") == exported(original, "--end", "2001-01-01T00:00:00+01:00") == []
    # A date alone is its whole day.
    day = middle[:10]
    assert exported(original, "--start", day, "--end", day) == [record for record in records if record["eventTime"][:10] == day] != []
    assert exported(original, "--start", middle[:16]) == [record for record in records if record["eventTime"] >= middle[:16]]
    refused = audit(original, "export", "--start", "yesterday")
    assert refused.returncode == 2 and "neither a time like" in refused.stderr


def test_an_end_that_was_noted_is_held_against_the_log(original):
    for head in original.heads:
        verified(original, "--expect", head)
    number, digest = original.heads[0].split(":")
    other = original.heads[1].split(":")[1]
    assert findings(original, "--expect", f"{number}:{other}") == [f"event {number}: the chain has another hash there than expected"]
    assert findings(original, "--expect", f"9999:{digest}") == ["event 9999: expected, but the log ends before it"]
    for no_place in ("17", f"x:{digest}", f"17:{digest[:-1]}"):
        assert audit(original, "verify", "--expect", no_place).returncode == 2


@pytest.mark.parametrize("place", [0, 20, -1], ids=["at its beginning", "within", "at its end"])
def test_a_byte_of_a_block(copied, place):
    with rows(copied) as store:
        key, body = blocks(store)[12]
        edited = bytearray(body)
        edited[place] ^= 1
        write(store, key, bytes(edited))
    assert findings(copied) == [f"audit block from event {first_of(key)} on: {UNOPENED}"]
    assert audit(copied, "export").returncode == 2, "export does not step over it"


def missing(first: int, last: int) -> str:
    return f"event {first}: missing" if first == last else f"events {first} to {last}: missing"


def test_a_block_that_was_removed(copied):
    with rows(copied) as store:
        keys = [key for key, _ in blocks(store)]
        store.execute("DELETE FROM audit WHERE k = ?", [keys[12]])
    first, after = first_of(keys[12]), first_of(keys[13])
    assert findings(copied) == [missing(first, after - 1)]
    copied.start()
    assert findings(copied) == [missing(first, after - 1)], "a running server says so too"
    copied.stop()


def test_the_oldest_blocks(copied):
    with rows(copied) as store:
        keys = [key for key, _ in blocks(store)]
        store.executemany("DELETE FROM audit WHERE k = ?", [[key] for key in keys[:3]])
    assert findings(copied) == [missing(1, first_of(keys[3]) - 1)]


def test_the_newest_blocks(copied):
    with rows(copied) as store:
        keys = [key for key, _ in blocks(store)]
        store.executemany("DELETE FROM audit WHERE k = ?", [[key] for key in keys[-5:]])
    last = first_of(keys[-5]) - 1
    assert findings(copied) == [f"the chain ends with event {last}, which is not the end that its head names"]
    with pytest.raises(RuntimeError, match="audit"):
        copied.start()


def test_two_blocks_that_changed_places(copied):
    with rows(copied) as store:
        (one, body_of_one), (other, body_of_other) = blocks(store)[5], blocks(store)[9]
        write(store, one, body_of_other)
        write(store, other, body_of_one)
    assert findings(copied) == [f"audit block from event {first_of(key)} on: {UNOPENED}" for key in (one, other)]


def test_a_block_under_another_number(copied):
    with rows(copied) as store:
        found = blocks(store)
        key = found[-1][0][:-8] + (first_of(found[-1][0]) + 1).to_bytes(8, "big")
        store.execute("INSERT INTO audit VALUES (?, x'', ?)", [key, found[3][1]])
    assert f"audit block from event {first_of(key)} on: {UNOPENED}" in findings(copied)


def test_the_row_that_names_the_end(copied):
    with rows(copied) as store:
        assert store.execute("DELETE FROM audit WHERE substr(k, 1, 1) = x'68'").rowcount == 1
    assert findings(copied) == ["the row that names the end of the chain is missing"]
    with pytest.raises(RuntimeError, match="audit"):
        copied.start()


def test_an_older_state_of_the_whole_log(original, tmp_path):
    """Only an end that was noted elsewhere tells."""
    earlier, later = copy_of(original, tmp_path / "earlier"), copy_of(original, tmp_path / "later")
    later.start()
    assert Kms(later).call("ListKeys", b"{}").status == 200
    noted = verified(later)["head"]
    later.stop()
    assert verified(earlier)["findings"] == []
    (found,) = findings(earlier, "--expect", noted)
    assert found == f"event {noted.split(':')[0]}: expected, but the log ends before it"


def test_blocks_of_another_log(original, copied):
    """A log that went another way from some moment on: its blocks open, since they are of the same store, and break the chain."""
    copied.start()
    for _ in range(2):
        assert Kms(copied).call("ListKeys", b"{}").status == 200
    copied.stop()
    other = copy_of(original, copied.folder / "other")
    other.start()
    for _ in range(2):
        assert Kms(other).call("ListAliases", b"{}").status == 200
    other.stop()
    with rows(other) as store:
        foreign = dict(blocks(store))
    with rows(copied) as store:
        key = blocks(store)[-2][0]
        write(store, key, foreign[key])
    assert f"the block from event {first_of(key) + 1} on: does not continue the chain" in findings(copied)


def test_nothing_of_a_record_lies_open(original):
    everything = b"".join(path.read_bytes() for path in original.data.rglob("*") if path.is_file())
    for word in (b"eventName", b"Encrypt", original.access_key_id.encode(), b"encryptionContext"):
        assert word not in everything, word


def test_without_a_store_there_is_nothing_to_verify(tmp_path):
    nowhere = Server(tmp_path)
    for command in ("verify", "export"):
        done = audit(nowhere, command)
        assert done.returncode == 2 and done.stderr and not nowhere.data.exists()
