"""The AWS Encryption SDKs and our own client in one shape: `encrypt` and `decrypt` with keys that all of them understand."""

import base64
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import aws_encryption_sdk
import boto3
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl import models as mpl
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy

import rsa_keys
from client_cli import secret
from peers import Peer, Refused
from strongroom import BINARY, REGION, ROOT, Server

DEFAULT_SUITE = 0x0578
SUITES = {suite.algorithm_id: suite for suite in AlgorithmSuite}
STRICT, LENIENT = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT", "FORBID_ENCRYPT_ALLOW_DECRYPT"


def policy_for(suite: int) -> str:
    """The strictest commitment policy under which this suite is written and read."""
    return STRICT if suite in (0x0478, 0x0578) else LENIENT


@dataclass(frozen=True)
class Aes:
    key: bytes
    namespace: str = "raw keys"
    name: str = "an AES key"


class Rsa:
    def __init__(self, padding: str, bits: int = 2048):
        self.padding, self.namespace, self.name = padding, "raw keys", "an RSA key"
        self.public, self.private = rsa_keys.pair(bits=bits)


@dataclass(frozen=True)
class Kms:
    arn: str
    multi_region: bool = False


@dataclass(frozen=True)
class Discovery:
    """Opens what any KMS key wrapped: of this account, if one is given; of a multi-Region key, in this Region."""

    account: str | None = None
    multi_region: bool = False
    region: str = REGION


class PythonSdk:
    """aws-encryption-sdk with the keyrings of the Material Providers Library."""

    def __init__(self, server: Server):
        self.server = server
        self.providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    def encrypt(self, keys, plaintext, context=None, suite=DEFAULT_SUITE, frame_length=4096, required=()):
        source = self.manager(keys, required)
        message, _ = self.client(policy_for(suite)).encrypt(
            source=plaintext, encryption_context=context or {}, algorithm=SUITES[suite], frame_length=frame_length, **source
        )
        return message

    def decrypt(self, keys, message, context=None, policy=STRICT, max_keys=None):
        try:
            opened = self.client(policy, max_keys).decrypt(source=message, encryption_context=context or {}, **self.manager(keys))
        except Exception as error:
            raise Refused(repr(error)) from error
        return opened[0]

    def client(self, policy, max_keys=None):
        return aws_encryption_sdk.EncryptionSDKClient(
            commitment_policy=CommitmentPolicy[policy], max_encrypted_data_keys=max_keys
        )

    def manager(self, keys, required=()) -> dict:
        rings = [self.keyring(key) for key in keys]
        ring = rings[0]
        if len(rings) > 1:
            ring = self.providers.create_multi_keyring(mpl.CreateMultiKeyringInput(generator=ring, child_keyrings=rings[1:]))
        if not required:
            return {"keyring": ring}
        manager = mpl.CreateDefaultCryptographicMaterialsManagerInput(keyring=ring)
        wrapped = mpl.CreateRequiredEncryptionContextCMMInput(
            underlying_cmm=self.providers.create_default_cryptographic_materials_manager(manager),
            required_encryption_context_keys=list(required),
        )
        return {"materials_manager": self.providers.create_required_encryption_context_cmm(wrapped)}

    def keyring(self, key):
        make = self.providers
        match key:
            case Aes():
                algorithm = f"ALG_AES{len(key.key) * 8}_GCM_IV12_TAG16"
                names = {"key_namespace": key.namespace, "key_name": key.name}
                return make.create_raw_aes_keyring(
                    mpl.CreateRawAesKeyringInput(**names, wrapping_key=key.key, wrapping_alg=algorithm)
                )
            case Rsa():
                names = {"key_namespace": key.namespace, "key_name": key.name}
                padding = key.padding.upper().replace("-", "_") + ("_MGF1" if key.padding != "pkcs1" else "")
                pair = {"public_key": key.public, "private_key": key.private}
                return make.create_raw_rsa_keyring(mpl.CreateRawRsaKeyringInput(**names, **pair, padding_scheme=padding))
            case Kms(arn, multi_region):
                told = {"kms_key_id": arn, "kms_client": self.kms(arn.split(":")[3])}
                if multi_region:
                    return make.create_aws_kms_mrk_keyring(mpl.CreateAwsKmsMrkKeyringInput(**told))
                return make.create_aws_kms_keyring(mpl.CreateAwsKmsKeyringInput(**told))
            case Discovery(account, multi_region, region):
                only = mpl.DiscoveryFilter(account_ids=[account], partition="aws") if account else None
                told = {"kms_client": self.kms(region), "discovery_filter": only}
                if multi_region:
                    return make.create_aws_kms_mrk_discovery_keyring(
                        mpl.CreateAwsKmsMrkDiscoveryKeyringInput(**told, region=region)
                    )
                return make.create_aws_kms_discovery_keyring(mpl.CreateAwsKmsDiscoveryKeyringInput(**told))

    def kms(self, region) -> boto3.client:
        return self.server.client("kms", secure=True, region=region)


class JavaScriptSdk(Peer):
    """@aws-crypto/client-node."""

    def __init__(self, server: Server, folder: Path):
        environment = server.environment_of_clients()
        environment["NODE_EXTRA_CA_CERTS"] = environment["AWS_CA_BUNDLE"]
        super().__init__(["node", "encryption-sdk-peer.mjs"], environment, folder, ROOT / "tests/clients/javascript")

    def encrypt(self, keys, plaintext, context=None, suite=DEFAULT_SUITE, frame_length=4096):
        told = {"context": context or {}, "suite": suite, "frameLength": frame_length, "policy": policy_for(suite)}
        return self.done("encrypt", keys, plaintext, **told)

    def decrypt(self, keys, message, policy=STRICT, max_keys=None):
        return self.done("decrypt", keys, message, policy=policy, **({"maxKeys": max_keys} if max_keys else {}))

    def done(self, what, keys, data, **told) -> bytes:
        answer = self.work(do=what, keys=[self.named(key) for key in keys], data=base64.b64encode(data).decode(), **told)
        return base64.b64decode(answer["data"])

    @staticmethod
    def named(key) -> dict:
        match key:
            case Aes():
                return {"namespace": key.namespace, "name": key.name, "aes": base64.b64encode(key.key).decode()}
            case Rsa():
                names = {"namespace": key.namespace, "name": key.name, "padding": key.padding}
                return names | {"public": key.public.decode(), "private": key.private.decode()}
            case Kms(arn, multi_region):
                return {"arn": arn, "multiRegion": multi_region}
            case Discovery(account, multi_region, region):
                return {"discovery": True, "account": account, "multiRegion": multi_region, "region": region}


class Commands:
    """A command line: files in, files out."""

    def __init__(self, server: Server, folder: Path):
        self.environment, self.folder = server.environment_of_clients(), folder

    def file(self, data: bytes, name: str = "") -> Path:
        return secret(self.folder / (name or secrets.token_hex(8)), data)

    def run(self, command: list[str], data: bytes) -> bytes:
        given, made = self.file(data), self.folder / secrets.token_hex(8)
        command = [*command, *self.files(str(given), str(made))]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            assert not made.exists(), "nothing stands under the final name after a failure"
        if not made.exists():  # AWS's command line calls a wrong context a skipped file, and that a success
            raise Refused(done.stderr, done.returncode)
        return made.read_bytes()


class EncryptionCli(Commands):
    """aws-encryption-sdk-cli: keys of KMS alone."""

    PROGRAM = str(ROOT / "target/clients-esdk-cli/bin/aws-encryption-cli")

    def encrypt(self, keys, plaintext, context=None, suite=DEFAULT_SUITE, frame_length=4096):
        pairs = [f"{name}={value}" for name, value in (context or {}).items()]
        told = ["--algorithm", SUITES[suite].name, "--frame-length", str(frame_length), *(["-c", *pairs] if pairs else [])]
        return self.run(self.command("--encrypt", keys, policy_for(suite)) + told, plaintext)

    def decrypt(self, keys, message, context=None, policy=STRICT, max_keys=None):
        pairs = [f"{name}={value}" for name, value in (context or {}).items()]
        told = [*(["-c", *pairs] if pairs else []), *(["--max-encrypted-data-keys", str(max_keys)] if max_keys else [])]
        return self.run(self.command("--decrypt", keys, policy) + ["--buffer", *told], message)

    def command(self, what, keys, policy) -> list[str]:
        chosen = [word for key in keys for word in ("--wrapping-keys", *self.wrapping(key))]
        return [self.PROGRAM, what, "--suppress-metadata", "--commitment-policy", policy.lower().replace("_", "-"), *chosen]

    @staticmethod
    def wrapping(key) -> list[str]:
        match key:
            case Kms(arn):
                return [f"key={arn}"]
            case Discovery(account):
                only = [f"discovery-account={account}", "discovery-partition=aws"] if account else []
                return ["discovery=true", *only, f"region={key.region}"]

    @staticmethod
    def files(given, made) -> list[str]:
        return ["--input", given, "--output", made]


class Ours(Commands):
    """`strongroom encrypt` and `strongroom decrypt`."""

    def encrypt(self, keys, plaintext, context=None, suite=DEFAULT_SUITE, frame_length=4096, required=()):
        told = ["--suite", f"0x{suite:04x}", "--frame-length", str(frame_length)]
        told += [word for name in required for word in ("--required-context", name)]
        return self.run(self.command("encrypt", keys, context, policy_for(suite)) + told, plaintext)

    def decrypt(self, keys, message, context=None, policy=STRICT, max_keys=None, required=()):
        told = ["--max-encrypted-data-keys", str(max_keys)] if max_keys else []
        told += [word for name in required for word in ("--required-context", name)]
        return self.run(self.command("decrypt", keys, context, policy) + told, message)

    def command(self, what, keys, context, policy) -> list[str]:
        chosen = [word for key in keys for word in self.wrapping(key, what)]
        pairs = [word for name, value in (context or {}).items() for word in ("--context", f"{name}={value}")]
        return [str(BINARY), what, "--quiet", "--commitment-policy", policy.lower().replace("_", "-"), *chosen, *pairs]

    def wrapping(self, key, what) -> list[str]:
        match key:
            case Aes():
                return ["--raw-key", str(self.file(key.key)), "--key-namespace", key.namespace, "--key-name", key.name]
            case Rsa():
                side, pem = ("public", key.public) if what == "encrypt" else ("private", key.private)
                names = ["--key-namespace", key.namespace, "--key-name", key.name, "--rsa-padding", key.padding]
                return [f"--rsa-{side}-key", str(self.file(pem)), *names]
            case Kms(arn):
                return ["--kms-key", arn]
            case Discovery(account):
                return ["--discovery", *(["--discovery-account", account] if account else [])]

    @staticmethod
    def files(given, made) -> list[str]:
        return [given, "--output", made]
