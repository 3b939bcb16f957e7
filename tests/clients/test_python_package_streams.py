"""The Python package's streams and files; threads, the interpreter's lock and memory."""

import io
import random
import secrets
import subprocess
import sys
import threading
import time

import pytest

from package import CONTEXT, SIGNED, UNSIGNED, Release, Suite, Trickle, aes, client, clients, keyring, package  # noqa: F401


@pytest.mark.parametrize("suite", [UNSIGNED, SIGNED, Suite.AES_256_GCM_IV12_TAG16], ids=lambda suite: f"{suite.value:04x}")
@pytest.mark.parametrize("frame_length", [0, 1000, 4096, 1 << 20])
def test_streams_of_odd_sizes_both_ways(suite, frame_length):
    (client, sdk), (keyring, their) = clients(suite), aes()
    chance = random.Random(frame_length)
    for length in (0, 1, 999, 1000, 1001, 300_000, 3_000_001):
        plaintext = chance.randbytes(length)

        def pieces(stream, most):
            taken = b""
            while piece := stream.read(chance.randint(1, most)):
                taken += piece
            assert stream.read() == stream.read(5) == b"" and stream.tell() == len(taken)
            return taken

        with client.stream(
            "e", source=Trickle(plaintext, 1), keyring=keyring, algorithm=suite, frame_length=frame_length, source_length=length
        ) as stream:
            message = pieces(stream, 70_000)
            written = stream.header
        assert sdk.decrypt(source=message, keyring=their)[0] == plaintext
        with client.stream("decrypt", source=Trickle(message, 2), keyring=keyring) as stream:
            assert stream.header == written
            assert pieces(stream, 70_000) == plaintext
        with client.stream("d", source=io.BytesIO(message), keyring=keyring) as stream:
            assert b"".join(stream) == plaintext


def test_streams_are_files(client, keyring):
    text = "".join(f"line {number}\n" for number in range(5000))
    with client.stream("E", source=text, keyring=keyring) as stream:
        assert isinstance(stream, io.BufferedIOBase) and stream.readable() and not stream.writable() and not stream.seekable()
        message = stream.read()
    assert stream.closed
    with pytest.raises(ValueError):
        stream.read()
    with io.TextIOWrapper(client.stream("d", source=message, keyring=keyring)) as lines:
        assert list(lines) == text.splitlines(keepends=True)
    buffer = bytearray(100)
    with client.stream("d", source=message, keyring=keyring) as stream:
        assert stream.readinto(buffer) == 100 and buffer == text.encode()[:100]
        assert len(stream.read1()) > 0
    # One that is left before its end.
    with client.stream("e", source=text, keyring=keyring) as stream:
        stream.read(10)
    with pytest.raises(ValueError):
        client.stream("x", source=b"", keyring=keyring)


def test_a_signed_stream_is_held_until_its_signature(client, keyring):
    message, _ = client.encrypt(source=bytes(1_000_000), keyring=keyring)
    broken = message[:-1] + bytes([message[-1] ^ 1])
    with client.stream("d", source=io.BytesIO(broken), keyring=keyring) as stream:
        for _ in range(2):
            with pytest.raises(package.AWSEncryptionSDKClientError):
                stream.read(1)
    with client.stream("d", source=io.BytesIO(broken), keyring=keyring, release=Release.FRAMES) as stream:
        assert stream.read(900_000) == bytes(900_000)
        with pytest.raises(package.exceptions.SignatureError):
            stream.read()
    with client.stream("d", source=message, keyring=keyring, hold_limit=999_999) as stream:
        with pytest.raises(package.exceptions.CustomMaximumValueExceeded, match="hold_limit"):
            stream.read(1)
    with client.stream("d", source=message, keyring=keyring, hold_limit=1_000_000) as stream:
        assert stream.read() == bytes(1_000_000)
    with client.stream("decrypt-unsigned", source=message, keyring=keyring) as stream:
        with pytest.raises(package.exceptions.ActionNotAllowedError):
            stream.read()
    unsigned, _ = client.encrypt(source=b"text", keyring=keyring, algorithm=UNSIGNED)
    with client.stream("decrypt-unsigned", source=unsigned, keyring=keyring) as stream:
        assert stream.read() == b"text"


def test_files_take_their_names_at_the_end(client, keyring, tmp_path):
    plain, sealed, again = tmp_path / "plain", tmp_path / "sealed", tmp_path / "again"
    plain.write_bytes(secrets.token_bytes(20_000_000))  # Signed, and longer than is held.
    header = client.encrypt_file(plain, sealed, keyring=keyring, encryption_context=CONTEXT, frame_length=1 << 16)
    assert header == client.decrypt_file(str(sealed), str(again), keyring=keyring, encryption_context=CONTEXT)
    assert again.read_bytes() == plain.read_bytes()
    again.unlink()
    message = bytearray(sealed.read_bytes())
    for change in (len(message) - 1, len(message) - 200_000):
        message[change] ^= 1
        sealed.write_bytes(message)
        with pytest.raises(package.AWSEncryptionSDKClientError):
            client.decrypt_file(sealed, again, keyring=keyring)
        message[change] ^= 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "sealed"]


def test_errors_of_a_source_come_as_they_are(client, keyring):
    class Broken(io.RawIOBase):
        def read(self, size=-1):
            raise ConnectionResetError("gone")

    class Nothing(io.RawIOBase):
        def read(self, size=-1):
            return None

    for mode in "ed":
        for source, error in ((Broken(), ConnectionResetError), (Nothing(), BlockingIOError), (io.StringIO("text"), TypeError)):
            with client.stream(mode, source=source, keyring=keyring) as stream, pytest.raises(error):
                stream.read()
    with pytest.raises(TypeError):
        client.encrypt(source=io.StringIO("text"), keyring=keyring)
    assert client.decrypt(source=io.BytesIO(client.encrypt(source=io.BytesIO(b"x"), keyring=keyring)[0]), keyring=keyring)[0] == b"x"


def test_a_stream_does_not_read_itself(client, keyring):
    class Snake:
        def read(self, size):
            return self.stream.read(size)

    snake = Snake()
    snake.stream = client.stream("d", source=snake, keyring=keyring)
    with pytest.raises((RuntimeError, RecursionError)):
        snake.stream.read()

    class Tail:
        """The message, then the stream itself."""

        def __init__(self):
            self.message = io.BytesIO(client.encrypt(source=bytes(1_000_000), keyring=keyring)[0][:-1])

        def read(self, size):
            return self.message.read(size) or self.stream.read(size)

    tail = Tail()
    tail.stream = client.stream("d", source=tail, keyring=keyring)
    with pytest.raises(RuntimeError, match="in use"):
        tail.stream.read()


def test_many_threads_share_a_client(client, keyring):
    failures = []

    def work(seed):
        chance = random.Random(seed)
        try:
            for _ in range(30):
                plaintext = chance.randbytes(chance.randint(0, 100_000))
                message, _ = client.encrypt(source=plaintext, keyring=keyring)
                assert client.decrypt(source=message, keyring=keyring)[0] == plaintext
                with client.stream("d", source=io.BytesIO(message), keyring=keyring) as stream:
                    assert stream.read() == plaintext
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_other_threads_go_on_while_bytes_are_worked_on(client, keyring):
    plaintext = bytes(256 << 20)
    message, _ = client.encrypt(source=plaintext, keyring=keyring)

    def ticks(work):
        """How often another thread came to look at the clock, a thousandth of a second apart, while the work went on."""
        span, times = [], []

        def run():
            span.append(time.perf_counter())
            work()
            span.append(time.perf_counter())

        thread = threading.Thread(target=run)
        thread.start()
        while thread.is_alive():
            times.append(time.perf_counter())
            time.sleep(0.001)
        thread.join()
        return sum(span[0] < tick < span[1] for tick in times)

    # A lock that is held all the time lets the other thread in before and after the work at most, for 5 ms (sys.getswitchinterval) each.
    # Other processes may keep it from coming, so one good look of some is enough.
    few = 20
    assert any(ticks(lambda: client.encrypt(source=plaintext, keyring=keyring)) > few for _ in range(5))
    assert any(ticks(lambda: client.decrypt(source=message, keyring=keyring)) > few for _ in range(5))
    assert ticks(lambda: plaintext.count(b"\1")) <= few, "what holds the lock is seen"


STREAM = """
import resource, strongroom

class Zeros:
    def __init__(self, length): self.left = length
    def read(self, size=-1):
        size = min(size, self.left)
        self.left -= size
        return bytes(size)

class Pipe:
    def __init__(self, stream): self.read = stream.read

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
client, keyring = strongroom.EncryptionSDKClient(), strongroom.RawAESKeyring("ours", "key", bytes(32))
def through(length, **how):
    with client.stream("e", source=Zeros(length), keyring=keyring, **how) as sealed:
        with client.stream("d", source=Pipe(sealed), keyring=keyring, release=strongroom.Release.FRAMES) as stream:
            return sum(len(piece) for piece in stream)
for how in ({}, {"frame_length": 1 << 20}):
    before = peak()
    assert through(384 << 20, **how) == 384 << 20
    print(peak() - before)
"""


def test_memory_does_not_grow_with_a_stream(tmp_path):
    output = subprocess.run([sys.executable, "-c", STREAM], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    kibibytes = [int(line) for line in output.split()]
    assert len(kibibytes) == 2 and max(kibibytes) < 32 << 10
