from typing import Any, BinaryIO, Callable, Dict, Optional, Sequence, Tuple, Union, final

from .identifiers import PaddingScheme
from .kms import KmsClient

class Keyring: ...

@final
class RawAESKeyring(Keyring):
    def __new__(cls, key_namespace: str, key_name: str, wrapping_key: bytes) -> RawAESKeyring: ...

@final
class RawRSAKeyring(Keyring):
    def __new__(
        cls,
        key_namespace: str,
        key_name: str,
        padding_scheme: Optional[PaddingScheme] = None,
        *,
        public_key: Union[str, bytes, None] = None,
        private_key: Union[str, bytes, None] = None,
    ) -> RawRSAKeyring: ...

@final
class KmsKeyring(Keyring):
    def __new__(
        cls,
        kms_key_id: str,
        kms_client: Optional[KmsClient] = None,
        *,
        client_supplier: Optional[Callable[[Optional[str]], KmsClient]] = None,
        grant_tokens: Sequence[str] = ...,
        multi_region: bool = False,
    ) -> KmsKeyring: ...

@final
class KmsDiscoveryKeyring(Keyring):
    def __new__(
        cls,
        kms_client: Optional[KmsClient] = None,
        *,
        client_supplier: Optional[Callable[[Optional[str]], KmsClient]] = None,
        account_ids: Optional[Sequence[str]] = None,
        partition: str = "aws",
        region: Optional[str] = None,
        grant_tokens: Sequence[str] = ...,
    ) -> KmsDiscoveryKeyring: ...

@final
class MultiKeyring(Keyring):
    def __new__(cls, generator: Optional[Keyring] = None, child_keyrings: Sequence[Keyring] = ...) -> MultiKeyring: ...

@final
class CachingCryptoMaterialsManager:
    def __new__(
        cls,
        keyring: Keyring,
        *,
        max_age: float,
        max_messages_encrypted: int = ...,
        max_bytes_encrypted: int = ...,
        capacity: int = 100,
    ) -> CachingCryptoMaterialsManager: ...
    @property
    def hits(self) -> int: ...
    def clear(self) -> None: ...

# What follows is for the package itself.

_Fields = Tuple[int, bytes, Dict[str, str], Tuple[Tuple[str, bytes, bytes], ...], int]

@final
class Sealing:
    def __new__(cls, how: Dict[str, Any]) -> Sealing: ...
    @property
    def header(self) -> _Fields: ...
    def update(self, piece: bytes) -> bytes: ...
    def finish(self) -> bytes: ...

@final
class Opening:
    def __new__(cls, source: BinaryIO, how: Dict[str, Any]) -> Opening: ...
    @property
    def header(self) -> _Fields: ...
    def read(self, size: int, one: bool = False) -> bytes: ...

def encrypt(source: bytes, how: Dict[str, Any]) -> Tuple[bytes, _Fields]: ...
def decrypt(source: bytes, how: Dict[str, Any]) -> Tuple[bytes, _Fields]: ...
def inspect(source: bytes) -> _Fields: ...
