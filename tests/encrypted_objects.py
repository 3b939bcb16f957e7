"""Amazon's S3 Encryption Client for Python and our own in the shape of `peers.Java`: `put` and `get` with the same keys."""

import base64
import secrets
import subprocess

from s3_encryption import S3EncryptionClient, S3EncryptionClientConfig
from s3_encryption.materials.kms_keyring import KmsKeyring
from s3_encryption.materials.materials import AlgorithmSuite, CommitmentPolicy

from encryption_sdks import Commands
from peers import Refused
from strongroom import BINARY, Server

LENIENT = "FORBID_ENCRYPT_ALLOW_DECRYPT"
SUITES = {"V2": AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF, "V3": AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY}


class Python:
    """amazon-s3-encryption-client-python: keys of KMS alone, and instruction files only to read."""

    def __init__(self, server: Server):
        self.server = server

    def put(self, bucket, name, plaintext, key, version="V3", context=None):
        self.client(key, version).put_object(Bucket=bucket, Key=name, Body=plaintext, EncryptionContext=context or {})

    def get(self, bucket, name, key, version="V3", context=None, legacy=False):
        try:
            told = {"EncryptionContext": context} if context is not None else {}
            return self.client(key, version, legacy).get_object(Bucket=bucket, Key=name, **told)["Body"].read()
        except Exception as error:
            raise Refused(repr(error)) from error

    def client(self, key, version, legacy=False) -> S3EncryptionClient:
        ring = KmsKeyring(self.server.client("kms", secure=True), key["kms"], legacy)
        policy = "REQUIRE_ENCRYPT_REQUIRE_DECRYPT" if version == "V3" else LENIENT
        config = S3EncryptionClientConfig(
            keyring=ring,
            encryption_algorithm=SUITES[version],
            commitment_policy=CommitmentPolicy[policy],
            enable_legacy_unauthenticated_modes=legacy,
        )
        return S3EncryptionClient(self.server.client("s3", secure=True), config)


class Ours(Commands):
    """`strongroom cp` and its sisters."""

    def put(self, bucket, name, plaintext, key, version="V3", instruction=False, context=None):
        told = ["--instruction-file"] if instruction else []
        told += [*self.policy(version, writes=True), *self.keys(key, context, True)]
        self.call("cp", str(self.file(plaintext)), f"s3://{bucket}/{name}", *told)

    def get(self, bucket, name, key, version="V3", context=None, legacy=False):
        made = self.folder / secrets.token_hex(8)
        told = ["--legacy"] if legacy else self.policy(version, writes=False)
        self.call("cp", f"s3://{bucket}/{name}", str(made), *told, *self.keys(key, context, False), made=made)
        return made.read_bytes()

    def range(self, bucket, name, key, first, last, version="V3", context=None, legacy=False):
        asked = ["--range", f"{first}-{last}", "--unauthenticated-range"]
        told = ["--legacy"] if legacy else self.policy(version, writes=False)
        return self.call("cat", f"s3://{bucket}/{name}", *asked, *told, *self.keys(key, context, False))

    def rewrap(self, bucket, name, key, new, version="V3", context=None):
        given = [word.replace("--", "--new-", 1) for word in self.wrapping(new, True)]
        told = [*self.policy(version, writes=False), *self.keys(key, context, False), *given]
        self.call("rewrap", f"s3://{bucket}/{name}", "--check-rotation", *told)

    def call(self, *words, made=None) -> bytes:
        done = subprocess.run([str(BINARY), *words], env=self.environment, capture_output=True, timeout=120, check=False)
        if done.returncode:
            assert made is None or not made.exists(), "nothing stands under the final name after a failure"
            raise Refused(done.stderr.decode(), done.returncode)
        return done.stdout

    @staticmethod
    def policy(version, writes) -> list[str]:
        if version == "V3":
            return []
        return ["--format", "v2"] if writes else ["--commitment-policy", LENIENT.lower().replace("_", "-")]

    def keys(self, key, context, writes) -> list[str]:
        return self.wrapping(key, writes) + [word for name, value in (context or {}).items() for word in ("--context", f"{name}={value}")]

    def wrapping(self, key, writes) -> list[str]:
        described = [word for pair in key.get("description", {}).items() for word in ("--material-description", "=".join(pair))]
        if "aes" in key:
            return ["--raw-key", str(self.file(base64.b64decode(key["aes"]))), *described]
        if "kms" in key:
            return ["--kms-key", key["kms"]]
        side = "public" if writes else "private"
        return [f"--rsa-{side}-key", str(self.file(base64.b64decode(key[f"rsa{side.title()}"]))), *described]
