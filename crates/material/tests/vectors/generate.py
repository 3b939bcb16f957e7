#!/usr/bin/env python3
"""Makes v1.json with the OpenSSL command line: for each spec with a PKCS#8 form a private key, its public key, signatures,
ciphertexts and shared secrets.

It is the second opinion: that the crate loads these keys, gives out the same bytes and agrees with what OpenSSL made of them
is what tests/vectors.rs compares. The private keys are also the stored form of version 1, so the file is never made anew;
a new form gets a new file.
"""

import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
MESSAGE = b"a message that is signed, and encrypted"
HASHES = {"256": "sha256", "384": "sha384", "512": "sha512"}
RSA = {
    f"RSASSA_{padding}_SHA_{size}": (name, *options)
    for padding, options in [
        ("PKCS1_V1_5", ["-sigopt", "rsa_padding_mode:pkcs1"]),
        ("PSS", ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]),
    ]
    for size, name in HASHES.items()
}
SPECS = {
    **{f"RSA_{bits}": (["RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}"], RSA) for bits in (2048, 3072, 4096)},
    **{
        spec: (["EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-pkeyopt", "ec_param_enc:named_curve"],
               {f"ECDSA_SHA_{size}": (HASHES[size],)})
        for spec, curve, size in [
            ("ECC_NIST_P256", "P-256", "256"), ("ECC_NIST_P384", "P-384", "384"), ("ECC_NIST_P521", "P-521", "512"),
            ("ECC_SECG_P256K1", "secp256k1", "256"),
        ]
    },
    "ECC_NIST_EDWARDS25519": (["ED25519"], {"ED25519_SHA_512": None}),
}


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def key_pair(directory, name, algorithm):
    path = directory / name
    path.write_bytes(openssl("genpkey", "-algorithm", *algorithm))
    private = openssl("pkcs8", "-topk8", "-nocrypt", "-in", path, "-outform", "DER")
    public = openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
    (directory / f"{name}.pub").write_bytes(openssl("pkey", "-in", path, "-pubout"))
    return path, private, public


def sign(directory, path, how):
    if how is None:
        message = directory / "message"
        message.write_bytes(MESSAGE)
        return openssl("pkeyutl", "-sign", "-inkey", path, "-rawin", "-in", message)
    return openssl("dgst", f"-{how[0]}", "-sign", path, *how[1:], data=MESSAGE)


def encrypt(path, size, name):
    options = ["rsa_padding_mode:oaep", f"rsa_oaep_md:{name}", f"rsa_mgf1_md:{name}"]
    return openssl("pkeyutl", "-encrypt", "-inkey", path, *(part for option in options for part in ("-pkeyopt", option)), data=MESSAGE)


def main():
    cases = []
    with tempfile.TemporaryDirectory() as temporary:
        directory = pathlib.Path(temporary)
        for spec, (algorithm, signing) in SPECS.items():
            path, private, public = key_pair(directory, spec, algorithm)
            case = {"spec": spec, "private": private.hex(), "public": public.hex()}
            case["signatures"] = {name: sign(directory, path, how).hex() for name, how in signing.items()}
            if spec.startswith("RSA"):
                case["ciphertexts"] = {f"RSAES_OAEP_SHA_{size}": encrypt(path, size, f"sha{size}").hex() for size in ("1", "256")}
            if spec.startswith("ECC_NIST_P"):
                peer, _, peer_public = key_pair(directory, f"{spec}-peer", algorithm)
                case["peer"] = peer_public.hex()
                case["shared"] = openssl("pkeyutl", "-derive", "-inkey", path, "-peerkey", f"{peer}.pub").hex()
            cases.append(case)
    (HERE / "v1.json").write_text(json.dumps({"message": MESSAGE.hex(), "cases": cases}, indent=1) + "\n")


if __name__ == "__main__":
    main()
