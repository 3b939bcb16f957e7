"""What the Python package refuses, and in which words; what it never shows; its examples."""

import copy
import io
import os
import pickle
import re
import secrets
import subprocess
import sys

import pytest

from package import CONTEXT, SIGNED, UNSIGNED, Policy, Release, Suite, Trickle, client, keyring, package, pair  # noqa: F401
from strongroom import ROOT


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
