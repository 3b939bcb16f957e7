"""The walk-through of the README, typed as it stands, and what it leaves on the disk."""

import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from strongroom import ROOT, Server


@pytest.fixture
def fresh(tmp_path):
    """A server as a new user starts it: nothing given but ports that are free."""
    server = Server(tmp_path)
    settings = server.settings()
    for given in ("ACCOUNT_ID", "ROOT_ACCESS_KEY_ID", "ROOT_SECRET_ACCESS_KEY"):
        del settings["STRONGROOM_" + given]
    server.settings = lambda: settings
    yield server.start()
    server.stop()


def walk_through() -> str:
    text = (ROOT / "README.md").read_text()
    return "set -eu\n" + "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def test_the_walk_through_holds_and_leaves_only_ciphertext(fresh, tmp_path):
    (tmp_path / "target").symlink_to(ROOT / "target")
    canary = secrets.token_hex(24).encode()
    script = walk_through().replace("head -c 20000000 /dev/urandom > file", f"(head -c 9000000 /dev/urandom; printf {canary.decode()}; head -c 9000000 /dev/urandom) > file")
    assert canary.decode() in script
    environment = fresh.settings() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    for mode in ("sse-s3", "sse-kms", "dsse-kms", "bucket-key", "sse-c"):
        assert f"{mode}: identical" in done.stdout
    assert "attack at dawn\nVerified OK\n" in done.stdout
    for line in ("reader: identical", "reader: may not write", "reader: not past S3"):
        assert f"{line}\n" in done.stdout, done.stderr
    # Each part that was read through S3, and the call that was denied.
    assert len(re.findall(r"^reader\tDecrypt\tkms\.amazonaws\.com\t", done.stdout, re.MULTILINE)) > 1, done.stdout
    assert "user/reader  by user/reader/read, statement 1\n" in done.stdout

    clients = fresh.environment_of_clients()
    secret = clients["AWS_SECRET_ACCESS_KEY"].encode()
    needles = [canary, (tmp_path / "customer.key").read_bytes(), secret, b"attack at dawn"]
    fresh.stop()
    files = [path for path in fresh.data.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 5 * 18_000_000
    for path in files:
        content = path.read_bytes()
        for needle in needles:
            assert needle not in content, f"{path} holds a secret"
    log = fresh.log.read_bytes()
    assert secret not in log and canary not in log
