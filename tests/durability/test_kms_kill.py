"""kill -9 while keys rotate and while material is imported and deleted.

An operation happened wholly or not at all, and whatever was sealed before opens afterwards: at once if it is the server's own
material, after the import of the same bytes if it is the client's.
"""

import os
import secrets

from kill import kill_loop
from strongroom import Server
from wrapping import Importer, external

CYCLES = int(os.environ.get("STRONGROOM_KILL_CYCLES", "100"))
# A key rotates on demand 25 times in its life.
ROTATIONS = 25


class Sealed:
    """What was sealed, and under which material its answer said."""

    def __init__(self):
        self.made: list[tuple[bytes, bytes]] = []

    def add(self, kms, key: str):
        plaintext = secrets.token_bytes(16)
        self.made.append((plaintext, kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"]))

    def check(self, kms, newest: int):
        for plaintext, blob in self.made[-newest:]:
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext


def materials(kms, key: str) -> list[dict]:
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [entry["KeyMaterialState"] for entry in listed].count("CURRENT") == 1
    current = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    assert [entry["KeyMaterialId"] for entry in listed if entry["KeyMaterialState"] == "CURRENT"] == [current]
    return listed


def scrubbed(server: Server):
    server.stop()
    scrub = server.run("scrub")
    assert scrub.returncode == 0, scrub.stdout + scrub.stderr


def test_killed_while_keys_rotate(tmp_path, capsys):
    server = Server(tmp_path).start()
    sealed, acknowledged, known = Sealed(), {}, {}

    def act(_: int):
        kms = server.client("kms")
        while True:
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            acknowledged[key] = 0
            for _ in range(ROTATIONS):
                sealed.add(kms, key)
                kms.rotate_key_on_demand(KeyId=key)
                acknowledged[key] += 1

    def check(_: int):
        kms = server.client("kms")
        for key, count in list(acknowledged.items())[-2:]:
            known[key] = len(materials(kms, key)) - 1
            assert known[key] in (count, count + 1), "an acknowledged rotation was lost"
            sealed.add(kms, key)
        sealed.check(kms, 40)

    kill_loop(server, CYCLES, act, check, longest=0.3)
    sealed.check(server.client("kms"), len(sealed.made))
    scrubbed(server)
    with capsys.disabled():
        unseen = sum(count != acknowledged[key] for key, count in known.items())
        print(f"\n  {CYCLES} kills during {sum(known.values())} rotations of {len(known)} keys, {unseen} done though unanswered")


def test_killed_while_material_is_imported(tmp_path, capsys):
    server = Server(tmp_path).start()
    kms = server.client("kms")
    key = external(kms)
    importer = Importer(kms, key)
    bytes_of = [secrets.token_bytes(32)]
    ids = [importer.take(bytes_of[0])["KeyMaterialId"]]
    sealed, outcomes = Sealed(), {"deleted": 0, "imported": 0, "waiting": 0, "rotated": 0}
    sealed.add(kms, key)

    def act(_: int):
        """Material comes, takes over, goes, and comes back; each step may be the one that is cut off."""
        importer.kms = kms = server.client("kms")
        while True:
            if len(ids) <= 22:
                new = secrets.token_bytes(32)
                bytes_of.append(new)
                ids.append(importer.take(new, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"])
                kms.rotate_key_on_demand(KeyId=key)
                sealed.add(kms, key)
            for number, identity in enumerate(ids):
                kms.delete_imported_key_material(KeyId=key, KeyMaterialId=identity)
                importer.take(bytes_of[number])
                sealed.add(kms, key)

    def check(_: int):
        importer.kms = kms = server.client("kms")
        listed = materials(kms, key)
        found = [entry["KeyMaterialId"] for entry in listed]
        assert found[: len(ids)] == ids and len(found) <= len(ids) + 1, "an acknowledged import was lost"
        if len(found) == len(bytes_of):
            ids[:] = found
        else:
            bytes_of.pop()
        assert len(ids) == len(bytes_of) == len(found)
        missing = [entry["KeyMaterialId"] for entry in listed if entry["ImportState"] == "PENDING_IMPORT"]
        state = kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
        assert (state == "PendingImport") == bool(missing) and len(missing) <= 1
        outcomes["deleted" if missing else "imported"] += 1
        for identity in missing:
            assert importer.take(bytes_of[ids.index(identity)])["KeyMaterialId"] == identity
        if listed[-1]["KeyMaterialState"] == "PENDING_ROTATION":
            outcomes["waiting"] += 1
            kms.rotate_key_on_demand(KeyId=key)
        sealed.add(kms, key)
        sealed.check(kms, 40)

    kill_loop(server, CYCLES, act, check, longest=0.3)
    sealed.check(server.client("kms"), len(sealed.made))
    outcomes["rotated"] = len(ids) - 1
    scrubbed(server)
    with capsys.disabled():
        print(f"\n  {CYCLES} kills while material was imported: {outcomes}; {len(sealed.made)} ciphertexts opened")
