"""`aws kms` as people call it from a shell: files in, files out."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).parent / "aws"


@pytest.fixture
def run(server):
    environment = server.environment_of_clients()

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [PROGRAM, "kms", *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture
def aws(run):
    def aws(*arguments: str) -> dict:
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else {}

    return aws


def test_a_file_is_encrypted_and_decrypted(aws, run, key_arn, tmp_path):
    plaintext, ciphertext = tmp_path / "plaintext", tmp_path / "ciphertext"
    plaintext.write_bytes(bytes(range(256)))
    context = ["--encryption-context", "department=finance,purpose=report"]
    sealed = aws("encrypt", "--key-id", key_arn, "--plaintext", f"fileb://{plaintext}", *context)
    assert sealed["KeyId"] == key_arn and sealed["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"
    ciphertext.write_bytes(base64.b64decode(sealed["CiphertextBlob"]))
    opened = aws("decrypt", "--ciphertext-blob", f"fileb://{ciphertext}", *context)
    assert base64.b64decode(opened["Plaintext"]) == plaintext.read_bytes()
    refused = run("decrypt", "--ciphertext-blob", f"fileb://{ciphertext}", "--encryption-context", "department=sales")
    assert refused.returncode != 0 and "InvalidCiphertextException" in refused.stderr


def test_a_data_key_and_an_alias(aws, tmp_path):
    key = aws("create-key", "--description", "from the shell")["KeyMetadata"]
    aws("create-alias", "--alias-name", "alias/awscli", "--target-key-id", key["KeyId"])
    made = aws("generate-data-key", "--key-id", "alias/awscli", "--key-spec", "AES_256")
    assert made["KeyId"] == key["Arn"] and len(base64.b64decode(made["Plaintext"])) == 32
    sealed = tmp_path / "sealed"
    sealed.write_bytes(base64.b64decode(made["CiphertextBlob"]))
    assert aws("decrypt", "--ciphertext-blob", f"fileb://{sealed}")["Plaintext"] == made["Plaintext"]
    assert "alias/awscli" in [entry["AliasName"] for entry in aws("list-aliases", "--key-id", key["KeyId"])["Aliases"]]
    aws("delete-alias", "--alias-name", "alias/awscli")
