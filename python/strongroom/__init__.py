"""Client-side encryption in the formats of AWS: the messages of the AWS Encryption SDK, written and read in native code.

Its shape is that of ``aws-encryption-sdk``; what one writes the other reads.

>>> import os, strongroom
>>> client = strongroom.EncryptionSDKClient()
>>> keyring = strongroom.RawAESKeyring("my company", "key of 2026", os.urandom(32))
>>> message, header = client.encrypt(source=b"attack at dawn", keyring=keyring, encryption_context={"purpose": "example"})
>>> plaintext, header = client.decrypt(source=message, keyring=keyring)
>>> plaintext, header.encryption_context["purpose"]
(b'attack at dawn', 'example')
"""

from . import exceptions
from ._native import (
    CachingCryptoMaterialsManager,
    Keyring,
    KmsDiscoveryKeyring,
    KmsKeyring,
    MultiKeyring,
    RawAESKeyring,
    RawRSAKeyring,
)
from .client import EncryptionSDKClient
from .exceptions import AWSEncryptionSDKClientError
from .header import EncryptedDataKey, MasterKeyInfo, MessageHeader, inspect
from .identifiers import (
    Algorithm,
    AlgorithmSuite,
    CommitmentPolicy,
    ContentType,
    PaddingScheme,
    Release,
    SerializationVersion,
)
from .kms import KmsClient
from .streams import StreamDecryptor, StreamEncryptor

__all__ = [
    "AWSEncryptionSDKClientError",
    "Algorithm",
    "AlgorithmSuite",
    "CachingCryptoMaterialsManager",
    "CommitmentPolicy",
    "ContentType",
    "EncryptedDataKey",
    "EncryptionSDKClient",
    "Keyring",
    "KmsClient",
    "KmsDiscoveryKeyring",
    "KmsKeyring",
    "MasterKeyInfo",
    "MessageHeader",
    "MultiKeyring",
    "PaddingScheme",
    "RawAESKeyring",
    "RawRSAKeyring",
    "Release",
    "SerializationVersion",
    "StreamDecryptor",
    "StreamEncryptor",
    "exceptions",
    "inspect",
]
