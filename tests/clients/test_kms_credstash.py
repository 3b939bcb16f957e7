"""credstash: secrets in a DynamoDB table, which moto plays, under a KMS key, which is ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

PROGRAM = Path(sys.executable).parent / "credstash"


@pytest.fixture(scope="module")
def table():
    """The address of a DynamoDB for credstash's table."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credstash(server, table, tmp_path):
    environment = server.environment_of_clients()
    environment["AWS_ENDPOINT_URL_KMS"] = environment.pop("AWS_ENDPOINT_URL")
    environment |= {"AWS_ENDPOINT_URL_DYNAMODB": table, "HOME": str(tmp_path)}

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, PROGRAM, "--log-file", os.devnull, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def test_secrets_are_put_and_got(credstash, kms):
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/credstash", TargetKeyId=key)

    def succeed(*arguments: str) -> str:
        done = credstash(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    succeed("setup")
    succeed("put", "database.password", "first", "environment=test")
    succeed("put", "--autoversion", "database.password", "second", "environment=test")
    assert succeed("get", "database.password", "environment=test") == "second"
    assert succeed("get", "--version", "0" * 18 + "1", "database.password", "environment=test") == "first"
    refused = credstash("get", "database.password", "environment=production")
    assert refused.returncode != 0 and "encryption context" in refused.stderr
    kms.disable_key(KeyId=key)
    refused = credstash("get", "database.password", "environment=test")
    assert refused.returncode != 0 and "DisabledException" in refused.stderr
