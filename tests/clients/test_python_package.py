"""The Python package `strongroom` (python/): both ways with AWS's own, its streams, limits, errors and keys."""

import copy
import io
import os
import pickle
import random
import re
import secrets
import subprocess
import sys
import threading
import time

import aws_encryption_sdk
import aws_encryption_sdk.identifiers as theirs
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import (
    AesWrappingAlg,
    CreateAwsKmsKeyringInput,
    CreateRawAesKeyringInput,
    CreateRawRsaKeyringInput,
    PaddingScheme as TheirPadding,
)
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from package import package
from strongroom import ROOT

Suite, Policy, Release = package.AlgorithmSuite, package.CommitmentPolicy, package.Release
UNSIGNED = Suite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
SIGNED = Suite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384
CONTEXT = {"tenant": "blue", "purpose": "invoices", "größe": "Ω"}
PROVIDERS = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


def policy(suite):
    return Policy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT if suite.is_committing() else Policy.FORBID_ENCRYPT_ALLOW_DECRYPT


def clients(suite):
    """Ours and AWS's, with the policy that this suite needs."""
    name = policy(suite).name
    return (
        package.EncryptionSDKClient(commitment_policy=Policy[name]),
        aws_encryption_sdk.EncryptionSDKClient(commitment_policy=theirs.CommitmentPolicy[name]),
    )


def aes(bits=256):
    key = secrets.token_bytes(bits // 8)
    algorithm = getattr(AesWrappingAlg, f"ALG_AES{bits}_GCM_IV12_TAG16")
    their = CreateRawAesKeyringInput(key_namespace="ours", key_name="key", wrapping_key=key, wrapping_alg=algorithm)
    return package.RawAESKeyring("ours", "key", key), PROVIDERS.create_raw_aes_keyring(their)


@pytest.fixture(scope="module")
def pair():
    """PEM of an RSA key pair."""
    private = rsa.generate_private_key(65537, 2048)
    return (
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


@pytest.fixture
def client():
    return package.EncryptionSDKClient()


@pytest.fixture
def keyring():
    return aes()[0]


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


# Streams.


class Trickle(io.RawIOBase):
    """A source that gives what it likes, but something."""

    def __init__(self, data, seed):
        self.data, self.random = io.BytesIO(data), random.Random(seed)

    def read(self, size=-1):
        return self.data.read(self.random.randint(1, max(1, size)))


@pytest.mark.parametrize("suite", [UNSIGNED, SIGNED, Suite.AES_256_GCM_IV12_TAG16], ids=lambda suite: f"{suite.value:04x}")
@pytest.mark.parametrize("frame_length", [0, 1000, 4096, 1 << 20])
def test_streams_of_odd_sizes_both_ways(suite, frame_length):
    (client, sdk), (keyring, their) = clients(suite), aes()
    chance = random.Random(frame_length)
    for length in (0, 1, 999, 1000, 1001, 300_000, 3_000_001):
        plaintext = chance.randbytes(length)

        def pieces(stream, most):
            taken = b""
            while piece := stream.read(chance.randint(1, most)):
                taken += piece
            assert stream.read() == stream.read(5) == b"" and stream.tell() == len(taken)
            return taken

        with client.stream(
            "e", source=Trickle(plaintext, 1), keyring=keyring, algorithm=suite, frame_length=frame_length, source_length=length
        ) as stream:
            message = pieces(stream, 70_000)
            written = stream.header
        assert sdk.decrypt(source=message, keyring=their)[0] == plaintext
        with client.stream("decrypt", source=Trickle(message, 2), keyring=keyring) as stream:
            assert stream.header == written
            assert pieces(stream, 70_000) == plaintext
        with client.stream("d", source=io.BytesIO(message), keyring=keyring) as stream:
            assert b"".join(stream) == plaintext


def test_streams_are_files(client, keyring):
    text = "".join(f"line {number}\n" for number in range(5000))
    with client.stream("E", source=text, keyring=keyring) as stream:
        assert isinstance(stream, io.BufferedIOBase) and stream.readable() and not stream.writable() and not stream.seekable()
        message = stream.read()
    assert stream.closed
    with pytest.raises(ValueError):
        stream.read()
    with io.TextIOWrapper(client.stream("d", source=message, keyring=keyring)) as lines:
        assert list(lines) == text.splitlines(keepends=True)
    buffer = bytearray(100)
    with client.stream("d", source=message, keyring=keyring) as stream:
        assert stream.readinto(buffer) == 100 and buffer == text.encode()[:100]
        assert len(stream.read1()) > 0
    # One that is left before its end.
    with client.stream("e", source=text, keyring=keyring) as stream:
        stream.read(10)
    with pytest.raises(ValueError):
        client.stream("x", source=b"", keyring=keyring)


def test_a_signed_stream_is_held_until_its_signature(client, keyring):
    message, _ = client.encrypt(source=bytes(1_000_000), keyring=keyring)
    broken = message[:-1] + bytes([message[-1] ^ 1])
    with client.stream("d", source=io.BytesIO(broken), keyring=keyring) as stream:
        for _ in range(2):
            with pytest.raises(package.AWSEncryptionSDKClientError):
                stream.read(1)
    with client.stream("d", source=io.BytesIO(broken), keyring=keyring, release=Release.FRAMES) as stream:
        assert stream.read(900_000) == bytes(900_000)
        with pytest.raises(package.exceptions.SignatureError):
            stream.read()
    with client.stream("d", source=message, keyring=keyring, hold_limit=999_999) as stream:
        with pytest.raises(package.exceptions.CustomMaximumValueExceeded, match="hold_limit"):
            stream.read(1)
    with client.stream("d", source=message, keyring=keyring, hold_limit=1_000_000) as stream:
        assert stream.read() == bytes(1_000_000)
    with client.stream("decrypt-unsigned", source=message, keyring=keyring) as stream:
        with pytest.raises(package.exceptions.ActionNotAllowedError):
            stream.read()
    unsigned, _ = client.encrypt(source=b"text", keyring=keyring, algorithm=UNSIGNED)
    with client.stream("decrypt-unsigned", source=unsigned, keyring=keyring) as stream:
        assert stream.read() == b"text"


def test_files_take_their_names_at_the_end(client, keyring, tmp_path):
    plain, sealed, again = tmp_path / "plain", tmp_path / "sealed", tmp_path / "again"
    plain.write_bytes(secrets.token_bytes(20_000_000))  # Signed, and longer than is held.
    header = client.encrypt_file(plain, sealed, keyring=keyring, encryption_context=CONTEXT, frame_length=1 << 16)
    assert header == client.decrypt_file(str(sealed), str(again), keyring=keyring, encryption_context=CONTEXT)
    assert again.read_bytes() == plain.read_bytes()
    again.unlink()
    message = bytearray(sealed.read_bytes())
    for change in (len(message) - 1, len(message) - 200_000):
        message[change] ^= 1
        sealed.write_bytes(message)
        with pytest.raises(package.AWSEncryptionSDKClientError):
            client.decrypt_file(sealed, again, keyring=keyring)
        message[change] ^= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "sealed"]


def test_errors_of_a_source_come_as_they_are(client, keyring):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise ConnectionResetError("gone")

    class Nothing(io.RawIOBase):
        def read(self, size=-1):
            return None

    for mode in "ed":
        for source, error in ((Broken(), ConnectionResetError), (Nothing(), BlockingIOError), (io.StringIO("text"), TypeError)):
            with client.stream(mode, source=source, keyring=keyring) as stream, pytest.raises(error):
                stream.read()
    with pytest.raises(TypeError):
        client.encrypt(source=io.StringIO("text"), keyring=keyring)
    assert client.decrypt(source=io.BytesIO(client.encrypt(source=io.BytesIO(b"x"), keyring=keyring)[0]), keyring=keyring)[0] == b"x"


def test_a_stream_does_not_read_itself(client, keyring):
    class Snake:
        def read(self, size):
            return self.stream.read(size)

    snake = Snake()
    snake.stream = client.stream("d", source=snake, keyring=keyring)
    with pytest.raises((RuntimeError, RecursionError)):
        snake.stream.read()

    class Tail:
        """The message, then the stream itself."""

        def __init__(self):
            self.message = io.BytesIO(client.encrypt(source=bytes(1_000_000), keyring=keyring)[0][:-1])

        def read(self, size):
            return self.message.read(size) or self.stream.read(size)

    tail = Tail()
    tail.stream = client.stream("d", source=tail, keyring=keyring)
    with pytest.raises(RuntimeError, match="in use"):
        tail.stream.read()


# Bad input.


@pytest.mark.parametrize("suite", [UNSIGNED, SIGNED], ids=lambda suite: f"{suite.value:04x}")
def test_whatever_is_cut_off_or_added_is_an_error(client, keyring, suite):
    message, _ = client.encrypt(source=bytes(10_000), keyring=keyring, algorithm=suite, encryption_context=CONTEXT)
    cuts = set(range(0, len(message), 97)) | {len(message) - 1, len(message) - 16}
    for cut in cuts:
        with pytest.raises(package.exceptions.TruncatedMessageError):
            client.decrypt(source=message[:cut], keyring=keyring)
        with client.stream("d", source=io.BytesIO(message[:cut]), keyring=keyring, release=Release.FRAMES) as stream:
            with pytest.raises(package.exceptions.TruncatedMessageError):
                stream.read()
            with pytest.raises(package.AWSEncryptionSDKClientError):
                stream.read(1)
    with pytest.raises(package.exceptions.SerializationError):
        client.decrypt(source=message + b"\0", keyring=keyring)


def test_whatever_is_changed_is_an_error(client, keyring):
    plaintext = secrets.token_bytes(5000)
    for suite in (UNSIGNED, SIGNED):
        message, _ = client.encrypt(source=plaintext, keyring=keyring, algorithm=suite, encryption_context=CONTEXT)
        for at in range(0, len(message), 11):
            changed = bytearray(message)
            changed[at] ^= 1 << (at % 8)
            with pytest.raises(package.AWSEncryptionSDKClientError) as refused:
                client.decrypt(source=changed, keyring=keyring)
            assert repr(plaintext[:8])[2:-1] not in str(refused.value)


def test_errors_have_precise_names(client, keyring):
    errors = package.exceptions
    message, _ = client.encrypt(source=b"text", keyring=keyring, encryption_context=CONTEXT)
    old = package.EncryptionSDKClient(commitment_policy=Policy.FORBID_ENCRYPT_ALLOW_DECRYPT)
    uncommitted, _ = old.encrypt(source=b"text", keyring=keyring)
    stranger, _ = client.encrypt(source=b"text", keyring=package.RawAESKeyring("other", "key", bytes(32)))
    commitment = bytearray(message)
    commitment[message.index(b"\2\0\0\x10\0") + 5] ^= 1
    for source, error in [
        (b"", errors.TruncatedMessageError),
        (b"not a message of the Encryption SDK", errors.NotSupportedError),
        (b"\2\x09\x99" + message[3:], errors.UnknownIdentityError),
        (uncommitted, errors.ActionNotAllowedError),
        (stranger, errors.DecryptKeyError),
        (bytes(commitment), errors.KeyCommitmentError),
    ]:
        with pytest.raises(error) as refused:
            client.decrypt(source=source, keyring=keyring)
        assert type(refused.value) is error
    assert package.EncryptionSDKClient(commitment_policy=Policy.REQUIRE_ENCRYPT_ALLOW_DECRYPT).decrypt(source=uncommitted, keyring=keyring)[0] == b"text"

    for use, error in [
        (lambda: client.encrypt(source=b"", keyring=keyring, algorithm=Suite.AES_256_GCM_IV12_TAG16), errors.ActionNotAllowedError),
        (lambda: old.encrypt(source=b"", keyring=keyring, algorithm=SIGNED), errors.ActionNotAllowedError),
        (lambda: client.encrypt(source=b"", keyring=keyring, encryption_context={"aws-crypto-x": "y"}), errors.EncryptionContextError),
        (lambda: client.encrypt(source=b"", keyring=keyring, encryption_context={"a": "y" * 70_000}), errors.EncryptionContextError),
        (lambda: client.encrypt(source=b"12345", keyring=keyring, source_length=4), errors.CustomMaximumValueExceeded),
        (lambda: client.decrypt(source=message, keyring=keyring, max_body_length=3), errors.CustomMaximumValueExceeded),
        (lambda: client.decrypt(source=message, keyring=keyring, encryption_context={"tenant": "red"}), errors.EncryptionContextError),
        (lambda: client.decrypt(source=message, keyring=keyring, encryption_context={"more": "x"}), errors.AWSEncryptionSDKClientError),
        (lambda: package.RawAESKeyring("aws-kms", "key", bytes(32)), errors.InvalidKeyIdError),
        (lambda: package.RawAESKeyring("ours", "key", bytes(31)), ValueError),
        (lambda: package.RawRSAKeyring("ours", "key", public_key="nonsense"), ValueError),
        (lambda: package.RawRSAKeyring("ours", "key"), TypeError),
        (lambda: package.KmsKeyring("arn:aws:s3:::bucket", object()), errors.MalformedArnError),
        (lambda: package.KmsKeyring("alias/a", object(), client_supplier=object()), TypeError),
        (lambda: package.MultiKeyring(), TypeError),
        (lambda: client.encrypt(source=b""), TypeError),
        (lambda: client.encrypt(source=b"", keyring=object()), TypeError),
        (lambda: client.encrypt(source=b"", keyring=keyring, encryption_context={"a": 1}), TypeError),
        (lambda: client.encrypt(source=b"", keyring=keyring, algorithm=0x0578), TypeError),
        (lambda: client.encrypt(source=b"", keyring=keyring, frame_length=-1), OverflowError),
        (lambda: client.stream("e", source=Trickle(b"text", 1), keyring=keyring, frame_length=0).read(), ValueError),
        (lambda: client.stream("d", source=b"", keyring=keyring, frame_length=1), TypeError),
        (lambda: package.EncryptionSDKClient(commitment_policy=2), TypeError),
        (lambda: package.EncryptionSDKClient(max_encrypted_data_keys=0), ValueError),
    ]:
        with pytest.raises(error):
            use()


def test_context_that_is_not_stored(client, keyring):
    message, header = client.encrypt(
        source=b"text", keyring=keyring, encryption_context=CONTEXT, required_encryption_context_keys=["tenant"]
    )
    assert "tenant" not in header.encryption_context and b"blue" not in message
    opened, header = client.decrypt(
        source=message, keyring=keyring, encryption_context={"tenant": "blue"}, required_encryption_context_keys=["tenant"]
    )
    assert opened == b"text" and CONTEXT.items() <= header.encryption_context.items()
    for context in ({}, {"tenant": "red"}):
        with pytest.raises(package.AWSEncryptionSDKClientError):
            client.decrypt(source=message, keyring=keyring, encryption_context=context)
    with pytest.raises(package.exceptions.EncryptionContextError):
        client.decrypt(source=message, keyring=keyring, required_encryption_context_keys=["tenant"])


def test_kinds_of_sources(client, keyring):
    for source in (b"t\xc3\xa4xt", "täxt", bytearray(b"t\xc3\xa4xt"), memoryview(b"-t\xc3\xa4xt")[1:], io.BytesIO(b"t\xc3\xa4xt")):
        message, _ = client.encrypt(source=source, keyring=keyring)
        assert client.decrypt(source=bytearray(message), keyring=keyring)[0] == "täxt".encode()
    with pytest.raises((TypeError, AttributeError)):
        client.encrypt(source=5, keyring=keyring)


# Keys, threads, memory.


def test_keys_are_never_shown_nor_pickled(client, pair):
    key = secrets.token_bytes(32)
    raw = package.RawAESKeyring("ours", "it's", key)
    ring = package.MultiKeyring(raw, [package.RawRSAKeyring("x", "y", private_key=pair[1]), package.KmsKeyring("alias/a", object())])
    assert repr(ring) == """MultiKeyring(RawAESKeyring('ours', "it's"), RawRSAKeyring('x', 'y'), KmsKeyring('alias/a'))"""
    cache = package.CachingCryptoMaterialsManager(raw, max_age=1.0)
    for holder in (raw, ring, cache):
        for spill in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                spill(holder)
        assert not hasattr(holder, "__dict__") and key.hex() not in repr(holder) and repr(key)[2:-1] not in repr(holder)
    with pytest.raises(TypeError):
        pickle.dumps(client.stream("e", source=b"", keyring=raw))
    for value in (client, client.encrypt(source=b"", keyring=raw)[1], package.exceptions.SignatureError("text")):
        assert copy.deepcopy(value) == value or str(copy.copy(value)) == str(value)


def test_many_threads_share_a_client(client, keyring):
    failures = []

    def work(seed):
        chance = random.Random(seed)
        try:
            for _ in range(30):
                plaintext = chance.randbytes(chance.randint(0, 100_000))
                message, _ = client.encrypt(source=plaintext, keyring=keyring)
                assert client.decrypt(source=message, keyring=keyring)[0] == plaintext
                with client.stream("d", source=io.BytesIO(message), keyring=keyring) as stream:
                    assert stream.read() == plaintext
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_other_threads_go_on_while_bytes_are_worked_on(client, keyring):
    plaintext = bytes(256 << 20)
    message, _ = client.encrypt(source=plaintext, keyring=keyring)

    def longest_pause(work):
        """Of a thread that does nothing but look at the clock, as a part of the time that the work takes."""
        done, times = threading.Event(), [time.perf_counter()]

        def run():
            work()
            done.set()

        thread = threading.Thread(target=run)
        thread.start()
        while not done.is_set():
            times.append(time.perf_counter())
            time.sleep(0.001)
        thread.join()
        return max(later - sooner for sooner, later in zip(times, times[1:])) / (times[-1] - times[0])

    assert longest_pause(lambda: client.encrypt(source=plaintext, keyring=keyring)) < 0.6
    assert longest_pause(lambda: client.decrypt(source=message, keyring=keyring)) < 0.6
    assert longest_pause(lambda: plaintext.count(b"\1")) > 0.6, "what holds the lock is seen"


STREAM = """
import resource, strongroom

class Zeros:
    def __init__(self, length): self.left = length
    def read(self, size=-1):
        size = min(size, self.left)
        self.left -= size
        return bytes(size)

class Pipe:
    def __init__(self, stream): self.read = stream.read

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
client, keyring = strongroom.EncryptionSDKClient(), strongroom.RawAESKeyring("ours", "key", bytes(32))
def through(length, **how):
    with client.stream("e", source=Zeros(length), keyring=keyring, **how) as sealed:
        with client.stream("d", source=Pipe(sealed), keyring=keyring, release=strongroom.Release.FRAMES) as stream:
            return sum(len(piece) for piece in stream)
for how in ({}, {"frame_length": 1 << 20}):
    before = peak()
    assert through(384 << 20, **how) == 384 << 20
    print(peak() - before)
"""


def test_memory_does_not_grow_with_a_stream(tmp_path):
    output = subprocess.run([sys.executable, "-c", STREAM], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    kibibytes = [int(line) for line in output.split()]
    assert len(kibibytes) == 2 and max(kibibytes) < 32 << 10


# What is written about it.


def test_the_readme_holds(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```$", (ROOT / "python/README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    subprocess.run([sys.executable, "-c", "\n".join(blocks)], cwd=tmp_path, check=True)


DOCTESTS = """
import doctest, importlib, os, pkgutil, sys, strongroom
given = {"PUBLIC_PEM": os.environ["PUBLIC_PEM"], "PRIVATE_PEM": os.environ["PRIVATE_PEM"], "KEY_ARN": os.environ["KEY_ARN"]}
results = [doctest.testmod(strongroom, extraglobs=given)]
for module in pkgutil.iter_modules(strongroom.__path__):
    if module.name != "_native":
        results.append(doctest.testmod(importlib.import_module("strongroom." + module.name), extraglobs=given))
undocumented = [name for name in strongroom.__all__ if not getattr(strongroom, name).__doc__]
print(sum(result.attempted for result in results), sum(result.failed for result in results), undocumented)
"""


def test_every_example_holds(server, key_arn, pair, tmp_path):
    environment = server.environment_of_clients() | {
        "PUBLIC_PEM": pair[0].decode(), "PRIVATE_PEM": pair[1].decode(), "KEY_ARN": key_arn, "PATH": os.environ["PATH"]
    }
    run = subprocess.run([sys.executable, "-c", DOCTESTS], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    attempted, failed, undocumented = run.stdout.splitlines()[-1].split(" ", 2)
    assert int(attempted) > 40 and failed == "0" and undocumented == "[]", run.stdout
