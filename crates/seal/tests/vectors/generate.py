#!/usr/bin/env python3
"""Makes v1.json and the .bin files beside it, from the documents in docs/formats alone, with pyca/cryptography.

It is a second implementation of every format: that the crate gives the same bytes is what the tests compare.
The files of a released version are never made anew; a new version gets a new file.
"""

import hashlib
import json
import pathlib

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFHMAC, CounterLocation, Mode

HERE = pathlib.Path(__file__).parent
LABELS = {
    "Kms": (1, b"strongroom envelope v1: kms"),
    "Material": (2, b"strongroom envelope v1: material"),
    "DomainKey": (3, b"strongroom envelope v1: domain key"),
    "Record": (4, b"strongroom envelope v1: record"),
    "ObjectKey": (5, b"strongroom envelope v1: object key"),
}
SEGMENT = 65536


def fixed(name, length):
    """Bytes that look random and are always the same."""
    return hashlib.shake_256(name.encode()).digest(length)


def hkdf(secret, salt, info, length):
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)


def kbkdf(key, label, context, length):
    return KBKDFHMAC(
        algorithm=SHA256(), mode=Mode.CounterMode, length=length, rlen=4, llen=4,
        location=CounterLocation.BeforeFixed, label=label, context=context, fixed=None,
    ).derive(key)


def envelope(master, label, fields, aad, derivation, iv, plaintext):
    code, text = LABELS[label]
    header = b"SREV" + bytes([1, code, len(fields)]) + fields + derivation + iv
    key = kbkdf(master, text, derivation, 32)
    return header + AESGCM(key).encrypt(iv, plaintext, header + aad)


def binding(b):
    return b["bucket_id"] + b["version"] + b["data_id"] + bytes([b["mode"], b["layer"]]) + b["key"]


def plaintext(length):
    return bytes((i * 7 + i // 256) % 256 for i in range(length))


def part_key(object_key, salt, part, blob):
    info = b"strongroom object stream v1" + part.to_bytes(2, "big") + blob
    output = hkdf(object_key, salt, info, 64)
    return output[:32], output[32:]


def stream(keys, part, blob, text):
    segments = [text[i:i + SEGMENT] for i in range(0, len(text), SEGMENT)] or [b""]
    sealed = b""
    for index, segment in enumerate(segments):
        nonce = index.to_bytes(11, "big") + bytes([index == len(segments) - 1])
        for position, key in enumerate(keys):
            layer = 0 if len(keys) == 1 else 1 + position
            aad = b"SRST" + bytes([1, layer]) + part.to_bytes(2, "big") + blob
            segment = AESGCM(key).encrypt(nonce, segment, aad)
        sealed += segment
    return sealed


def envelopes():
    for number, (label, fields, aad, length) in enumerate([
        ("Kms", b"key and material", b"context", 32), ("Kms", b"", b"", 0), ("Material", b"\0" * 255, b"aad", 240),
        ("DomainKey", b"d", b"", 32), ("Record", b"record", b"table and row", 1000), ("ObjectKey", b"\1", b"object", 32),
    ]):
        case = dict(
            master=fixed(f"master {number}", 32), fields=fields, aad=aad, derivation=fixed(f"derivation {number}", 16),
            iv=fixed(f"iv {number}", 12), plaintext=plaintext(length),
        )
        yield dict(case, label=label, blob=envelope(label=label, **case))


def bindings():
    for number, (key, mode, layer) in enumerate([(b"a/b/c.txt", 1, 0), ("ключ/é".encode(), 3, 1), (b"k" * 1024, 3, 2)]):
        yield number, dict(
            bucket_id=fixed(f"bucket {number}", 16), version=fixed(f"version {number}", 16),
            data_id=fixed(f"data {number}", 16), mode=mode, layer=layer, key=key,
        )


def sealed_keys():
    for number, bound in bindings():
        kek, object_key = fixed(f"kek {number}", 32), fixed(f"object key {number}", 32)
        derivation, iv = fixed(f"key derivation {number}", 16), fixed(f"key iv {number}", 12)
        sealed = envelope(kek, "ObjectKey", b"\1", binding(bound), derivation, iv, object_key)
        yield dict(bound, kek=kek, object_key=object_key, derivation=derivation, iv=iv, sealed=sealed)


def customers():
    for number, bound in bindings():
        key, salt = fixed(f"customer {number}", 32), fixed(f"customer salt {number}", 32)
        value = hkdf(key, salt, b"strongroom customer check v1", 32)
        kek = hkdf(key, salt, b"strongroom customer kek v1" + binding(bound), 32)
        yield dict(bound, customer_key=key, salt=salt, check=b"SRCC\1" + salt + value, kek=kek)


def streams():
    for layers in (1, 2):
        for length in (0, 1, 100, SEGMENT + 1):
            part, blob = 1 + length % 10000, fixed(f"blob {length}", 16)
            object_keys = [fixed(f"stream key {length} {layer}", 32) for layer in range(layers)]
            salts = [fixed(f"stream salt {length} {layer}", 32) for layer in range(layers)]
            derived = [part_key(key, salt, part, blob) for key, salt in zip(object_keys, salts)]
            sealed = stream([key for key, _ in derived], part, blob, plaintext(length))
            case = dict(part=part, blob=blob, object_keys=object_keys, salts=salts,
                        commitments=[commitment for _, commitment in derived], plaintext_len=length)
            if length > 1000:
                name = f"stream-v1-{layers}-{length}.bin"
                (HERE / name).write_bytes(sealed)
                yield dict(case, file=name)
            else:
                yield dict(case, sealed=sealed)


def kbkdfs():
    for number, (label, context, length) in enumerate([(b"label", b"context", 32), (b"", b"", 16), (b"l", b"c" * 100, 100)]):
        key = fixed(f"kbkdf {number}", 32)
        yield dict(key=key, label=label, context=context, output=kbkdf(key, label, context, length))


class Hex(json.JSONEncoder):
    def default(self, value):
        return value.hex()


vectors = dict(kbkdf=list(kbkdfs()), envelope=list(envelopes()), sealed_key=list(sealed_keys()), customer=list(customers()), stream=list(streams()))
(HERE / "v1.json").write_text(json.dumps(vectors, cls=Hex, indent=1) + "\n")
