"""Key material as a client of KMS wraps it for import, by Python's `cryptography`."""

import secrets

from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import padding

OAEP = {"1": hashes.SHA1, "256": hashes.SHA256}


def wrap(material: bytes, public_key: bytes, algorithm: str) -> bytes:
    """Under the DER public key of GetParametersForImport, by one of its wrapping algorithms."""
    public = serialization.load_der_public_key(public_key)
    algorithm_hash = OAEP[algorithm.rsplit("_", 1)[1]]
    oaep = padding.OAEP(mgf=padding.MGF1(algorithm_hash()), algorithm=algorithm_hash(), label=None)
    if algorithm.startswith("RSAES_OAEP"):
        return public.encrypt(material, oaep)
    key = secrets.token_bytes(32)
    return public.encrypt(key, oaep) + keywrap.aes_key_wrap_with_padding(key, material)


class Importer:
    """Imports into one key, with the same parameters as long as they are good."""

    def __init__(self, kms, key: str, algorithm: str = "RSAES_OAEP_SHA_256", size: str = "RSA_2048"):
        self.kms, self.key, self.algorithm = kms, key, algorithm
        self.parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=size)

    def request(self, material: bytes, **members) -> dict:
        """The request for this material, which never expires unless it is said."""
        if "ValidTo" not in members:
            members = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"} | members
        return {
            "KeyId": self.key,
            "ImportToken": self.parameters["ImportToken"],
            "EncryptedKeyMaterial": wrap(material, self.parameters["PublicKey"], self.algorithm),
        } | members

    def take(self, material: bytes, **members) -> dict:
        return self.kms.import_key_material(**self.request(material, **members))


def external(kms, spec: str = "SYMMETRIC_DEFAULT", usage: str = "ENCRYPT_DECRYPT", **members) -> str:
    """A key that waits for its material."""
    return kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage, **members)["KeyMetadata"]["KeyId"]
