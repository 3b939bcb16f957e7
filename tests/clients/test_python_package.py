"""The Python package `strongroom` (python/): both ways with AWS's own, every suite and keyring; KMS; the cache."""

import os
import secrets
import subprocess
import sys

import aws_encryption_sdk
import aws_encryption_sdk.identifiers as theirs
import pytest
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsKeyringInput,
    CreateRawRsaKeyringInput,
    PaddingScheme as TheirPadding,
)
from botocore.exceptions import ClientError

from package import CONTEXT, PROVIDERS, SIGNED, UNSIGNED, Suite, aes, client, clients, keyring, package, pair  # noqa: F401


def both_ways(ours, their, suite, plaintext, frame_length=4096):
    (our_client, their_client), algorithm = clients(suite), theirs.AlgorithmSuite[suite.name]
    common = {"source": plaintext, "encryption_context": CONTEXT, "frame_length": frame_length}
    written, header = our_client.encrypt(keyring=ours, algorithm=suite, **common)
    opened, their_header = their_client.decrypt(source=written, keyring=their, encryption_context=CONTEXT)
    assert opened == plaintext
    agree(header, their_header)
    written, their_header = their_client.encrypt(keyring=their, algorithm=algorithm, **common)
    opened, header = our_client.decrypt(source=written, keyring=ours, encryption_context=CONTEXT)
    assert opened == plaintext
    agree(header, their_header)
    assert package.inspect(written) == header


def agree(ours, their):
    assert (ours.version.value, ours.algorithm.value) == (their.version.value, their.algorithm.algorithm_id)
    assert (ours.message_id, ours.encryption_context) == (their.message_id, their.encryption_context)
    assert (ours.content_type.value, ours.frame_length) == (their.content_type.value, their.frame_length)

    def keys(header):
        return {(key.key_provider.provider_id, key.key_provider.key_info, key.encrypted_data_key) for key in header.encrypted_data_keys}

    assert keys(ours) == keys(their)


@pytest.mark.parametrize("suite", Suite, ids=lambda suite: f"{suite.value:04x}")
def test_every_suite_both_ways(suite):
    ours, their = aes()
    for length, frame_length in [(0, 4096), (1, 4096), (4096, 4096), (4097, 4096), (100_000, 4096), (250_000, 1 << 20), (1000, 128), (100_000, 0)]:
        both_ways(ours, their, suite, secrets.token_bytes(length), frame_length)


def test_suites_are_those_of_aws():
    assert {suite.name: suite.value for suite in Suite} == {suite.name: suite.algorithm_id for suite in theirs.AlgorithmSuite}
    for suite in theirs.AlgorithmSuite:
        ours = Suite.get_by_id(suite.algorithm_id)
        assert (ours.is_committing(), ours.is_signing(), ours.safe_to_cache()) == (suite.is_committing(), suite.is_signing(), suite.safe_to_cache())
    for name in ("CommitmentPolicy", "ContentType", "SerializationVersion"):
        assert {item.name: item.value for item in getattr(package, name)} == {item.name: item.value for item in getattr(theirs, name)}


def test_exceptions_have_aws_names():
    """Whoever catches AWS's by name catches ours of the same name, or one above it that AWS's is beneath, too."""
    own = {"TruncatedMessageError", "AuthenticationError", "SignatureError", "EncryptionContextError", "KeyCommitmentError"}
    for name, ours in vars(package.exceptions).items():
        if isinstance(ours, type) and name not in own:
            their = getattr(aws_encryption_sdk.exceptions, name)
            assert {base.__name__ for base in ours.__mro__} == {base.__name__ for base in their.__mro__}


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_aes_keys_both_ways(bits):
    both_ways(*aes(bits), SIGNED, b"attack at dawn")


@pytest.mark.parametrize("padding", package.PaddingScheme, ids=lambda padding: padding.name)
def test_rsa_keys_both_ways(pair, padding):
    public, private = pair
    ours = package.RawRSAKeyring("ours", "key", padding, public_key=public, private_key=private.decode())
    their = CreateRawRsaKeyringInput(
        key_namespace="ours", key_name="key", padding_scheme=getattr(TheirPadding, padding.name), public_key=public, private_key=private
    )
    both_ways(ours, PROVIDERS.create_raw_rsa_keyring(their), SIGNED, b"attack at dawn")


def test_several_keys(client, keyring, pair):
    public, private = pair
    office = package.RawRSAKeyring("ours", "office", public_key=public)
    both = package.MultiKeyring(generator=keyring, child_keyrings=[office])
    message, header = client.encrypt(source=b"for either", keyring=both)
    assert len(header.encrypted_data_keys) == 2
    for one in (keyring, package.RawRSAKeyring("ours", "office", private_key=private), both):
        assert client.decrypt(source=message, keyring=one)[0] == b"for either"
    careful = package.EncryptionSDKClient(max_encrypted_data_keys=1)
    for use in (lambda: careful.decrypt(source=message, keyring=keyring), lambda: careful.encrypt(source=b"", keyring=both)):
        with pytest.raises(package.exceptions.MaxEncryptedDataKeysExceeded):
            use()


# KMS.


class Counted:
    """A KMS client, and what was asked of it."""

    def __init__(self, client):
        self.client, self.calls = client, []

    def __getattr__(self, name):
        def call(**arguments):
            self.calls.append(name)
            return getattr(self.client, name)(**arguments)

        return call


def test_a_key_of_kms_both_ways(kms, key_arn):
    ours = package.KmsKeyring(key_arn, kms)
    their = PROVIDERS.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=key_arn, kms_client=kms))
    for suite in (UNSIGNED, SIGNED, Suite.AES_128_GCM_IV12_TAG16):
        both_ways(ours, their, suite, secrets.token_bytes(50_000))


def test_kms_decides(client, kms):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    keyring = package.KmsKeyring(arn, kms)
    message, _ = client.encrypt(source=b"attack at dawn", keyring=keyring, encryption_context=CONTEXT)
    with pytest.raises(package.exceptions.DecryptKeyError, match="InvalidCiphertextException") as refused:
        client.decrypt(source=message.replace(b"invoices", b"salaries"), keyring=keyring)
    assert isinstance(refused.value.__cause__, ClientError)
    kms.disable_key(KeyId=arn)
    with pytest.raises(package.exceptions.DecryptKeyError, match="DisabledException"):
        client.decrypt(source=message, keyring=keyring)
    with pytest.raises(package.exceptions.GenerateKeyError, match="DisabledException") as refused:
        client.encrypt(source=b"", keyring=keyring)
    assert refused.value.__cause__.response["Error"]["Code"] == "DisabledException"
    second = package.MultiKeyring(aes()[0], [keyring])
    with pytest.raises(package.exceptions.EncryptKeyError, match="DisabledException"):
        client.encrypt(source=b"", keyring=second)
    kms.enable_key(KeyId=arn)
    assert client.decrypt(source=message, keyring=keyring)[0] == b"attack at dawn"


def test_discovery(client, kms, key_arn):
    message, _ = client.encrypt(source=b"whose key?", keyring=package.KmsKeyring(key_arn, kms))
    account, region = key_arn.split(":")[4], key_arn.split(":")[3]
    asked = []

    def supplier(region):
        asked.append(region)
        return kms

    for keyring in (
        package.KmsDiscoveryKeyring(kms),
        package.KmsDiscoveryKeyring(kms, account_ids=[account]),
        package.KmsDiscoveryKeyring(kms, region=region),
        package.KmsDiscoveryKeyring(client_supplier=supplier, account_ids=["999988887777", account]),
    ):
        for _ in range(2):
            assert client.decrypt(source=message, keyring=keyring)[0] == b"whose key?"
        with pytest.raises(package.exceptions.ActionNotAllowedError):
            client.encrypt(source=b"", keyring=keyring)
    assert asked == [region], "a client is kept"
    counted = Counted(kms)
    for filtered in ({"account_ids": []}, {"account_ids": ["999988887777"]}, {"partition": "aws-cn", "account_ids": [account]}, {"region": "mars-1"}):
        with pytest.raises(package.exceptions.DecryptKeyError):
            client.decrypt(source=message, keyring=package.KmsDiscoveryKeyring(counted, **filtered))
    assert not counted.calls, "nobody is asked about a key that is not trusted"


def test_multi_region_keys(client):
    class Kms:
        """One key, in two Regions."""

        def generate_data_key(self, KeyId, NumberOfBytes, EncryptionContext):
            return {"Plaintext": bytes(NumberOfBytes), "CiphertextBlob": b"wrapped", "KeyId": KeyId}

        def decrypt(self, KeyId, CiphertextBlob, EncryptionContext, GrantTokens):
            assert (CiphertextBlob, GrantTokens) == (b"wrapped", ["a token"])
            return {"Plaintext": bytes(32), "KeyId": KeyId}

    here, there = (f"arn:aws:kms:{region}:111122223333:key/mrk-1" for region in ("eu-central-1", "us-east-1"))
    message, _ = client.encrypt(source=b"text", keyring=package.KmsKeyring(here, Kms()))
    replica = package.KmsKeyring(there, Kms(), multi_region=True, grant_tokens=["a token"])
    assert client.decrypt(source=message, keyring=replica)[0] == b"text"
    with pytest.raises(package.exceptions.DecryptKeyError):
        client.decrypt(source=message, keyring=package.KmsKeyring(there, Kms(), grant_tokens=["a token"]))


@pytest.mark.parametrize(
    "answer, error",
    [
        ({}, "no Plaintext"),
        ({"Plaintext": "SECRET TEXT", "CiphertextBlob": b"", "KeyId": "x"}, "Plaintext is not bytes"),
        ({"Plaintext": b"SECRET TEXT", "CiphertextBlob": b"", "KeyId": "arn:aws:kms:eu-central-1:1:key/1"}, "11 bytes"),
        ({"Plaintext": b"SECRET TEXT" * 2 + bytes(10), "CiphertextBlob": b"", "KeyId": "an alias"}, "an alias"),
    ],
)
def test_a_strange_kms(client, answer, error):
    class Kms:
        def generate_data_key(self, **_):
            return answer

    with pytest.raises(package.AWSEncryptionSDKClientError, match=error) as refused:
        client.encrypt(source=b"", keyring=package.KmsKeyring("alias/a", Kms()))
    assert "SECRET" not in repr(refused.value) + repr(refused.value.__cause__)


WITHOUT_BOTO3 = """
import os, sys, strongroom

client, keyring = strongroom.EncryptionSDKClient(), strongroom.KmsKeyring(os.environ["KEY_ARN"])
message, _ = client.encrypt(source=b"attack at dawn", keyring=keyring, encryption_context={"purpose": "example"})
for opens in (keyring, strongroom.KmsDiscoveryKeyring(account_ids=[os.environ["KEY_ARN"].split(":")[4]])):
    assert client.decrypt(source=message, keyring=opens)[0] == b"attack at dawn"
second = strongroom.MultiKeyring(strongroom.RawAESKeyring("x", "y", bytes(32)), [strongroom.KmsKeyring("alias/nobody")])
for refused, error in ((strongroom.KmsKeyring("alias/nobody"), "GenerateKeyError"), (second, "EncryptKeyError")):
    try:
        client.encrypt(source=b"", keyring=refused)
        raise AssertionError("there is no such key")
    except getattr(strongroom.exceptions, error) as refusal:
        assert "NotFoundException" in str(refusal)
assert "boto3" not in sys.modules and "botocore" not in sys.modules
"""


def test_kms_without_boto3(server, key_arn, tmp_path):
    environment = server.environment_of_clients() | {"KEY_ARN": key_arn, "PATH": os.environ["PATH"]}
    subprocess.run([sys.executable, "-c", WITHOUT_BOTO3], cwd=tmp_path, env=environment, check=True)
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_PROFILE": "nobody"}
    run = subprocess.run([sys.executable, "-c", WITHOUT_BOTO3], cwd=tmp_path, env=bare | {"KEY_ARN": key_arn}, capture_output=True, text=True)
    assert "AWSEncryptionSDKClientError" in run.stderr and "nobody" in run.stderr


def test_an_interrupt_is_no_failure_of_kms(client, keyring):
    arn = "arn:aws:kms:eu-central-1:111122223333:key/1"

    class Kms:
        asked = 0

        def generate_data_key(self, **_):
            raise KeyboardInterrupt

        def encrypt(self, KeyId, **_):
            return {"CiphertextBlob": b"wrapped", "KeyId": KeyId}

        def decrypt(self, **_):
            self.asked += 1
            raise KeyboardInterrupt

    kms = Kms()
    interrupted = package.KmsKeyring(arn, kms)
    with pytest.raises(KeyboardInterrupt):
        client.encrypt(source=b"", keyring=interrupted)
    # Not even where another key opens the message; and nobody is asked once more.
    message, _ = client.encrypt(source=b"", keyring=package.MultiKeyring(keyring, [interrupted, interrupted]))
    for opens in (interrupted, package.MultiKeyring(None, [interrupted, keyring])):
        kms.asked = 0
        with pytest.raises(KeyboardInterrupt):
            client.decrypt(source=message, keyring=opens)
        with pytest.raises(KeyboardInterrupt):
            client.stream("d", source=message, keyring=opens).read()
        assert kms.asked == 2
    assert client.decrypt(source=message, keyring=keyring)[0] == b""


def test_a_cache_of_data_keys(client, kms, key_arn):
    counted = Counted(kms)
    cache = package.CachingCryptoMaterialsManager(package.KmsKeyring(key_arn, counted), max_age=60.0, max_messages_encrypted=3)
    documents = [b"document %d" % number for number in range(6)]
    messages = [client.encrypt(source=text, materials_manager=cache, encryption_context=CONTEXT)[0] for text in documents]
    assert counted.calls == ["generate_data_key"] * 2
    assert [client.decrypt(source=message, materials_manager=cache)[0] for message in messages] == documents
    assert counted.calls == ["generate_data_key"] * 2 + ["decrypt"] * 2 and cache.hits == 8
    cache.clear()
    with client.stream("e", source=b"text", materials_manager=cache, encryption_context=CONTEXT) as stream:
        stream.read()
    client.encrypt(source=b"x", materials_manager=cache, encryption_context=CONTEXT)
    assert counted.calls[4:] == ["generate_data_key"], "the length of bytes is known"
    for wrong in ({"max_age": 0.0}, {"max_age": -1.0}, {"max_age": 1.0, "capacity": 0}, {"max_age": 1.0, "max_messages_encrypted": 2**32 + 1}):
        with pytest.raises(ValueError):
            package.CachingCryptoMaterialsManager(aes()[0], **wrong)
