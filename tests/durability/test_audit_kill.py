"""kill -9 under load in the strict mode of the audit log.

Whatever was answered is on record, each request once and under its own name; whatever is on record as done was done; and the chain is whole,
with every end that was noted before. What was not answered may be on record or not.
"""

import datetime
import itertools
import json
import os
import secrets
import threading
import time
from types import SimpleNamespace

from cloudtrail import FAST, Trail
from kill import kill_loop
from modes import Mode
from people import People
from raw import Answer, Connection, Kms, Query
from strongroom import Server

CYCLES = int(os.environ.get("STRONGROOM_KILL_CYCLES", "100"))
REQUEST_IDS = ("x-amzn-requestid", "x-amz-request-id")


class Ledger:
    """What was answered: each request's id, with what was asked and the status."""

    def __init__(self):
        self.answered: dict[str, tuple[str, int]] = {}
        self.wrong: list[str] = []

    def note(self, name: str, answer: Answer, *statuses: int) -> Answer:
        identity = next(answer.headers[header] for header in REQUEST_IDS if header in answer.headers)
        self.answered[identity] = (name, answer.status)
        if answer.status not in (statuses or (200,)):
            self.wrong.append(f"{name}: {answer.status} {answer.body.decode(errors='replace')}")
        return answer


class Callers:
    """Connections that ask for many things until their server dies."""

    def __init__(self, server: Server, stranger: tuple[str, str], bucket: str, key: str, ledger: Ledger):
        self.server, self.bucket, self.key, self.ledger = server, bucket, key, ledger
        names = ("http", "https")
        self.stranger = SimpleNamespace(
            **{name: getattr(server, name) for name in names}, access_key_id=stranger[0], secret_access_key=stranger[1]
        )
        # What was asked for, answered or not.
        self.users: set[str] = set()
        self.deleted: set[str] = set()
        self.objects: set[str] = set()

    def everything(self):
        threads = [threading.Thread(target=self.until_the_end, args=(work,)) for work in (self.kms, self.iam, self.s3, self.denied)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        raise ConnectionError

    def until_the_end(self, work):
        try:
            work()
        except OSError:
            pass  # the server is gone
        except Exception as error:  # noqa: BLE001  judged by the main thread
            # http.client's, when an answer is cut off.
            if type(error).__module__ != "http.client":
                self.ledger.wrong.append(repr(error))

    def kms(self):
        kms, note = Kms(self.server), self.ledger.note
        call = lambda name, **members: note(name, kms.call(name, json.dumps(members).encode()))  # noqa: E731
        for turn in itertools.count():
            sealed = json.loads(call("Encrypt", KeyId=self.key, Plaintext="c2VjcmV0").body)["CiphertextBlob"]
            call("Decrypt", CiphertextBlob=sealed)
            call("GenerateDataKey", KeyId=self.key, KeySpec="AES_256", EncryptionContext={"turn": str(turn)})
            note("Encrypt", kms.call("Encrypt", b'{"KeyId": "alias/none", "Plaintext": "c2VjcmV0"}'), 400)
            if turn % 4 == 0:
                call("CreateKey", Description="made under load")

    def iam(self):
        iam, note = Query(self.server), self.ledger.note
        for turn in itertools.count():
            name = "user-" + secrets.token_hex(8)
            self.users.add(name)
            note("CreateUser", iam.call("CreateUser", {"UserName": name}))
            note("GetUser", iam.call("GetUser", {"UserName": name}))
            note("CreateUser", iam.call("CreateUser", {"UserName": name}), 409)
            if turn % 8:
                self.deleted.add(name)
                note("DeleteUser", iam.call("DeleteUser", {"UserName": name}))

    def s3(self):
        s3, note, headers = Connection(self.server), self.ledger.note, Mode.SSE_KMS.headers(self.key)
        for turn in itertools.count():
            path = f"/{self.bucket}/{secrets.token_hex(8)}"
            body = secrets.token_bytes(500 if turn % 4 else 100_000)
            self.objects.add(path)
            note("PutObject", s3.request("PUT", path, headers, body))
            answer = note("GetObject", s3.request("GET", path))
            if answer.body != body:
                self.ledger.wrong.append(f"{path}: other bytes")
            note("HeadObject", s3.request("HEAD", path))
            if turn % 4 == 0:
                note("ListObjects", s3.request("GET", f"/{self.bucket}?list-type=2&max-keys=2"))

    def denied(self):
        kms, iam, s3, note = Kms(self.stranger), Query(self.stranger), Connection(self.stranger), self.ledger.note
        while True:
            note("Decrypt", kms.call("Decrypt", json.dumps({"KeyId": self.key, "CiphertextBlob": "AAAA"}).encode()), 400)
            note("Encrypt", kms.call("Encrypt", json.dumps({"KeyId": self.key, "Plaintext": "c2VjcmV0"}).encode()), 400)
            note("CreateUser", iam.call("CreateUser", {"UserName": "never"}), 403)
            note("GetObject", s3.request("GET", f"/{self.bucket}/none"), 403)


class Log:
    """The records since a moment, by request; of KMS also by the request to S3 that it served."""

    def __init__(self, server: Server, since: float, callers: set[str]):
        start = datetime.datetime.fromtimestamp(since, datetime.UTC).isoformat(timespec="milliseconds")
        export = server.run("audit", "export", "--start", start)
        assert export.returncode == 0, export.stderr
        self.records = [json.loads(line) for line in export.stdout.splitlines()]
        events = [record["eventID"] for record in self.records]
        assert len(events) == len(set(events))
        self.of: dict[str, list[dict]] = {}
        for record in self.records:
            if record["userIdentity"].get("accessKeyId") in callers:
                self.of.setdefault(record["requestID"], []).append(record)

    def has(self, answered: dict[str, tuple[str, int]]):
        for identity, (name, status) in answered.items():
            records = self.of.get(identity, [])
            assert [record["eventName"] for record in records] == [name], f"{name} {identity} was answered with {status}: {records}"
            assert ("errorCode" in records[0]) == (status >= 400), records
        forwarded = {short(identity) for identity in set(self.of) - self.asked()}
        for identity, (name, status) in answered.items():
            if name in ("PutObject", "GetObject") and status == 200:
                assert short(identity) in forwarded, f"{name} {identity} used a key, and KMS's record of it is missing"

    def asked(self) -> set[str]:
        """The requests of the callers themselves, without what S3 asked for them."""
        return {identity for identity, records in self.of.items() if not records[0]["userIdentity"].get("invokedBy")}

    def done(self, name: str) -> list[dict]:
        """The parameters of what is on record as done."""
        mine = itertools.chain.from_iterable(self.of.values())
        return [record["requestParameters"] for record in mine if record["eventName"] == name and "errorCode" not in record]


def short(identity: str) -> str:
    """What ids of S3 and of KMS have in common for one request: 16 digits but that of the UUID's version."""
    digits = identity.replace("-", "")[:16].upper()
    return digits[:12] + digits[13:]


def verified(server: Server, *flags: str) -> dict:
    verify = server.run("audit", "verify", "--json", *flags)
    assert verify.returncode == 0, verify.stdout + verify.stderr
    return json.loads(verify.stdout)


def test_what_was_answered_is_on_record(tmp_path, capsys):
    people = People(tmp_path, *FAST)
    server, stranger = people.server, people.user()
    trail = Trail(server)
    trail.cloudtrail.put_event_selectors(
        TrailName=trail.name,
        EventSelectors=[{"ReadWriteType": "All", "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}],
    )
    bucket, key = people.bucket(), people.kms.create_key()["KeyMetadata"]["KeyId"]
    everybody = {server.access_key_id, stranger.keys[0]}
    begun, heads, figures = time.time(), [verified(server)["head"]], {"answered": 0, "unanswered": 0, "unrecorded": 0}
    callers, ledger, cycle_began = None, None, begun

    def act(_: int):
        nonlocal callers, ledger, cycle_began
        cycle_began, ledger = time.time(), Ledger()
        callers = Callers(server, stranger.keys, bucket, key, ledger)
        callers.everything()

    def check(_: int):
        assert not ledger.wrong, ledger.wrong[:3]
        heads.append(verified(server, "--expect", heads[-1])["head"])
        log = Log(server, cycle_began, everybody)
        log.has(ledger.answered)
        figures["answered"] += len(ledger.answered)
        figures["unanswered"] += len(log.asked() - set(ledger.answered))
        judge_users(log)
        s3 = Connection(server)
        recorded = {f"/{bucket}/{parameters['key']}" for parameters in log.done("PutObject")}
        missing = [path for path in callers.objects & recorded if s3.request("HEAD", path).status != 200]
        assert not missing, "on record, and not there"

    def judge_users(log: Log):
        iam = Query(server)
        recorded = {parameters["userName"] for parameters in log.done("CreateUser")}
        for name in callers.users - callers.deleted:
            there = iam.call("GetUser", {"UserName": name}).status == 200
            assert there or name not in recorded, "on record as made, and not there"
            figures["unrecorded"] += there and name not in recorded

    cut = kill_loop(server, CYCLES, act, check, longest=0.5)
    log = Log(server, begun, everybody)
    newest = server.client("cloudtrail").lookup_events(MaxResults=50)["Events"]
    assert {event["EventId"] for event in newest} <= {record["eventID"] for record in log.records}
    server.stop()
    whole = verified(server, "--expect", heads[0])
    with capsys.disabled():
        print(
            f"\n  {CYCLES} kills ({cut} under load), {figures['answered']} calls answered, each on record; {figures['unanswered']} more on record "
            f"that were not; {whole['events']} records in {whole['blocks']} blocks; {figures['unrecorded']} users made and neither"
        )
