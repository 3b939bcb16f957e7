"""KMS ciphertexts and the keys that lead to them, opened by docs/formats/ alone: no code of the server is behind this."""

import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LABELS = {1: b"kms", 2: b"material", 3: b"domain key", 4: b"record", 5: b"object key"}


def kbkdf(key: bytes, label: bytes, context: bytes) -> bytes:
    """SP 800-108r1, section 4.1, counter mode with HMAC-SHA256: the one block of 256 bits that envelopes need."""
    block = struct.pack(">I", 1) + label + b"\0" + context + struct.pack(">I", 256)
    return hmac.digest(key, block, hashlib.sha256)


def fields(blob: bytes) -> bytes:
    """What an envelope says in the clear (envelope.md)."""
    assert blob[:5] == b"SREV\1"
    return blob[7 : 7 + blob[6]]


def open_envelope(master: bytes, label: int, aad: bytes, blob: bytes) -> bytes:
    """envelope.md, version 1."""
    header = 7 + len(fields(blob)) + 16 + 12
    assert blob[5] == label
    key = kbkdf(master, b"strongroom envelope v1: " + LABELS[label], blob[header - 28 : header - 12])
    return AESGCM(key).decrypt(blob[header - 12 : header], blob[header:], blob[:header] + aad)


def canonical(context: dict[str, str]) -> bytes:
    """An encryption context in an aad (envelope.md)."""
    pairs = sorted((name.encode(), value.encode()) for name, value in context.items())
    texts = [struct.pack(">I", len(text)) + text for pair in pairs for text in pair]
    return struct.pack(">I", len(pairs)) + b"".join(texts)


def open_ciphertext(material: bytes, context: dict[str, str], blob: bytes) -> bytes:
    """A `CiphertextBlob` under 32 bytes of key material (key-records.md)."""
    return open_envelope(material, 1, canonical(context), blob)


def seal_ciphertext(material: bytes, named: bytes, context: dict[str, str], plaintext: bytes) -> bytes:
    """A `CiphertextBlob` for the key and material in these fields."""
    derivation, iv = secrets.token_bytes(16), secrets.token_bytes(12)
    header = b"SREV\1\1" + bytes([len(named)]) + named + derivation + iv
    key = kbkdf(material, b"strongroom envelope v1: kms", derivation)
    return header + AESGCM(key).encrypt(iv, plaintext, header + canonical(context))


def open_domain_key(root: bytes, number: int, row: bytes) -> bytes:
    """A row of the table of domain keys, under the 32 bytes of a root key file (key-records.md)."""
    assert row[:4] == b"SRDK"
    version, times = row[4:5], 8 * row[4]  # version 2 adds the time from which on it seals
    wrapped = 5 + times
    if version == b"\2":
        assert row[wrapped] == 1, "wrapped by another provider than a root key file"
        wrapped += 5 + int.from_bytes(row[wrapped + 1 : wrapped + 5], "big")
    aad = row[:5] + struct.pack(">I", number) + row[5 : 5 + times]
    return open_envelope(root, 3, aad, row[wrapped:])


def open_material(domain_keys: list[bytes], place: bytes, material_id: bytes, row: bytes) -> bytes:
    """A row of the table of key material: `place` is its row key (key-records.md)."""
    (number,) = struct.unpack(">I", fields(row))
    kind = b"material"
    aad = bytes([len(kind)]) + kind + b"material\0" + place + material_id
    return open_envelope(domain_keys[number], 2, aad, row)
