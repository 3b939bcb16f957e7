"""KMS from JavaScript: the AWS SDK v3, and the AWS Encryption SDK exchanging messages with its Python sister."""

import base64
import json
import subprocess
from pathlib import Path

import aws_encryption_sdk
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsKeyringInput

JAVASCRIPT = Path(__file__).parent / "javascript"


@pytest.fixture
def node(server):
    environment = server.environment_of_clients()
    environment["NODE_EXTRA_CA_CERTS"] = environment["AWS_CA_BUNDLE"]

    def node(*arguments: str) -> dict:
        done = subprocess.run(
            ["node", *arguments], cwd=JAVASCRIPT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return node


def test_the_sdk(node):
    assert node("kms.mjs") == {
        "alias": True,
        "created": True,
        "opened": "hello",
        "wrongContext": "InvalidCiphertextException",
        "file": "a file",
        "moved": "hello",
        "listed": True,
        "signature": True,
        "oaep": "a message",
        "mac": True,
        "disabled": "DisabledException",
        "unknown": "NotFoundException",
    }


def test_the_encryption_sdk_and_its_sister_in_python(node, kms, key_arn):
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    keyring = providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key_arn, kms_client=kms))
    sdk = aws_encryption_sdk.EncryptionSDKClient()
    context = {"purpose": "invoices"}
    theirs, _ = sdk.encrypt(source=b"from Python", keyring=keyring, encryption_context=context)
    work = {"keyArn": key_arn, "theirs": base64.b64encode(theirs).decode(), "context": context}
    seen = node("encryption-sdk.mjs", json.dumps(work))
    assert (seen["same"], seen["context"], seen["theirs"]) == (True, "invoices", "from Python")
    assert "InvalidCiphertextException" in seen["refused"]
    assert sdk.decrypt(source=base64.b64decode(seen["ours"]), keyring=keyring)[0] == b"strongroom" * 10_000
