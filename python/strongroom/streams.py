"""Messages as files that are read from."""

import io
from collections import deque
from typing import Any, BinaryIO, Deque, Dict, List, Optional

from . import _native
from .header import MessageHeader, _header

#: Bytes that iteration gives at once, and that are read of a source at least.
_PIECE = 1 << 17
#: Bytes that are read of a source at once, at most.
_MOST = 1 << 20


class _Stream(io.BufferedIOBase):
    """What both have. It begins with its first use: then the header is written or read, and the data key made or opened."""

    def __init__(self, source: BinaryIO, how: Dict[str, Any]) -> None:
        self._source = source
        self._how = how
        self._position = 0
        self._fields: Optional[MessageHeader] = None

    def readable(self) -> bool:
        """Whether it is open."""
        return not self.closed

    def tell(self) -> int:
        """How many bytes were read."""
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Reads into a buffer; how many bytes."""
        with memoryview(buffer).cast("B") as view:
            piece = self.read(len(view))
            view[: len(piece)] = piece
            return len(piece)

    def readline(self, size: Optional[int] = -1, /) -> bytes:
        """A piece, as AWS's streams give it, **not a line**: ``io.TextIOWrapper`` makes lines of a stream."""
        return self.read(_PIECE if size is None or size < 0 else min(size, _PIECE))

    def readlines(self, hint: int = -1, /) -> List[bytes]:
        """All pieces."""
        return list(self)

    def __next__(self) -> bytes:
        piece = self.readline()
        if not piece:
            raise StopIteration
        return piece

    def _open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")


class StreamEncryptor(_Stream):
    """The bytes of a message, while its plaintext is read from a file. See :meth:`strongroom.EncryptionSDKClient.stream`."""

    def __init__(self, source: BinaryIO, how: Dict[str, Any]) -> None:
        super().__init__(source, how)
        self._sealing: Optional[_native.Sealing] = None
        self._ready: Deque[memoryview] = deque()
        self._length = 0
        self._ended = False

    @property
    def header(self) -> MessageHeader:
        """The header as it was written."""
        self._begin()
        assert self._fields is not None
        return self._fields

    def read(self, size: Optional[int] = -1, /) -> bytes:
        """So many bytes, fewer only at the end; all that are left without a size."""
        self._open()
        wanted = None if size is None or size < 0 else size
        while not self._ended and (wanted is None or self._length < wanted):
            self._seal(_MOST if wanted is None else min(max(wanted - self._length, _PIECE), _MOST))
        return self._take(self._length if wanted is None else min(wanted, self._length))

    def read1(self, size: int = -1, /) -> bytes:
        """What is ready, with one read of the source if nothing is."""
        return self.read(_PIECE if size < 0 else size)

    def close(self) -> None:
        """Closes the stream, not its source."""
        self._sealing = None
        self._ready.clear()
        super().close()

    def _begin(self) -> "_native.Sealing":
        if self._sealing is None:
            self._open()
            self._sealing = _native.Sealing(self._how)
            self._fields = _header(self._sealing.header)
        return self._sealing

    def _seal(self, size: int) -> None:
        sealing = self._begin()
        plaintext = self._source.read(size)
        if isinstance(plaintext, bytearray):
            plaintext = bytes(plaintext)
        elif plaintext is None:
            raise BlockingIOError("the source has nothing to give now")
        elif not isinstance(plaintext, bytes):
            raise TypeError("the source gives no bytes: open it in binary mode")
        if plaintext:
            sealed = sealing.update(plaintext)
        else:
            sealed = sealing.finish()
            self._ended = True
        if sealed:
            self._ready.append(memoryview(sealed))
            self._length += len(sealed)

    def _take(self, size: int) -> bytes:
        self._length -= size
        self._position += size
        parts = []
        while size:
            first = self._ready.popleft()
            if len(first) > size:
                self._ready.appendleft(first[size:])
                first = first[:size]
            parts.append(first)
            size -= len(first)
        return b"".join(parts)


class StreamDecryptor(_Stream):
    """The plaintext of a message, while it is read from a file. See :meth:`strongroom.EncryptionSDKClient.stream`.

    It ends only where the message ends, verified with its signature: what is cut off, changed or followed by other bytes is an error.
    """

    def __init__(self, source: BinaryIO, how: Dict[str, Any]) -> None:
        super().__init__(source, how)
        self._opening: Optional[_native.Opening] = None

    @property
    def header(self) -> MessageHeader:
        """The header, verified with the data key; ``encryption_context`` has what the caller supplied, too."""
        self._begin()
        assert self._fields is not None
        return self._fields

    def read(self, size: Optional[int] = -1, /) -> bytes:
        """So many bytes, fewer only at the end; all that are left without a size."""
        opening = self._begin()
        left = None if size is None or size < 0 else size
        parts = []
        while left is None or left > 0:
            piece = opening.read(_MOST if left is None else min(left, _MOST))
            if not piece:
                break
            parts.append(piece)
            self._position += len(piece)
            left = None if left is None else left - len(piece)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """What is verified next: a frame, say."""
        piece = self._begin().read(_MOST if size < 0 else size, one=True)
        self._position += len(piece)
        return piece

    def close(self) -> None:
        """Closes the stream, not its source."""
        self._opening = None
        super().close()

    def _begin(self) -> "_native.Opening":
        self._open()
        if self._opening is None:
            self._opening = _native.Opening(self._source, self._how)
            self._fields = _header(self._opening.header)
        return self._opening
