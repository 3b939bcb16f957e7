"""The client: what is the same for all messages, and its three operations."""

import io
import os
import tempfile
from dataclasses import dataclass
from typing import Any, BinaryIO, Dict, Iterable, Mapping, Optional, Tuple, Union

from . import _native
from .header import MessageHeader, _header
from .identifiers import AlgorithmSuite, CommitmentPolicy, Release
from .streams import StreamDecryptor, StreamEncryptor

#: What a message is made of, or read from. A file is anything with a method ``read`` that gives bytes.
Source = Union[bytes, bytearray, memoryview, str, BinaryIO]

Path = Union[str, "os.PathLike[str]"]

#: Bytes of plaintext in a frame unless the caller says otherwise, as all of AWS's clients have it. Frames of 1 MiB are faster.
FRAME_LENGTH = 4096

#: The longest frame that is read of bytes in memory: the format's own limit, since the caller holds them already.
_NO_LIMIT = 2**32 - 1

_Common = Tuple[
    Optional[_native.Keyring],
    Optional[_native.CachingCryptoMaterialsManager],
    Optional[Mapping[str, str]],
    Iterable[str],
]


@dataclass(frozen=True)
class EncryptionSDKClient:
    """Writes and reads messages of the AWS Encryption SDK.

    :param commitment_policy: whether messages have to commit to their data key
    :param max_encrypted_data_keys: the most wrapped data keys that a message may have; each may cost a call to a KMS

    >>> import strongroom
    >>> client = strongroom.EncryptionSDKClient(
    ...     commitment_policy=strongroom.CommitmentPolicy.REQUIRE_ENCRYPT_ALLOW_DECRYPT, max_encrypted_data_keys=3
    ... )
    """

    commitment_policy: CommitmentPolicy = CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT
    max_encrypted_data_keys: Optional[int] = None

    def __post_init__(self) -> None:
        if not isinstance(self.commitment_policy, CommitmentPolicy):
            raise TypeError("commitment_policy is a CommitmentPolicy")
        if self.max_encrypted_data_keys is not None and self.max_encrypted_data_keys < 1:
            raise ValueError("max_encrypted_data_keys cannot be less than 1")

    def encrypt(
        self,
        *,
        source: Source,
        keyring: Optional[_native.Keyring] = None,
        materials_manager: Optional[_native.CachingCryptoMaterialsManager] = None,
        encryption_context: Optional[Mapping[str, str]] = None,
        required_encryption_context_keys: Iterable[str] = (),
        algorithm: Optional[AlgorithmSuite] = None,
        frame_length: int = FRAME_LENGTH,
        source_length: Optional[int] = None,
    ) -> Tuple[bytes, MessageHeader]:
        """Encrypts all of a source into memory.

        Bytes are worked on where they lie, without the interpreter's lock; of what may change under the work (``bytearray``,
        ``memoryview``) a copy is made first.

        :param source: bytes, text (as UTF-8), or a file that is read to its end
        :param keyring: wraps the data key; it, or a ``materials_manager``
        :param encryption_context: pairs that are authenticated with the message, and stored in it **in clear**
        :param required_encryption_context_keys: names of the context that are not stored: who decrypts has to supply them
        :param algorithm: the algorithm suite; the commitment policy has a default one, which signs
        :param frame_length: bytes of plaintext in a frame; 0 for a message without frames
        :param source_length: the most bytes that the source may have

        >>> import os, strongroom
        >>> keyring = strongroom.RawAESKeyring("example", "key 1", os.urandom(32))
        >>> message, header = strongroom.EncryptionSDKClient().encrypt(source="attack at dawn", keyring=keyring)
        >>> header.algorithm.name
        'AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384'
        """
        how = self._sealed(
            keyring,
            materials_manager,
            encryption_context,
            required_encryption_context_keys,
            algorithm,
            frame_length,
            source_length,
        )
        message, fields = _native.encrypt(_bytes(source), how)
        return message, _header(fields)

    def decrypt(
        self,
        *,
        source: Source,
        keyring: Optional[_native.Keyring] = None,
        materials_manager: Optional[_native.CachingCryptoMaterialsManager] = None,
        encryption_context: Optional[Mapping[str, str]] = None,
        required_encryption_context_keys: Iterable[str] = (),
        max_body_length: Optional[int] = None,
    ) -> Tuple[bytes, MessageHeader]:
        """Decrypts all of a source into memory. What is returned was verified to its end, with its signature if it has one.

        :param encryption_context: pairs that the message must have, or was encrypted with and does not store
        :param required_encryption_context_keys: names that must be in ``encryption_context``
        :param max_body_length: the longest frame that is taken, in bytes

        >>> import os, strongroom
        >>> client, keyring = strongroom.EncryptionSDKClient(), strongroom.RawAESKeyring("example", "key 1", os.urandom(32))
        >>> message, _ = client.encrypt(source=b"text", keyring=keyring, encryption_context={"tenant": "7"})
        >>> client.decrypt(source=message, keyring=keyring, encryption_context={"tenant": "8"})
        Traceback (most recent call last):
        strongroom.exceptions.EncryptionContextError: the encryption context is another one: "tenant" differs
        """
        how = self._opened(
            keyring,
            materials_manager,
            encryption_context,
            required_encryption_context_keys,
            _NO_LIMIT if max_body_length is None else max_body_length,
        )
        plaintext, fields = _native.decrypt(_bytes(source), how)
        return plaintext, _header(fields)

    def stream(
        self,
        mode: str,
        *,
        source: Source,
        keyring: Optional[_native.Keyring] = None,
        materials_manager: Optional[_native.CachingCryptoMaterialsManager] = None,
        encryption_context: Optional[Mapping[str, str]] = None,
        required_encryption_context_keys: Iterable[str] = (),
        **more: Any,
    ) -> Union[StreamEncryptor, StreamDecryptor]:
        """A file that is read from: sealed bytes of a plaintext, or the plaintext of a message. Memory is bounded.

        :param mode: ``"e"`` or ``"encrypt"``; ``"d"`` or ``"decrypt"``; ``"decrypt-unsigned"``, which refuses signed messages
        :param more: for encryption ``algorithm``, ``frame_length`` and ``source_length``, as :meth:`encrypt` has them; for decryption

            - ``max_body_length``: the longest frame that is taken, which the stream holds; 16 MiB unless set
            - ``hold_limit``: bytes of plaintext that are held until the signature (or the one tag of a message without frames) is
              verified; 16 MiB unless set
            - ``release``: :class:`strongroom.Release`, for longer signed messages. :meth:`decrypt_file` needs neither

        >>> import io, os, strongroom
        >>> client, keyring = strongroom.EncryptionSDKClient(), strongroom.RawAESKeyring("example", "key 1", os.urandom(32))
        >>> sealed = io.BytesIO()
        >>> with client.stream("e", source=io.BytesIO(b"attack at dawn"), keyring=keyring) as stream:
        ...     for piece in stream:
        ...         _ = sealed.write(piece)
        >>> _ = sealed.seek(0)
        >>> with client.stream("d", source=sealed, keyring=keyring) as stream:
        ...     stream.read(6), stream.header.frame_length, stream.read()
        (b'attack', 4096, b' at dawn')
        """
        common = (keyring, materials_manager, encryption_context, required_encryption_context_keys)
        which = mode.lower()
        if which in ("e", "encrypt"):
            return self._encrypting(source, common, **more)
        if which in ("d", "decrypt"):
            return self._decrypting(source, common, **more)
        if which == "decrypt-unsigned":
            return self._decrypting(source, common, unsigned_only=True, **more)
        raise ValueError(f"unsupported mode: {mode}")

    def encrypt_file(self, source: Path, destination: Path, **how: Any) -> MessageHeader:
        """Encrypts a file into another one, which takes its name once it is complete. Arguments are those of :meth:`stream`.

        >>> client.encrypt_file("plan.txt", "plan.sealed", keyring=keyring, frame_length=1 << 20)  # doctest: +SKIP
        """
        with open(source, "rb") as file:
            how.setdefault("source_length", os.fstat(file.fileno()).st_size)
            with self.stream("e", source=file, **how) as stream:
                return _keep(stream, destination)

    def decrypt_file(self, source: Path, destination: Path, **how: Any) -> MessageHeader:
        """Decrypts a file into another one, which takes its name once everything is verified, with the signature; no length is too long.
        On failure nothing is left of it. Arguments are those of :meth:`stream`.

        >>> client.decrypt_file("plan.sealed", "plan.txt", keyring=keyring)  # doctest: +SKIP
        """
        with open(source, "rb") as file:
            with self.stream("d", source=file, release=Release.FRAMES, **how) as stream:
                return _keep(stream, destination)

    def _encrypting(
        self,
        source: Source,
        common: _Common,
        *,
        algorithm: Optional[AlgorithmSuite] = None,
        frame_length: int = FRAME_LENGTH,
        source_length: Optional[int] = None,
    ) -> StreamEncryptor:
        file, length = _file(source)
        if source_length is None:
            # A message without frames says its length at its beginning.
            source_length = _remaining(file) if length is None and frame_length == 0 else length
        return StreamEncryptor(file, self._sealed(*common, algorithm, frame_length, source_length))

    def _decrypting(
        self,
        source: Source,
        common: _Common,
        *,
        max_body_length: Optional[int] = None,
        hold_limit: Optional[int] = None,
        release: Release = Release.VERIFIED,
        source_length: Optional[int] = None,
        unsigned_only: bool = False,
    ) -> StreamDecryptor:
        if not isinstance(release, Release):
            raise TypeError("release is a Release")
        del source_length  # Taken, since AWS's package takes it; a message says where it ends.
        how = self._opened(*common, max_body_length, hold_limit, 2 if unsigned_only else release.value)
        return StreamDecryptor(_file(source)[0], how)

    def _sealed(
        self,
        keyring: Optional[_native.Keyring],
        materials_manager: Optional[_native.CachingCryptoMaterialsManager],
        encryption_context: Optional[Mapping[str, str]],
        required: Iterable[str],
        algorithm: Optional[AlgorithmSuite],
        frame_length: int,
        source_length: Optional[int],
    ) -> Dict[str, Any]:
        if algorithm is not None and not isinstance(algorithm, AlgorithmSuite):
            raise TypeError("algorithm is an AlgorithmSuite")
        return {
            "materials": _materials(keyring, materials_manager),
            "encryption_context": dict(encryption_context or {}),
            "required_encryption_context_keys": _names(required),
            "commitment_policy": self.commitment_policy.value,
            "algorithm": None if algorithm is None else algorithm.value,
            "frame_length": frame_length,
            "source_length": source_length,
            "max_encrypted_data_keys": self.max_encrypted_data_keys,
        }

    def _opened(
        self,
        keyring: Optional[_native.Keyring],
        materials_manager: Optional[_native.CachingCryptoMaterialsManager],
        encryption_context: Optional[Mapping[str, str]],
        required: Iterable[str],
        max_body_length: Optional[int],
        hold_limit: Optional[int] = None,
        release: int = 0,
    ) -> Dict[str, Any]:
        return {
            "materials": _materials(keyring, materials_manager),
            "encryption_context": dict(encryption_context or {}),
            "required_encryption_context_keys": _names(required),
            "commitment_policy": self.commitment_policy.value,
            "max_encrypted_data_keys": self.max_encrypted_data_keys,
            "max_body_length": max_body_length,
            "hold_limit": hold_limit,
            "release": release,
        }


def _materials(keyring: Any, materials_manager: Any) -> Any:
    if (keyring is None) == (materials_manager is None):
        raise TypeError("exactly one of keyring and materials_manager is needed")
    return materials_manager if keyring is None else keyring


def _names(names: Iterable[str]) -> "list[str]":
    if isinstance(names, str):
        raise TypeError("required_encryption_context_keys are several names, not one")
    return list(names)


def _bytes(source: Source) -> bytes:
    """All of a source. Of bytes themselves no copy is made; what may change under the work is copied."""
    if isinstance(source, bytes):
        return source
    if isinstance(source, str):
        return source.encode()
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    everything = source.read()
    if isinstance(everything, bytes):
        return everything
    raise TypeError("the source gives no bytes: open it in binary mode")


def _file(source: Source) -> "tuple[BinaryIO, Optional[int]]":
    """A source as a file, with its length where it is bytes."""
    if isinstance(source, (bytes, bytearray, memoryview, str)):
        everything = _bytes(source)
        return io.BytesIO(everything), len(everything)
    return source, None


def _remaining(file: BinaryIO) -> int:
    """How many bytes a file still has."""
    try:
        here = file.tell()
        end = file.seek(0, os.SEEK_END)
        file.seek(here)
    except (OSError, AttributeError) as error:
        raise ValueError("a message without frames needs its source_length beforehand") from error
    return end - here


def _keep(stream: Union[StreamEncryptor, StreamDecryptor], destination: Path) -> MessageHeader:
    """Writes all of a stream to a file beside the destination, which takes its name if nothing failed."""
    folder, name = os.path.split(os.path.abspath(destination))
    descriptor, beside = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in stream:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, destination)
    except BaseException:
        os.unlink(beside)
        raise
    return stream.header
