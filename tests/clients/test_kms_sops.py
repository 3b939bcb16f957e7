"""sops: a YAML file whose values are encrypted under a KMS key."""

import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "target/clients/go/sops"
DOCUMENT = """\
database:
    user: ada
    password: correct horse battery staple
ports:
    - 5432
    - 5433
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="sops is built from its Go module, and there is no Go here")
def test_a_file_is_encrypted_edited_and_decrypted(server, kms, tmp_path):
    key = kms.create_key()["KeyMetadata"]["Arn"]
    environment = server.environment_of_clients() | {"HOME": str(tmp_path)}
    environment["SSL_CERT_FILE"] = environment["AWS_CA_BUNDLE"]

    def sops(*arguments: str) -> subprocess.CompletedProcess:
        command = [PROGRAM, "--disable-version-check", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False)

    def succeed(*arguments: str) -> str:
        done = sops(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "plain.yaml").write_text(DOCUMENT)
    sealed = succeed("encrypt", "--kms", key, "--encryption-context", "application:billing", "plain.yaml")
    assert key in sealed and "user: ENC[AES256_GCM," in sealed and "battery" not in sealed
    (tmp_path / "sealed.yaml").write_text(sealed)
    assert succeed("decrypt", "sealed.yaml") == DOCUMENT

    succeed("set", "sealed.yaml", '["database"]["user"]', '"grace"')
    succeed("rotate", "--in-place", "sealed.yaml")
    assert succeed("decrypt", "--extract", '["database"]["user"]', "sealed.yaml") == "grace"

    (tmp_path / "changed.yaml").write_text(sealed.replace("application: billing", "application: payroll"))
    refused = sops("decrypt", "changed.yaml")
    assert refused.returncode != 0 and "InvalidCiphertextException" in refused.stderr
    kms.disable_key(KeyId=key)
    refused = sops("decrypt", "sealed.yaml")
    assert refused.returncode != 0 and "DisabledException" in refused.stderr
