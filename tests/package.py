"""The Python package `strongroom` as a user has it, beside AWS's, and what its tests share. A module of these tests has its name, and is back when it is imported."""

import importlib
import io
import random
import secrets
import sys
from pathlib import Path

import aws_encryption_sdk
import aws_encryption_sdk.identifiers as theirs
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput

import rsa_keys


def _import():
    ours = sys.modules.pop("strongroom", None)
    path, sys.path = sys.path, [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]
    try:
        return importlib.import_module("strongroom")
    finally:
        sys.path = path
        if ours:
            sys.modules["strongroom"] = ours


package = _import()
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
    return rsa_keys.pair()


@pytest.fixture
def client():
    return package.EncryptionSDKClient()


@pytest.fixture
def keyring():
    return aes()[0]


class Trickle(io.RawIOBase):
    """A source that gives what it likes, but something."""

    def __init__(self, data, seed):
        self.data, self.random = io.BytesIO(data), random.Random(seed)

    def read(self, size=-1):
        return self.data.read(self.random.randint(1, max(1, size)))
