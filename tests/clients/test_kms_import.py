"""Imported key material: what its owner makes with it outside, KMS takes, and the other way round."""

import datetime
import hashlib
import hmac
import secrets

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

import formats
from refusals import refused
from wrapping import wrap

OAEP = {
    "SHA_1": padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
    "SHA_256": padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None),
}
CURVES = {
    "ECC_NIST_P256": (ec.SECP256R1, hashes.SHA256()),
    "ECC_NIST_P384": (ec.SECP384R1, hashes.SHA384()),
    "ECC_NIST_P521": (ec.SECP521R1, hashes.SHA512()),
    "ECC_SECG_P256K1": (ec.SECP256K1, hashes.SHA256()),
}


def pkcs8(private) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def imported(kms):
    """A key with this material."""

    def imported(spec, usage, material, algorithm="RSA_AES_KEY_WRAP_SHA_256", wrapping_spec="RSA_2048", **options) -> str:
        metadata = kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage=usage)["KeyMetadata"]
        assert (metadata["KeyState"], metadata["Origin"]) == ("PendingImport", "EXTERNAL")
        import_into(kms, metadata["KeyId"], material, algorithm, wrapping_spec, **options)
        assert kms.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"]["KeyState"] == "Enabled"
        return metadata["KeyId"]

    return imported


def import_into(kms, name, material, algorithm="RSAES_OAEP_SHA_256", wrapping_spec="RSA_2048", **options):
    parameters = kms.get_parameters_for_import(KeyId=name, WrappingAlgorithm=algorithm, WrappingKeySpec=wrapping_spec)
    options = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"} | options
    return kms.import_key_material(
        KeyId=name,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrap(material, parameters["PublicKey"], algorithm),
        **options,
    )


@pytest.mark.parametrize("wrapping_spec", ["RSA_2048", "RSA_3072", "RSA_4096"])
@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_a_symmetric_key_and_its_ciphertexts_outside(kms, imported, algorithm, wrapping_spec):
    """Whoever brought the material opens what KMS sealed, and seals what KMS opens, by docs/formats/ alone."""
    material = secrets.token_bytes(32)
    name = imported("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", material, algorithm, wrapping_spec)
    context = {"purpose": "import"}
    sealed = kms.encrypt(KeyId=name, Plaintext=b"hello", EncryptionContext=context)["CiphertextBlob"]
    assert formats.open_ciphertext(material, context, sealed) == b"hello"
    ours = formats.seal_ciphertext(material, formats.fields(sealed), context, b"from outside")
    assert kms.decrypt(CiphertextBlob=ours, EncryptionContext=context)["Plaintext"] == b"from outside"


@pytest.mark.parametrize("length", [224, 256, 384, 512])
def test_macs(kms, imported, length):
    material = secrets.token_bytes(length // 8)
    name = imported(f"HMAC_{length}", "GENERATE_VERIFY_MAC", material, "RSAES_OAEP_SHA_256")
    mac = hmac.digest(material, b"a message", f"sha{length}")
    request = {"KeyId": name, "Message": b"a message", "MacAlgorithm": f"HMAC_SHA_{length}"}
    assert kms.generate_mac(**request)["Mac"] == mac
    assert kms.verify_mac(**request, Mac=mac)["MacValid"]


@pytest.mark.parametrize("algorithm", ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"])
@pytest.mark.parametrize("size", [2048, 3072, 4096])
def test_rsa_ciphertexts(kms, imported, size, algorithm):
    private = rsa.generate_private_key(65537, size)
    name = imported(f"RSA_{size}", "ENCRYPT_DECRYPT", pkcs8(private), algorithm)
    assert load_der_public_key(kms.get_public_key(KeyId=name)["PublicKey"]) == private.public_key()
    for name_of_hash, oaep in OAEP.items():
        chosen = f"RSAES_OAEP_{name_of_hash}"
        sealed = kms.encrypt(KeyId=name, Plaintext=b"hello", EncryptionAlgorithm=chosen)["CiphertextBlob"]
        assert private.decrypt(sealed, oaep) == b"hello"


@pytest.mark.parametrize("bits", ["256", "384", "512"])
def test_rsa_signatures(kms, imported, bits):
    private = rsa.generate_private_key(65537, 2048)
    name = imported("RSA_2048", "SIGN_VERIFY", pkcs8(private))
    chosen = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[bits]
    pss = padding.PSS(padding.MGF1(chosen), padding.PSS.DIGEST_LENGTH)
    for algorithm, how in ((f"RSASSA_PSS_SHA_{bits}", pss), (f"RSASSA_PKCS1_V1_5_SHA_{bits}", padding.PKCS1v15())):
        signature = private.sign(b"a message", how, chosen)
        request = {"KeyId": name, "SigningAlgorithm": algorithm, "Signature": signature}
        assert kms.verify(**request, Message=b"a message")["SignatureValid"]
        assert refused(kms.verify, **request, Message=b"another") == "KMSInvalidSignatureException"


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256"])
@pytest.mark.parametrize("spec", CURVES)
def test_ecdsa_signatures(kms, imported, spec, algorithm):
    curve, chosen = CURVES[spec]
    private = ec.generate_private_key(curve())
    # The private key of P-521 does not fit under RSA_2048.
    name = imported(spec, "SIGN_VERIFY", pkcs8(private), algorithm, "RSA_4096")
    assert load_der_public_key(kms.get_public_key(KeyId=name)["PublicKey"]) == private.public_key()
    signature = private.sign(b"a message", ec.ECDSA(chosen))
    request = {"KeyId": name, "SigningAlgorithm": f"ECDSA_SHA_{8 * chosen.digest_size}", "Signature": signature}
    assert kms.verify(**request, Message=b"a message")["SignatureValid"]
    digest = hashlib.new(f"sha{8 * chosen.digest_size}", b"a message").digest()
    assert kms.verify(**request, Message=digest, MessageType="DIGEST")["SignatureValid"]
    assert refused(kms.verify, **request, Message=b"another") == "KMSInvalidSignatureException"


def test_ed25519_signatures(kms, imported):
    private = ed25519.Ed25519PrivateKey.generate()
    name = imported("ECC_NIST_EDWARDS25519", "SIGN_VERIFY", pkcs8(private))
    request = {"KeyId": name, "Message": b"a message", "SigningAlgorithm": "ED25519_SHA_512"}
    signature = private.sign(b"a message")
    assert kms.sign(**request)["Signature"] == signature, "Ed25519 has no choice"
    assert kms.verify(**request, Signature=signature)["SignatureValid"]


@pytest.mark.parametrize("spec", [spec for spec in CURVES if "NIST" in spec])
def test_ecdh_secrets(kms, imported, spec):
    curve, _ = CURVES[spec]
    private, peer = ec.generate_private_key(curve()), ec.generate_private_key(curve())
    name = imported(spec, "KEY_AGREEMENT", pkcs8(private), wrapping_spec="RSA_4096")
    public = peer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    derived = kms.derive_shared_secret(KeyId=name, KeyAgreementAlgorithm="ECDH", PublicKey=public)
    assert (derived["SharedSecret"], derived["KeyOrigin"]) == (private.exchange(ec.ECDH(), peer.public_key()), "EXTERNAL")


def test_material_is_deleted_and_comes_back(kms, imported):
    material = secrets.token_bytes(32)
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    expiry = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": soon}
    name = imported("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", material, "RSAES_OAEP_SHA_256", **expiry)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    sealed = kms.encrypt(KeyId=name, Plaintext=b"hello")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=name)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "PendingImport"
    assert refused(kms.decrypt, CiphertextBlob=sealed) == "KMSInvalidStateException"
    with pytest.raises(kms.exceptions.IncorrectKeyMaterialException):
        import_into(kms, name, secrets.token_bytes(32))
    import_into(kms, name, material)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"hello"


def test_rotation_to_other_material(kms, imported):
    first, second = secrets.token_bytes(32), secrets.token_bytes(32)
    name = imported("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", first, "RSAES_OAEP_SHA_256")
    sealed = kms.encrypt(KeyId=name, Plaintext=b"under the first")["CiphertextBlob"]
    import_into(kms, name, second, ImportType="NEW_KEY_MATERIAL", KeyMaterialDescription="the second")
    assert formats.open_ciphertext(first, {}, kms.encrypt(KeyId=name, Plaintext=b"not yet")["CiphertextBlob"]) == b"not yet"
    kms.rotate_key_on_demand(KeyId=name)
    assert formats.open_ciphertext(second, {}, kms.encrypt(KeyId=name, Plaintext=b"now")["CiphertextBlob"]) == b"now"
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"under the first"
