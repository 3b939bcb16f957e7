"""kill -9 while the root key changes, and while key material is re-wrapped: every ciphertext made before opens afterwards."""

import os
import random
import secrets

from kill import control, kill_loop
from strongroom import Server

CYCLES = int(os.environ.get("STRONGROOM_KILL_CYCLES", "100"))


class Ciphertexts:
    """Ciphertexts of many keys, some of them under an older material."""

    def __init__(self, server: Server, keys: int):
        self.server = server
        kms = server.client("kms")
        self.made: list[tuple[bytes, bytes]] = []
        for number in range(keys):
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            self.add(kms, key)
            if number % 5 == 0:
                kms.rotate_key_on_demand(KeyId=key)
                self.add(kms, key)

    def add(self, kms, key: str):
        plaintext = secrets.token_bytes(32)
        self.made.append((plaintext, kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"]))

    def check(self, sample: int | None = None):
        kms = self.server.client("kms")
        for plaintext, blob in random.sample(self.made, sample) if sample else self.made:
            assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext


def root_key_file(server: Server, name: str) -> str:
    provider = f"file:{server.folder / name}"
    server.run("root-key", "create", provider, check=True)
    return provider


def test_killed_while_the_root_key_changes(tmp_path, capsys):
    server = Server(tmp_path)
    providers = [root_key_file(server, "one.key"), root_key_file(server, "other.key")]
    server.environment["STRONGROOM_ROOT_KEY"] = ",".join(providers)
    server.start()
    for _ in range(9):
        control(server, command="rotate-domain-key")
    ciphertexts = Ciphertexts(server, 10)
    found = []

    def act(cycle: int):
        for turn in range(1_000):
            control(server, command="rotate-root-key", to=providers[(cycle + turn) % 2])

    def check(cycle: int):
        under = {key["under"] for key in control(server, command="status")["status"]["domain_keys"]}
        assert len(under) == 1, f"cycle {cycle}: some domain keys are under the one root key and some under the other"
        found.append(under.pop())
        ciphertexts.check(5)

    cut = kill_loop(server, CYCLES, act, check, longest=0.1)
    ciphertexts.check()
    # Whichever it is under now, that root key alone is enough, and the other one is not.
    server.stop()
    opened = []
    for provider in providers:
        server.environment["STRONGROOM_ROOT_KEY"] = provider
        scrub = server.run("scrub")
        opened.append(scrub.returncode == 0)
        assert opened[-1] or found[-1] in scrub.stderr, scrub.stderr
    assert sorted(opened) == [False, True]
    with capsys.disabled():
        changed = sum(one != other for one, other in zip(found, found[1:]))
        print(f"\n  {CYCLES} kills while the root key changed, {cut} in the middle; it was another one {changed} times")


def test_killed_while_material_is_re_wrapped(tmp_path, capsys):
    server = Server(tmp_path).start()
    ciphertexts = Ciphertexts(server, 600)
    left = []

    def act(_: int):
        control(server, command="rotate-domain-key")
        while control(server, command="status")["status"]["pending"]:
            pass

    def check(_: int):
        # The start takes it up again; what it has left at this moment shows where the kill fell.
        left.append(control(server, command="status")["status"]["pending"])
        ciphertexts.check(8)

    cut = kill_loop(server, CYCLES, act, check, longest=0.08)
    ciphertexts.check()
    server.stop()
    scrub = server.run("scrub")
    assert scrub.returncode == 0, scrub.stdout + scrub.stderr
    status = server.run("root-key", "status", check=True).stdout
    assert "all key material is under the domain key that seals" in status, status
    with capsys.disabled():
        print(f"\n  {CYCLES} kills while material was re-wrapped, {cut} in the middle; waiting at the next start: {sorted(left)[-5:]}")
