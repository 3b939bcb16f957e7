"""boto3 against KMS: the rules of imported key material. What it does once it is here, `test_kms_import` shows."""

import contextlib
import datetime
import hashlib
import secrets
import sqlite3
import time
import uuid

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, utils

from refusals import refused
from wrapping import Importer, external, wrap

ALGORITHMS = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]
ML_DSA = {"ML_DSA_44": mldsa.MLDSA44PrivateKey, "ML_DSA_65": mldsa.MLDSA65PrivateKey, "ML_DSA_87": mldsa.MLDSA87PrivateKey}


def der(private_key) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    return private_key.private_bytes(encoding, form, serialization.NoEncryption())


@pytest.mark.parametrize("size", ["RSA_2048", "RSA_3072", "RSA_4096"])
def test_the_parameters_hold_for_a_day(kms, size):
    key = external(kms)
    importer = Importer(kms, key, "RSAES_OAEP_SHA_256", size)
    public = serialization.load_der_public_key(importer.parameters["PublicKey"])
    assert public.key_size == int(size[4:])
    assert importer.parameters["KeyId"].endswith(key)
    day = importer.parameters["ParametersValidTo"] - datetime.datetime.now(datetime.UTC)
    assert abs(day - datetime.timedelta(days=1)) < datetime.timedelta(minutes=1)
    answer = importer.take(secrets.token_bytes(32))
    assert answer["KeyId"].endswith(key) and len(answer["KeyMaterialId"]) == 64
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    opened = kms.decrypt(CiphertextBlob=blob)
    assert (opened["Plaintext"], opened["KeyMaterialId"]) == (b"x", answer["KeyMaterialId"])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_curve_comes_in_by_every_way(kms, algorithm):
    private = ec.generate_private_key(ec.SECP521R1())
    key = external(kms, "ECC_NIST_P521", "SIGN_VERIFY")
    answer = Importer(kms, key, algorithm, "RSA_3072").take(der(private))
    assert "KeyMaterialId" not in answer
    signature = kms.sign(KeyId=key, Message=b"message", SigningAlgorithm="ECDSA_SHA_512")["Signature"]
    private.public_key().verify(signature, b"message", ec.ECDSA(hashes.SHA512()))


@pytest.mark.parametrize("spec", ML_DSA)
def test_ml_dsa(kms, spec):
    private = ML_DSA[spec].generate()
    key = external(kms, spec, "SIGN_VERIFY")
    Importer(kms, key).take(der(private))
    request = {"KeyId": key, "Message": b"message", "SigningAlgorithm": "ML_DSA_SHAKE_256"}
    private.public_key().verify(kms.sign(**request)["Signature"], b"message")


def test_what_may_not_be_wrapped_so(kms):
    def parameters(key, algorithm, size="RSA_2048"):
        return refused(kms.get_parameters_for_import, KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=size)

    unsupported = "UnsupportedOperationException"
    symmetric = external(kms)
    assert parameters(symmetric, "RSA_AES_KEY_WRAP_SHA_256") == unsupported
    assert parameters(symmetric, "RSAES_PKCS1_V1_5") == unsupported
    assert parameters(symmetric, "SM2PKE", "SM2") == unsupported
    assert parameters(external(kms, "RSA_2048"), "RSAES_OAEP_SHA_256") == unsupported
    assert parameters(external(kms, "ECC_NIST_P521", "SIGN_VERIFY"), "RSAES_OAEP_SHA_256") == unsupported
    assert parameters(kms.create_key()["KeyMetadata"]["KeyId"], "RSAES_OAEP_SHA_256") == unsupported
    encapsulation = {"KeySpec": "ML_KEM_768", "KeyUsage": "ENCAPSULATE_DECAPSULATE", "Origin": "EXTERNAL"}
    assert refused(kms.create_key, **encapsulation) == unsupported


def test_material_that_is_none(kms):
    key = external(kms)
    importer = Importer(kms, key)
    assert refused(kms.import_key_material, **importer.request(secrets.token_bytes(31))) == "IncorrectKeyMaterialException"
    curve = external(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    other = der(ec.generate_private_key(ec.SECP384R1()))
    wrong = Importer(kms, curve, "RSA_AES_KEY_WRAP_SHA_256").request(other)
    assert refused(kms.import_key_material, **wrong) == "IncorrectKeyMaterialException"
    good = importer.request(secrets.token_bytes(32))
    # The other algorithm's padding, and a byte that is another.
    padded = wrap(secrets.token_bytes(32), importer.parameters["PublicKey"], "RSAES_OAEP_SHA_1")
    assert refused(kms.import_key_material, **good | {"EncryptedKeyMaterial": padded}) == "InvalidCiphertextException"
    blob = bytearray(good["EncryptedKeyMaterial"])
    blob[100] ^= 1
    assert refused(kms.import_key_material, **good | {"EncryptedKeyMaterial": bytes(blob)}) == "InvalidCiphertextException"
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingImport"


def test_tokens_are_for_one_key_and_its_public_key(kms):
    one, other = (Importer(kms, external(kms)) for _ in range(2))
    request = one.request(secrets.token_bytes(32))
    theirs = {"ImportToken": other.parameters["ImportToken"]}
    assert refused(kms.import_key_material, **request | theirs) == "InvalidImportTokenException"
    blob = kms.encrypt(KeyId=kms.create_key()["KeyMetadata"]["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert refused(kms.import_key_material, **request | {"ImportToken": blob}) == "InvalidImportTokenException"
    token = request["ImportToken"]
    for at in range(0, len(token), 61):
        broken = token[:at] + bytes([token[at] ^ 1]) + token[at + 1 :]
        assert refused(kms.import_key_material, **request | {"ImportToken": broken}) == "InvalidImportTokenException"
    again = Importer(kms, one.key)
    mixed = request | {"ImportToken": again.parameters["ImportToken"]}
    assert refused(kms.import_key_material, **mixed) == "InvalidCiphertextException"
    # A token is good more than once, and the older of two stays good.
    kms.import_key_material(**request)
    kms.import_key_material(**request)


def test_expiry(kms):
    key, material = external(kms), secrets.token_bytes(32)
    importer = Importer(kms, key)
    now = datetime.datetime.now(datetime.UTC)
    seconds, day = datetime.timedelta(seconds=2), datetime.timedelta(days=1)
    for members in ({"ExpirationModel": "KEY_MATERIAL_EXPIRES"}, {"ValidTo": now - seconds}, {"ValidTo": now + 366 * day}):
        assert refused(kms.import_key_material, **importer.request(material, **members)) == "ValidationException"
    both = importer.request(material, ValidTo=now + day, ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE")
    assert refused(kms.import_key_material, **both) == "ValidationException"

    identity = importer.take(material, ValidTo=datetime.datetime.now(datetime.UTC) + seconds)["KeyMaterialId"]
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"
    assert metadata["CurrentKeyMaterialId"] == identity
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    time.sleep((metadata["ValidTo"] - datetime.datetime.now(datetime.UTC)).total_seconds() + 0.05)
    assert refused(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert metadata["KeyState"] == "PendingImport" and "ValidTo" not in metadata and "ExpirationModel" not in metadata

    wrong = importer.request(secrets.token_bytes(32))
    assert refused(kms.import_key_material, **wrong) == "IncorrectKeyMaterialException"
    assert importer.take(material)["KeyMaterialId"] == identity
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["ExpirationModel"]) == ("Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE")


def test_an_asymmetric_key_is_for_one_material(kms):
    private = ec.generate_private_key(ec.SECP256R1())
    key = external(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    Importer(kms, key, "RSA_AES_KEY_WRAP_SHA_256").take(der(private))
    digest = hashlib.sha256(b"message").digest()
    signature = private.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    answer = kms.delete_imported_key_material(KeyId=key)
    assert answer["KeyId"].endswith(key) and "KeyMaterialId" not in answer
    request = {"KeyId": key, "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST", "Message": digest}
    assert refused(kms.verify, **request, Signature=signature) == "KMSInvalidStateException"
    assert refused(kms.get_public_key, KeyId=key) == "KMSInvalidStateException"
    importer = Importer(kms, key, "RSA_AES_KEY_WRAP_SHA_1", "RSA_3072")
    other = importer.request(der(ec.generate_private_key(ec.SECP256R1())))
    assert refused(kms.import_key_material, **other) == "IncorrectKeyMaterialException"
    importer.take(der(private))
    assert kms.verify(**request, Signature=signature)["SignatureValid"]


def test_rotation_of_imported_material(kms):
    key = external(kms)
    importer = Importer(kms, key)
    materials = [secrets.token_bytes(32) for _ in range(3)]
    ids = [importer.take(materials[0], KeyMaterialDescription="the first")["KeyMaterialId"]]
    sealed = [kms.encrypt(KeyId=key, Plaintext=b"0")["CiphertextBlob"]]
    assert refused(kms.rotate_key_on_demand, KeyId=key) == "KMSInvalidStateException"
    assert refused(kms.enable_key_rotation, KeyId=key) == "UnsupportedOperationException"
    for number in (1, 2):
        request = importer.request(materials[number], ImportType="NEW_KEY_MATERIAL")
        ids.append(kms.import_key_material(**request)["KeyMaterialId"])
        assert refused(kms.import_key_material, **request) == "IncorrectKeyMaterialException"
        more = importer.request(secrets.token_bytes(32), ImportType="NEW_KEY_MATERIAL")
        assert refused(kms.import_key_material, **more) == "KMSInvalidStateException"
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == ids[-2]
        kms.rotate_key_on_demand(KeyId=key)
        sealed.append(kms.encrypt(KeyId=key, Plaintext=str(number).encode())["CiphertextBlob"])
    for number, blob in enumerate(sealed):
        opened = kms.decrypt(CiphertextBlob=blob)
        assert (opened["Plaintext"], opened["KeyMaterialId"]) == (str(number).encode(), ids[number])
    assert [entry["KeyMaterialId"] for entry in kms.list_key_rotations(KeyId=key)["Rotations"]] == ids[1:]

    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=ids[1])
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [entry["KeyMaterialId"] for entry in listed] == ids
    assert [entry["KeyMaterialState"] for entry in listed] == ["NON_CURRENT", "NON_CURRENT", "CURRENT"]
    assert [entry["ImportState"] for entry in listed] == ["IMPORTED", "PENDING_IMPORT", "IMPORTED"]
    assert listed[0]["KeyMaterialDescription"] == "the first"
    # One is missing, so the key is of no use until that one is back.
    assert refused(kms.decrypt, CiphertextBlob=sealed[2]) == "KMSInvalidStateException"
    named = importer.request(materials[0], KeyMaterialId=ids[1])
    assert refused(kms.import_key_material, **named) == "IncorrectKeyMaterialException"
    new = importer.request(materials[1], KeyMaterialId=ids[1], ImportType="NEW_KEY_MATERIAL")
    assert refused(kms.import_key_material, **new) == "ValidationException"
    importer.take(materials[1], KeyMaterialId=ids[1], ImportType="EXISTING_KEY_MATERIAL")
    assert kms.decrypt(CiphertextBlob=sealed[1])["Plaintext"] == b"1"


def test_destroyed_material_is_in_no_file(own_server):
    """Not even sealed: whoever gets hold of the root key afterwards finds nothing to open with it."""
    kms = own_server.client("kms")
    key, kept, material = external(kms), external(kms), secrets.token_bytes(32)
    identity = Importer(kms, key).take(material)["KeyMaterialId"]
    Importer(kms, kept).take(material)

    def files() -> bytes:
        return b"".join(path.read_bytes() for path in own_server.data.rglob("*") if path.is_file())

    def row(name: str) -> bytes:
        place = uuid.UUID(name).bytes + bytes([0, 0, 0, 1])
        (path,) = [path for path in own_server.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
            ((value,),) = store.execute("SELECT v FROM material WHERE k = ?", [place]).fetchall()
        return value

    gone, stays = row(key), row(kept)
    assert len(gone) == 87 and gone in files() and stays in files()
    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=identity)
    assert gone not in files() and stays in files()
    assert material not in files()
    own_server.stop()
    assert gone not in files() and gone[40:] not in files()
