"""What is asked of a key management service."""

from typing import Any, Protocol


class KmsClient(Protocol):
    """The methods that are called of a KMS client. One of boto3 has them, and whatever else takes and gives what they do.

    What one raises becomes the ``__cause__`` of the exception that comes of it.
    """

    def generate_data_key(self, **arguments: Any) -> Any:
        """Of ``KeyId``, ``NumberOfBytes``, ``EncryptionContext`` and perhaps ``GrantTokens``: ``Plaintext``, ``CiphertextBlob``, ``KeyId``."""

    def encrypt(self, **arguments: Any) -> Any:
        """Of ``KeyId``, ``Plaintext``, ``EncryptionContext`` and perhaps ``GrantTokens``: ``CiphertextBlob``, ``KeyId``."""

    def decrypt(self, **arguments: Any) -> Any:
        """Of ``KeyId``, ``CiphertextBlob``, ``EncryptionContext`` and perhaps ``GrantTokens``: ``Plaintext``, ``KeyId``."""
