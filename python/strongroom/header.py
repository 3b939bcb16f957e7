"""What a message says of itself."""

from dataclasses import dataclass
from typing import Any, Dict, Tuple, Union

from . import _native
from .identifiers import AlgorithmSuite, ContentType, SerializationVersion


@dataclass(frozen=True)
class MasterKeyInfo:
    """Which key wrapped a data key."""

    #: ``aws-kms``, or the name space of a key of your own.
    provider_id: str
    #: An ARN; or a key's name, and what its cipher needs.
    key_info: bytes


@dataclass(frozen=True)
class EncryptedDataKey:
    """A data key as a wrapping key encrypted it."""

    key_provider: MasterKeyInfo
    encrypted_data_key: bytes


@dataclass(frozen=True)
class MessageHeader:
    """The header of a message.

    ``encrypt`` gives it as it was written, ``decrypt`` as it was verified, with what the caller supplied in its ``encryption_context``.
    """

    version: SerializationVersion
    algorithm: AlgorithmSuite
    message_id: bytes
    encryption_context: Dict[str, str]
    encrypted_data_keys: Tuple[EncryptedDataKey, ...]
    content_type: ContentType
    #: Bytes of plaintext in a frame; 0 where there are none.
    frame_length: int


def _header(fields: "tuple[Any, ...]") -> MessageHeader:
    suite, message_id, context, keys, frame_length = fields
    algorithm = AlgorithmSuite(suite)
    return MessageHeader(
        SerializationVersion.V2 if algorithm.is_committing() else SerializationVersion.V1,
        algorithm,
        message_id,
        context,
        tuple(EncryptedDataKey(MasterKeyInfo(provider, info), wrapped) for provider, info, wrapped in keys),
        ContentType.FRAMED_DATA if frame_length else ContentType.NO_FRAMING,
        frame_length,
    )


def inspect(source: Union[bytes, bytearray, memoryview]) -> MessageHeader:
    """The header of a message, read without a key. **Unverified**: anybody may have written it.

    >>> import os, strongroom
    >>> keyring = strongroom.RawAESKeyring("my company", "key of 2026", os.urandom(32))
    >>> message, _ = strongroom.EncryptionSDKClient().encrypt(source=b"text", keyring=keyring)
    >>> strongroom.inspect(message).encrypted_data_keys[0].key_provider.provider_id
    'my company'
    """
    return _header(_native.inspect(bytes(source)))
