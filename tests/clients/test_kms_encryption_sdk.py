"""The AWS Encryption SDK for Python: keyrings, master key providers, a cache, streams."""

import io
import secrets

import aws_encryption_sdk
import botocore.session
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.errors import AwsCryptographicMaterialProvidersException
from aws_cryptographic_material_providers.mpl.models import (
    CreateAwsKmsEcdhKeyringInput,
    CreateAwsKmsKeyringInput,
    CreateAwsKmsMultiKeyringInput,
    CreateAwsKmsRsaKeyringInput,
    KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey,
    KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery,
    KmsPrivateKeyToStaticPublicKeyInput,
    KmsPublicKeyDiscoveryInput,
)
from aws_cryptographic_material_providers.mpl.references import IClientSupplier
from aws_encryption_sdk.exceptions import AWSEncryptionSDKClientError
from aws_encryption_sdk.identifiers import AlgorithmSuite, CommitmentPolicy
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

CONTEXT = {"tenant": "blue", "purpose": "invoices"}


@pytest.fixture
def sdk():
    return aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)


@pytest.fixture(scope="module")
def providers():
    return AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())


@pytest.fixture
def session(server, monkeypatch):
    """A botocore session that is set up by the environment alone, and the KMS operations that its clients called."""
    for name, value in server.environment_of_clients().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    session = botocore.session.Session()
    session.called = []
    session.get_component("event_emitter").register(
        "before-call.kms", lambda model, **_: session.called.append(model.name)
    )
    return session


class Always(IClientSupplier):
    """One KMS client for every Region."""

    def __init__(self, client):
        self.client = client

    def get_client(self, param):
        return self.client


def test_a_keyring(sdk, providers, server, kms, own_key):
    answers = []  # of KMS; the SDK hides them behind an error of its own
    client = server.client("kms", secure=True)
    client.meta.events.register("after-call.kms", lambda parsed, **_: answers.append(parsed.get("Error", {}).get("Code")))
    keyring = providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=own_key, kms_client=client))
    document = secrets.token_bytes(100_000)
    sealed, header = sdk.encrypt(source=document, keyring=keyring, encryption_context=CONTEXT)
    assert document[:32] not in sealed and [key.key_provider.key_info.decode() for key in header.encrypted_data_keys] == [own_key]
    opened, header = sdk.decrypt(source=sealed, keyring=keyring, encryption_context=CONTEXT)
    assert opened == document and CONTEXT.items() <= header.encryption_context.items()

    with pytest.raises((AWSEncryptionSDKClientError, AwsCryptographicMaterialProvidersException)):
        sdk.decrypt(source=sealed, keyring=keyring, encryption_context=CONTEXT | {"tenant": "red"})

    def refused(message: bytes) -> str:
        with pytest.raises(AWSEncryptionSDKClientError):
            sdk.decrypt(source=message, keyring=keyring)
        return answers[-1]

    # The context travels in the message's header; KMS holds the data key to it.
    assert refused(sealed.replace(b"invoices", b"salaries")) == "InvalidCiphertextException"
    kms.disable_key(KeyId=own_key)
    assert refused(sealed) == "DisabledException"
    kms.enable_key(KeyId=own_key)
    assert sdk.decrypt(source=sealed, keyring=keyring)[0] == document


def test_a_keyring_of_two_keys(sdk, providers, kms, key_arn, own_key):
    both = providers.create_aws_kms_multi_keyring(
        CreateAwsKmsMultiKeyringInput(generator=key_arn, kms_key_ids=[own_key], client_supplier=Always(kms))
    )
    sealed, _ = sdk.encrypt(source=b"for either", keyring=both)
    for arn in (key_arn, own_key):
        one = providers.create_aws_kms_keyring(CreateAwsKmsKeyringInput(kms_key_id=arn, kms_client=kms))
        assert sdk.decrypt(source=sealed, keyring=one)[0] == b"for either"


def test_a_master_key_provider(sdk, session, kms, own_key):
    provider = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[own_key], botocore_session=session)
    document = secrets.token_bytes(300_000)
    with sdk.stream(mode="e", source=io.BytesIO(document), key_provider=provider, encryption_context=CONTEXT) as stream:
        sealed = stream.read()
    with sdk.stream(mode="d", source=io.BytesIO(sealed), key_provider=provider) as stream:
        assert stream.read() == document and CONTEXT.items() <= stream.header.encryption_context.items()
    assert session.called == ["GenerateDataKey", "Decrypt"]

    with pytest.raises(AWSEncryptionSDKClientError):
        sdk.decrypt(source=sealed.replace(b"invoices", b"salaries"), key_provider=provider)
    kms.disable_key(KeyId=own_key)
    with pytest.raises(AWSEncryptionSDKClientError):
        sdk.decrypt(source=sealed, key_provider=provider)
    with pytest.raises((ClientError, AWSEncryptionSDKClientError)):
        sdk.encrypt(source=document, key_provider=provider)


def test_a_cache_of_data_keys(sdk, session, key_arn):
    provider = aws_encryption_sdk.StrictAwsKmsMasterKeyProvider(key_ids=[key_arn], botocore_session=session)
    cached = aws_encryption_sdk.CachingCryptoMaterialsManager(
        master_key_provider=provider,
        cache=aws_encryption_sdk.LocalCryptoMaterialsCache(capacity=10),
        max_age=60.0,
        max_messages_encrypted=3,
    )
    documents = [b"document %d" % number for number in range(6)]
    sealed = [sdk.encrypt(source=document, materials_manager=cached, encryption_context=CONTEXT)[0] for document in documents]
    assert session.called == ["GenerateDataKey"] * 2
    assert [sdk.decrypt(source=message, materials_manager=cached)[0] for message in sealed] == documents
    assert session.called == ["GenerateDataKey"] * 2 + ["Decrypt"] * 2


def test_a_keyring_of_an_rsa_key(sdk, providers, kms):
    """Encrypts with the public key alone, without a call; decrypts in KMS."""
    name = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    public = load_der_public_key(kms.get_public_key(KeyId=name)["PublicKey"])
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    keyring = providers.create_aws_kms_rsa_keyring(
        CreateAwsKmsRsaKeyringInput(
            public_key=pem, kms_key_id=name, encryption_algorithm="RSAES_OAEP_SHA_256", kms_client=kms
        )
    )
    unsigned = AlgorithmSuite.AES_256_GCM_HKDF_SHA512_COMMIT_KEY
    sealed, _ = sdk.encrypt(source=b"hello", keyring=keyring, encryption_context=CONTEXT, algorithm=unsigned)
    assert sdk.decrypt(source=sealed, keyring=keyring, encryption_context=CONTEXT)[0] == b"hello"


def test_a_keyring_of_two_agreeing_keys(sdk, providers, kms):
    """ECDH: the sender's key in KMS and the recipient's public key, then the recipient's key in KMS."""
    sender, recipient = (
        kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")["KeyMetadata"]["Arn"] for _ in range(2)
    )

    def keyring(scheme):
        curve = "ECC_NIST_P256"
        return providers.create_aws_kms_ecdh_keyring(
            CreateAwsKmsEcdhKeyringInput(kms_client=kms, curve_spec=curve, key_agreement_scheme=scheme)
        )

    to_recipient = KmsEcdhStaticConfigurationsKmsPrivateKeyToStaticPublicKey(
        KmsPrivateKeyToStaticPublicKeyInput(
            sender_kms_identifier=sender, recipient_public_key=kms.get_public_key(KeyId=recipient)["PublicKey"]
        )
    )
    sealed, _ = sdk.encrypt(source=b"hello", keyring=keyring(to_recipient), encryption_context=CONTEXT)
    at_recipient = KmsEcdhStaticConfigurationsKmsPublicKeyDiscovery(KmsPublicKeyDiscoveryInput(recipient_kms_identifier=recipient))
    assert sdk.decrypt(source=sealed, keyring=keyring(at_recipient), encryption_context=CONTEXT)[0] == b"hello"
