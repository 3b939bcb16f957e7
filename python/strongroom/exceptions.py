"""What can go wrong. The names are those of ``aws_encryption_sdk.exceptions``, with more precise ones beneath them.

::

    AWSEncryptionSDKClientError
    ├── SerializationError                 the input is not what was written
    │   ├── TruncatedMessageError          it ends too early
    │   ├── AuthenticationError            a tag is wrong: it was changed, or is of another key or context
    │   │   └── SignatureError             its signature is wrong
    │   └── CustomMaximumValueExceeded     longer than a limit of yours
    │       └── MaxEncryptedDataKeysExceeded
    ├── NotSupportedError                  not a message of the Encryption SDK
    ├── UnknownIdentityError               an unknown algorithm suite
    ├── ActionNotAllowedError              the commitment policy, the mode or the keyring does not allow it
    ├── EncryptionContextError             the context lacks a name, has another value, or a name that is reserved
    ├── MasterKeyProviderError
    │   └── KeyCommitmentError             the data key is not the one that was committed to
    ├── GenerateKeyError                   no data key was made
    ├── EncryptKeyError                    a data key was not wrapped
    ├── DecryptKeyError                    no key opens any of the wrapped data keys
    ├── InvalidDataKeyError                a data key of a wrong length
    ├── InvalidKeyIdError                  a key's name or name space is not allowed
    └── MalformedArnError                  not the ARN of a KMS key

What a KMS client raised is the ``__cause__``. What a file raises comes as it is. Arguments that make no sense are a ``ValueError`` or a
``TypeError``. No message has key material or plaintext in it.
"""


class AWSEncryptionSDKClientError(Exception):
    """Everything below."""


class SerializationError(AWSEncryptionSDKClientError):
    """The input is not what was written."""


class TruncatedMessageError(SerializationError):
    """The input ends where more has to come."""


class AuthenticationError(SerializationError):
    """A tag is wrong: the input was changed, or belongs to another key or context."""


class SignatureError(AuthenticationError):
    """The signature is wrong."""


class CustomMaximumValueExceeded(SerializationError):
    """Longer than a limit of the caller's."""


class MaxEncryptedDataKeysExceeded(CustomMaximumValueExceeded):
    """More wrapped data keys than ``max_encrypted_data_keys``."""


class NotSupportedError(AWSEncryptionSDKClientError):
    """Not a message of the Encryption SDK, or not of a version that is known."""


class UnknownIdentityError(AWSEncryptionSDKClientError):
    """An algorithm suite that no specification names."""


class ActionNotAllowedError(AWSEncryptionSDKClientError):
    """The commitment policy, the mode or the keyring does not allow it."""


class EncryptionContextError(AWSEncryptionSDKClientError):
    """The encryption context lacks a name, has another value, is too long, or has a name that is reserved."""


class MasterKeyProviderError(AWSEncryptionSDKClientError):
    """What is wrong about the keys of a message as a whole."""


class KeyCommitmentError(MasterKeyProviderError):
    """The data key is not the one that the message commits to."""


class GenerateKeyError(AWSEncryptionSDKClientError):
    """No data key was made."""


class EncryptKeyError(AWSEncryptionSDKClientError):
    """A data key was not wrapped."""


class DecryptKeyError(AWSEncryptionSDKClientError):
    """No key opens any of the wrapped data keys."""


class InvalidDataKeyError(AWSEncryptionSDKClientError):
    """A data key has not the length that the algorithm suite takes."""


class InvalidKeyIdError(AWSEncryptionSDKClientError):
    """A key's name or name space is not allowed."""


class MalformedArnError(AWSEncryptionSDKClientError):
    """Not the ARN of a KMS key."""
