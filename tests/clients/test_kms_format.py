"""KMS ciphertexts opened by another implementation: `formats`, some lines of Python after docs/formats/.

`test_kms_import` does the same, and the inverse, under material that it brought.
"""

import json
import sqlite3
import struct
import uuid

import pytest
from cryptography.exceptions import InvalidTag

import formats
from strongroom import ROOT


def test_the_published_vectors():
    vectors = json.loads((ROOT / "crates/seal/tests/vectors/v1.json").read_text())["envelope"]
    labels = {"Kms": 1, "Material": 2, "DomainKey": 3, "Record": 4, "ObjectKey": 5}
    assert {vector["label"] for vector in vectors} == set(labels)
    for vector in vectors:
        master, aad, blob = (bytes.fromhex(vector[name]) for name in ("master", "aad", "blob"))
        assert formats.open_envelope(master, labels[vector["label"]], aad, blob).hex() == vector["plaintext"]
        assert formats.fields(blob).hex() == vector["fields"]
        with pytest.raises(InvalidTag):
            formats.open_envelope(master, labels[vector["label"]], aad + b"x", blob)


def test_a_servers_ciphertext_from_its_files(own_server):
    """The root key file, the store and the ciphertext suffice: root key, domain keys, key material, plaintext."""
    kms = own_server.client("kms", secure=True)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    context = {"purpose": "format", "ä": "b"}
    sealed = []
    for _ in range(2):
        made = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=context)
        sealed.append((made["CiphertextBlob"], made["KeyMaterialId"], made["Plaintext"]))
        kms.rotate_key_on_demand(KeyId=key)
    own_server.stop()

    (root_key_file,) = (own_server.folder / "config").rglob("*root*key*")
    root = root_key_file.read_bytes()
    assert root[:8] == b"SRROOTK\1" and len(root) == 40
    (path,) = [path for path in own_server.data.rglob("*") if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3"]
    store = sqlite3.connect(path)
    rows = store.execute("SELECT k, v FROM domain_key ORDER BY k").fetchall()
    domain_keys = [formats.open_domain_key(root[8:], number, row) for number, (_, row) in enumerate(rows)]
    for blob, material_id, plaintext in sealed:
        place = formats.fields(blob)
        assert uuid.UUID(bytes=place[:16]) == uuid.UUID(key)
        ((row,),) = store.execute("SELECT v FROM material WHERE k = ?", [place]).fetchall()
        material = formats.open_material(domain_keys, place, bytes.fromhex(material_id), row)
        assert formats.open_ciphertext(material, context, blob) == plaintext
        with pytest.raises(InvalidTag):
            formats.open_ciphertext(material, context | {"purpose": "other"}, blob)
    assert [struct.unpack(">I", formats.fields(blob)[16:]) for blob, _, _ in sealed] == [(1,), (2,)]
