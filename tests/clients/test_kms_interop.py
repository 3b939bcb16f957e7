"""What KMS makes with keys of every spec, other implementations verify and open, and the other way round.

The others are OpenSSL 4 (in `cryptography`), Python's own `hmac`, PyCryptodome for Ed25519ph and kyber-py for ML-KEM-512.
"""

import hashlib
import subprocess

import pytest
from Crypto.Hash import SHA512
from Crypto.PublicKey import ECC
from Crypto.Signature import eddsa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key, load_der_public_key
from kyber_py.ml_kem import ML_KEM_512

from refusals import refused

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {
    "ECC_NIST_P256": ec.SECP256R1,
    "ECC_NIST_P384": ec.SECP384R1,
    "ECC_NIST_P521": ec.SECP521R1,
    "ECC_SECG_P256K1": ec.SECP256K1,
}
RSA = {"RSA_2048": 2048, "RSA_3072": 3072, "RSA_4096": 4096}
RSA_ALGORITHMS = [f"RSASSA_{padding}_SHA_{length}" for padding in ("PSS", "PKCS1_V1_5") for length in HASHES]
ECDSA = {"ECC_NIST_P256": "256", "ECC_NIST_P384": "384", "ECC_NIST_P521": "512", "ECC_SECG_P256K1": "256"}
ML_DSA = {"ML_DSA_44": mldsa.MLDSA44PublicKey, "ML_DSA_65": mldsa.MLDSA65PublicKey, "ML_DSA_87": mldsa.MLDSA87PublicKey}
ML_KEM = {"ML_KEM_512": (800, 768), "ML_KEM_768": (1184, 1088), "ML_KEM_1024": (1568, 1568)}
MESSAGES = [b"m", b"a message", bytes(4096)]


@pytest.fixture(scope="module")
def key(kms):
    """A key of a spec and usage, made when it is first asked for."""
    made: dict[tuple[str, str], str] = {}

    def key(spec: str, usage: str) -> str:
        if (spec, usage) not in made:
            made[spec, usage] = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        return made[spec, usage]

    return key


@pytest.fixture(scope="module")
def public_key(kms):
    return lambda name: load_der_public_key(kms.get_public_key(KeyId=name)["PublicKey"])


def digest_of(message: bytes, length: str) -> bytes:
    return hashlib.new("sha" + length, message).digest()


def verifies(kms, name: str, algorithm: str, message: bytes, signature: bytes, message_type: str = "RAW") -> bool:
    """Whether KMS takes the signature, which it refuses for another message."""
    request = {"KeyId": name, "SigningAlgorithm": algorithm, "MessageType": message_type, "Signature": signature}
    other = bytes([message[0] ^ 1]) + message[1:]
    assert refused(kms.verify, **request, Message=other) == "KMSInvalidSignatureException"
    return kms.verify(**request, Message=message)["SignatureValid"]


def rsa_padding(algorithm: str):
    chosen = HASHES[algorithm[-3:]]
    if "PSS" in algorithm:
        return padding.PSS(mgf=padding.MGF1(chosen), salt_length=padding.PSS.DIGEST_LENGTH)
    return padding.PKCS1v15()


@pytest.mark.parametrize("algorithm", RSA_ALGORITHMS)
@pytest.mark.parametrize("spec", RSA)
def test_rsa_signatures(kms, key, public_key, spec, algorithm):
    name, length = key(spec, "SIGN_VERIFY"), algorithm[-3:]
    public = public_key(name)
    assert isinstance(public, rsa.RSAPublicKey) and public.key_size == RSA[spec] and public.public_numbers().e == 65537
    for message in MESSAGES:
        signature = kms.sign(KeyId=name, Message=message, SigningAlgorithm=algorithm)["Signature"]
        public.verify(signature, message, rsa_padding(algorithm), HASHES[length])
        digest = digest_of(message, length)
        assert verifies(kms, name, algorithm, digest, signature, "DIGEST")
        signature = kms.sign(KeyId=name, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)["Signature"]
        public.verify(signature, digest, rsa_padding(algorithm), utils.Prehashed(HASHES[length]))
        assert verifies(kms, name, algorithm, message, signature)


@pytest.mark.parametrize("spec", ECDSA)
def test_ecdsa_signatures(kms, key, public_key, spec):
    name, length = key(spec, "SIGN_VERIFY"), ECDSA[spec]
    public, algorithm = public_key(name), f"ECDSA_SHA_{length}"
    assert isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, CURVES[spec])
    for message in MESSAGES:
        signature = kms.sign(KeyId=name, Message=message, SigningAlgorithm=algorithm)["Signature"]
        public.verify(signature, message, ec.ECDSA(HASHES[length]))
        digest = digest_of(message, length)
        assert verifies(kms, name, algorithm, digest, signature, "DIGEST")
        signature = kms.sign(KeyId=name, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)["Signature"]
        public.verify(signature, digest, ec.ECDSA(utils.Prehashed(HASHES[length])))
        assert verifies(kms, name, algorithm, message, signature)


def test_ed25519_signatures(kms, key, public_key):
    name = key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY")
    public = public_key(name)
    assert isinstance(public, ed25519.Ed25519PublicKey)
    for message in MESSAGES:
        signature = kms.sign(KeyId=name, Message=message, SigningAlgorithm="ED25519_SHA_512")["Signature"]
        public.verify(signature, message)
        assert verifies(kms, name, "ED25519_SHA_512", message, signature)
        with pytest.raises(InvalidSignature):
            public.verify(signature, message + b"x")


def test_ed25519ph_signatures(kms, key):
    """Of the digest that is sent, Ed25519ph takes the digest once more (RFC 8032, section 5.1)."""
    name, algorithm = key("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"), "ED25519_PH_SHA_512"
    verifier = eddsa.new(ECC.import_key(kms.get_public_key(KeyId=name)["PublicKey"]), "rfc8032")
    for message in MESSAGES:
        digest = hashlib.sha512(message).digest()
        signature = kms.sign(KeyId=name, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)["Signature"]
        verifier.verify(SHA512.new(digest), signature)
        assert verifies(kms, name, algorithm, digest, signature, "DIGEST")


@pytest.mark.parametrize("spec", ML_DSA)
def test_ml_dsa_signatures(kms, key, public_key, spec):
    """FIPS 204, without a context. μ is made here (algorithm 7, line 6) from the public key."""
    name, algorithm = key(spec, "SIGN_VERIFY"), "ML_DSA_SHAKE_256"
    public = public_key(name)
    assert isinstance(public, ML_DSA[spec])
    for message in MESSAGES:
        signature = kms.sign(KeyId=name, Message=message, SigningAlgorithm=algorithm)["Signature"]
        public.verify(signature, message)
        tr = hashlib.shake_256(public.public_bytes_raw()).digest(64)
        mu = hashlib.shake_256(tr + b"\0\0" + message).digest(64)
        assert verifies(kms, name, algorithm, mu, signature, "EXTERNAL_MU")
        signature = kms.sign(KeyId=name, Message=mu, MessageType="EXTERNAL_MU", SigningAlgorithm=algorithm)["Signature"]
        public.verify(signature, message)
        assert verifies(kms, name, algorithm, message, signature)


OPENSSL = {
    ("RSA_2048", "RSASSA_PSS_SHA_256"): ["dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss"],
    ("RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512"): ["dgst", "-sha512"],
    ("ECC_NIST_P256", "ECDSA_SHA_256"): ["dgst", "-sha256"],
    ("ECC_NIST_P384", "ECDSA_SHA_384"): ["dgst", "-sha384"],
    ("ECC_NIST_P521", "ECDSA_SHA_512"): ["dgst", "-sha512"],
    ("ECC_SECG_P256K1", "ECDSA_SHA_256"): ["dgst", "-sha256"],
    ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"): ["pkeyutl", "-rawin"],
}


@pytest.mark.parametrize(("spec", "algorithm"), OPENSSL)
def test_signatures_in_files(kms, key, tmp_path, spec, algorithm):
    """The command line of OpenSSL, as AWS's developer guide verifies signatures outside of KMS."""
    name = key(spec, "SIGN_VERIFY")
    public, message, signature = (tmp_path / file for file in ("public", "message", "signature"))
    public.write_bytes(kms.get_public_key(KeyId=name)["PublicKey"])
    message.write_bytes(b"a message")
    signature.write_bytes(kms.sign(KeyId=name, Message=b"a message", SigningAlgorithm=algorithm)["Signature"])
    command, *options = OPENSSL[spec, algorithm]
    if command == "dgst":
        arguments = [*options, "-keyform", "DER", "-verify", public, "-signature", signature, message]
    else:
        inputs = ["-keyform", "DER", "-pubin", "-inkey", public, "-sigfile", signature, "-in", message]
        arguments = ["-verify", *options, *inputs]

    def verify() -> int:
        return subprocess.run(["openssl", command, *arguments], capture_output=True, timeout=60, check=False).returncode

    assert verify() == 0
    message.write_bytes(b"another message")
    assert verify() != 0


@pytest.mark.parametrize("length", ["1", "256"])
@pytest.mark.parametrize("spec", RSA)
def test_oaep_ciphertexts_from_outside(kms, key, public_key, spec, length):
    name = key(spec, "ENCRYPT_DECRYPT")
    chosen = hashes.SHA1() if length == "1" else hashes.SHA256()
    longest = RSA[spec] // 8 - 2 * chosen.digest_size - 2
    public, algorithm = public_key(name), f"RSAES_OAEP_SHA_{length}"
    for plaintext in (b"x", bytes(longest)):
        sealed = public.encrypt(plaintext, padding.OAEP(padding.MGF1(chosen), chosen, None))
        opened = kms.decrypt(KeyId=name, CiphertextBlob=sealed, EncryptionAlgorithm=algorithm)
        assert (opened["Plaintext"], opened["EncryptionAlgorithm"]) == (plaintext, algorithm)
    sealed = kms.encrypt(KeyId=name, Plaintext=b"both ways", EncryptionAlgorithm=algorithm)["CiphertextBlob"]
    assert kms.decrypt(KeyId=name, CiphertextBlob=sealed, EncryptionAlgorithm=algorithm)["Plaintext"] == b"both ways"


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"])
def test_ecdh_secrets(kms, key, public_key, spec):
    name = key(spec, "KEY_AGREEMENT")
    for _ in range(5):
        ours = ec.generate_private_key(CURVES[spec]())
        peer = ours.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        derived = kms.derive_shared_secret(KeyId=name, KeyAgreementAlgorithm="ECDH", PublicKey=peer)
        assert derived["SharedSecret"] == ours.exchange(ec.ECDH(), public_key(name))


def encapsulate(spec: str, public: bytes) -> tuple[bytes, bytes]:
    """A secret and its encapsulation by another implementation, for a SubjectPublicKeyInfo."""
    if spec == "ML_KEM_512":
        return ML_KEM_512.encaps(public[-ML_KEM[spec][0] :])
    return load_der_public_key(public).encapsulate()


@pytest.mark.parametrize("spec", ML_KEM)
def test_ml_kem_encapsulations(kms, key, spec):
    name = key(spec, "ENCAPSULATE_DECAPSULATE")
    public = kms.get_public_key(KeyId=name)["PublicKey"]
    # id-alg-ml-kem-512, -768 and -1024 (RFC 9935) are 2.16.840.1.101.3.4.4.1, .2 and .3.
    assert bytes.fromhex("06096086480165030404") + bytes([1 + list(ML_KEM).index(spec)]) in public[:24]
    for _ in range(3):
        secret, encapsulated = encapsulate(spec, public)
        opened = kms.decapsulate(KeyId=name, SharedSecretCiphertextBlob=encapsulated, EncapsulationAlgorithm="ML_KEM")
        assert opened["SharedSecret"] == secret
    made = kms.encapsulate(KeyId=name, EncapsulationAlgorithm="ML_KEM")
    sealed = made["SharedSecretCiphertextBlob"]
    assert (len(made["SharedSecret"]), len(sealed)) == (32, ML_KEM[spec][1])
    opened = kms.decapsulate(KeyId=name, SharedSecretCiphertextBlob=sealed, EncapsulationAlgorithm="ML_KEM")
    assert opened["SharedSecret"] == made["SharedSecret"]


@pytest.mark.parametrize("length", ["224", "256", "384", "512"])
def test_macs(kms, key, length):
    name, algorithm = key(f"HMAC_{length}", "GENERATE_VERIFY_MAC"), f"HMAC_SHA_{length}"
    for message in MESSAGES:
        mac = kms.generate_mac(KeyId=name, Message=message, MacAlgorithm=algorithm)["Mac"]
        assert len(mac) == int(length) // 8
        request = {"KeyId": name, "MacAlgorithm": algorithm, "Mac": mac}
        assert kms.verify_mac(**request, Message=message)["MacValid"]
        assert refused(kms.verify_mac, **request, Message=b"another") == "KMSInvalidMacException"


@pytest.mark.parametrize("spec", [*RSA, *CURVES, "ECC_NIST_EDWARDS25519", *ML_KEM])
def test_data_key_pairs(kms, key_arn, spec):
    context = {"for": spec}
    made = kms.generate_data_key_pair(KeyId=key_arn, KeyPairSpec=spec, EncryptionContext=context)
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"], EncryptionContext=context)["Plaintext"]
    assert opened == made["PrivateKeyPlaintext"]
    public = made["PublicKey"]
    if spec == "ML_KEM_512":
        # RFC 9935: the PKCS#8 ends with the seed, 64 bytes.
        derived, decapsulating = ML_KEM_512.key_derive(opened[-64:])
        assert public.endswith(derived)
        secret, encapsulated = encapsulate(spec, public)
        assert ML_KEM_512.decaps(decapsulating, encapsulated) == secret
    else:
        private = load_der_private_key(opened, None)
        assert private.public_key() == load_der_public_key(public)
        assert private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == public
        if spec in ML_KEM:
            secret, encapsulated = encapsulate(spec, public)
            assert private.decapsulate(encapsulated) == secret
    hidden = kms.generate_data_key_pair_without_plaintext(KeyId=key_arn, KeyPairSpec=spec, EncryptionContext=context)
    assert "PrivateKeyPlaintext" not in hidden
    opened = kms.decrypt(CiphertextBlob=hidden["PrivateKeyCiphertextBlob"], EncryptionContext=context)["Plaintext"]
    if spec != "ML_KEM_512":
        assert load_der_private_key(opened, None).public_key() == load_der_public_key(hidden["PublicKey"])
