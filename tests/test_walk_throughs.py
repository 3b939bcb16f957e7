"""The walk-throughs of the documents, typed as they stand, and what they leave on the disk."""

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


def walk_through(document: str) -> str:
    text = (ROOT / document).read_text()
    return "set -eu\n" + "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


def typed(script: str, server: Server, folder: Path) -> str:
    """What a person sees who types it in the project's folder beside the server."""
    (folder / "target").symlink_to(ROOT / "target")
    environment = server.settings() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def test_the_walk_through_holds_and_leaves_only_ciphertext(fresh, tmp_path):
    canary = secrets.token_hex(24).encode()
    script = walk_through("README.md").replace("head -c 20000000 /dev/urandom > file", f"(head -c 9000000 /dev/urandom; printf {canary.decode()}; head -c 9000000 /dev/urandom) > file")
    assert canary.decode() in script
    shown = typed(script, fresh, tmp_path)
    for mode in ("sse-s3", "sse-kms", "dsse-kms", "bucket-key", "sse-c"):
        assert f"{mode}: identical" in shown
    assert "attack at dawn\nVerified OK\n" in shown
    for line in ("reader: identical", "reader: may not write", "reader: not past S3"):
        assert f"{line}\n" in shown
    # Each part that was read through S3, and the call that was denied.
    assert len(re.findall(r"^reader\tDecrypt\tkms\.amazonaws\.com\t", shown, re.MULTILINE)) > 1, shown
    assert "user/reader  by user/reader/read, statement 1\n" in shown

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


def test_the_walk_through_of_client_side_encryption_holds_and_the_server_has_no_plaintext(fresh, tmp_path):
    shown = typed(walk_through("docs/client-encryption.md"), fresh, tmp_path)
    for way in ("master key", "RSA", "KMS", "by hand", "envelope"):
        assert f"{way}: identical\n" in shown
    assert "0\nthe server has ciphertext\n" in shown
    assert "KMS: not in another context\n" in shown
    text = (ROOT / "docs/client-encryption.md").read_text()
    for line in re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[0].splitlines():
        assert line.strip() in shown
    assert not (tmp_path / "data.key").exists()
    sealed = (tmp_path / "report.key", tmp_path / "report.sealed", tmp_path / "backup.sealed")
    for path in sealed:
        assert b"quarterly" not in path.read_bytes()
