"""RSA key pairs in the forms in which programs keep them."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def pair(form: str = "PEM", bits: int = 2048) -> tuple[bytes, bytes]:
    """A new public key (SPKI) and its private key (PKCS #8), as PEM or DER."""
    private, encoding = rsa.generate_private_key(65537, bits), getattr(Encoding, form)
    return (
        private.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo),
        private.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption()),
    )
