"""Tink: envelope encryption and encrypted keysets under a KMS key."""

import secrets

import pytest
import tink
from tink import aead, daead
from tink.integration import awskms

aead.register()
daead.register()


@pytest.fixture
def remote(kms, own_key):
    """The KMS key as Tink sees it: an AEAD whose associated data is an encryption context."""
    uri = "aws-kms://" + own_key
    return awskms.new_client(boto3_client=kms, key_uri=uri).get_aead(uri)


@pytest.mark.parametrize("template", ["AES256_GCM", "XCHACHA20_POLY1305", "AES128_CTR_HMAC_SHA256"])
def test_an_envelope(remote, template):
    envelope = aead.KmsEnvelopeAead(getattr(aead.aead_key_templates, template), remote)
    document = secrets.token_bytes(100_000)
    sealed = envelope.encrypt(document, b"record 7")
    assert envelope.decrypt(sealed, b"record 7") == document
    with pytest.raises(tink.TinkError):
        envelope.decrypt(sealed, b"record 8")


def test_the_key_itself(remote, kms, own_key):
    sealed = remote.encrypt(b"small", b"record 7")
    assert remote.decrypt(sealed, b"record 7") == b"small"
    with pytest.raises(tink.TinkError, match="InvalidCiphertextException"):
        remote.decrypt(sealed, b"")
    kms.disable_key(KeyId=own_key)
    with pytest.raises(tink.TinkError, match="DisabledException"):
        remote.decrypt(sealed, b"record 7")


def test_an_encrypted_keyset(remote):
    keyset = tink.new_keyset_handle(daead.deterministic_aead_key_templates.AES256_SIV)
    sealed = tink.proto_keyset_format.serialize_encrypted(keyset, remote, b"keyset")
    opened = tink.proto_keyset_format.parse_encrypted(sealed, remote, b"keyset")
    ciphertext = keyset.primitive(daead.DeterministicAead).encrypt_deterministically(b"hello", b"")
    assert opened.primitive(daead.DeterministicAead).decrypt_deterministically(ciphertext, b"") == b"hello"
