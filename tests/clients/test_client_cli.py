"""Client-side encryption by the command line: files, folders, pipes, keys, exit codes, and what never stays behind."""

import errno
import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import time
from pathlib import Path

import aws_encryption_sdk
import pytest
from aws_encryption_sdk.identifiers import CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import disks
from strongroom import BINARY, Server

KIB, MIB, GIB = 1024, 1024**2, 1024**3
DONE, FAILED, USAGE, INPUT, KEY, REFUSED = range(6)
# 20 GiB take 45 s in a build for tests on two cores, and 70 s when those have much else to do.
PIPE_BYTES = int(os.environ.get("STRONGROOM_PIPE_GIB", 20)) * GIB
MEMORY = 32 * MIB


def run(*arguments, stdin: bytes = b"", code: int = DONE, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([BINARY, *map(str, arguments)], input=stdin, capture_output=True, timeout=120, check=False, **options)
    assert done.returncode == code, (done.returncode, done.stderr.decode())
    return done


def interruptible() -> None:
    """For `preexec_fn`: whoever runs the tests in the background may have them ignore what they send here."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


def results(done: subprocess.CompletedProcess, stream: str = "stdout") -> list[dict]:
    return [json.loads(line) for line in getattr(done, stream).splitlines() if line.startswith(b"{")]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    """A folder with a key of each sort."""
    folder = tmp_path_factory.mktemp("keys")
    run("keygen", "-o", folder / "own")
    run("keygen", "-o", folder / "other")
    for name, length in (("aes128", 16), ("aes192", 24), ("aes256", 32)):
        secret(folder / name, secrets.token_bytes(length))
    private = rsa.generate_private_key(65537, 2048)
    public = private.public_key()
    pkcs8, spki = PrivateFormat.PKCS8, PublicFormat.SubjectPublicKeyInfo
    secret(folder / "private.pem", private.private_bytes(Encoding.PEM, pkcs8, NoEncryption()))
    secret(folder / "private.der", private.private_bytes(Encoding.DER, pkcs8, NoEncryption()))
    (folder / "public.pem").write_bytes(public.public_bytes(Encoding.PEM, spki))
    (folder / "public.der").write_bytes(public.public_bytes(Encoding.DER, spki))
    return folder


def secret(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


NAMES = ["--key-namespace", "tests", "--key-name", "one"]


def options(keys: Path, key: str) -> tuple[list, list]:
    """What encrypts and what decrypts."""
    if key == "key file":
        return (["--key-file", keys / "own"],) * 2
    if key.startswith("aes"):
        return (["--raw-key", keys / key, *NAMES],) * 2
    form, padding = key.split()
    padding = ["--rsa-padding", padding, *NAMES]
    return ["--rsa-public-key", keys / f"public.{form}", *padding], ["--rsa-private-key", keys / f"private.{form}", *padding]


KEYS = ["key file", "aes128", "aes192", "aes256", "pem oaep-sha256", "der oaep-sha1", "pem oaep-sha384", "der oaep-sha512", "pem pkcs1"]


def test_no_memory_of_a_command_is_dumped(keys):
    """A core file would have the keys in it, and so would what another process of the same user reads."""
    with subprocess.Popen([BINARY, "encrypt", "-", "-o", "-", "--key-file", keys / "own"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        until = time.monotonic() + 10
        while not re.search(r"Max core file size +0 +0 ", limits := Path(f"/proc/{process.pid}/limits").read_text()):
            assert time.monotonic() < until, limits
            time.sleep(0.01)
        # The system gives what belongs to a process that may not be dumped to root.
        if os.geteuid() != 0:
            assert Path(f"/proc/{process.pid}/mem").stat().st_uid == 0
        process.communicate()


@pytest.mark.parametrize("key", KEYS)
def test_what_a_key_seals_it_opens(tmp_path, keys, key):
    (tmp_path / "plain").write_bytes(plain := secrets.token_bytes(100_000))
    seal, open_ = options(keys, key)
    run("encrypt", tmp_path / "plain", "-o", tmp_path / "sealed", "-c", "purpose=test", *seal)
    assert plain[:64] not in (tmp_path / "sealed").read_bytes()
    run("decrypt", tmp_path / "sealed", "-o", tmp_path / "again", "-c", "purpose=test", *open_)
    assert (tmp_path / "again").read_bytes() == plain
    piped = run("decrypt", *open_, stdin=run("encrypt", *seal, stdin=plain).stdout)
    assert piped.stdout == plain


@pytest.mark.parametrize("suite", ["0014", "0x0046", "AES_256_GCM_IV12_TAG16", "0114", "0146", "0178", "0214", "0346", "0378", "0478", "0578"])
@pytest.mark.parametrize("size", [0, 1, 4096, 3 * MIB])
def test_every_suite_and_many_sizes(keys, suite, size):
    policy = [] if suite in ("0478", "0578") else ["--commitment-policy", "forbid-encrypt-allow-decrypt"]
    key = ["--key-file", keys / "own", *policy]
    plain = secrets.token_bytes(size)
    sealed = run("encrypt", "--suite", suite, "--frame-length", "4096", *key, stdin=plain).stdout
    assert run("decrypt", *key, stdin=sealed).stdout == plain


def test_several_keys_each_open(tmp_path, keys):
    raw_seal, raw_open = options(keys, "aes256")
    sealed = run("encrypt", "--key-file", keys / "own", "--key-file", keys / "other", *raw_seal, stdin=b"text").stdout
    for key in (["--key-file", keys / "own"], ["--key-file", keys / "other"], raw_open):
        assert run("decrypt", *key, stdin=sealed).stdout == b"text"
    run("decrypt", "--max-encrypted-data-keys", "2", "--key-file", keys / "own", stdin=sealed, code=REFUSED)
    run("keygen", "-o", tmp_path / "third")
    stranger = run("decrypt", "--key-file", tmp_path / "third", stdin=sealed, code=KEY)
    assert b"aes tests/one" in stranger.stderr, "it says which keys would open it"


def test_a_message_has_not_too_many_keys_unless_that_is_said(keys):
    for count, code in ((32, DONE), (33, REFUSED)):
        sealed = run("encrypt", *["--key-file", keys / "own"] * count, stdin=b"text").stdout
        run("decrypt", "--key-file", keys / "own", stdin=sealed, code=code)
    for most in ("0", "33"):
        assert run("decrypt", "--max-encrypted-data-keys", most, "--key-file", keys / "own", stdin=sealed).stdout == b"text"


def test_aws_sdk_reads_and_writes_what_a_key_file_opens(tmp_path, keys):
    lines = dict(line.split(" ", 1) for line in (keys / "own").read_text().splitlines() if not line.startswith("#"))
    import base64

    class Provider(RawMasterKeyProvider):
        provider_id = "strongroom"

        def _get_raw_key(self, key_id):
            return WrappingKey(
                wrapping_algorithm=WrappingAlgorithm.AES_256_GCM_IV12_TAG16_NO_PADDING,
                wrapping_key=base64.b64decode(lines["key"]),
                wrapping_key_type=EncryptionKeyType.SYMMETRIC,
            )

    provider = Provider()
    provider.add_master_key(lines["id"])
    sdk = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    plain = secrets.token_bytes(3 * MIB)
    sealed = run("encrypt", "--key-file", keys / "own", "-c", "a=b", stdin=plain).stdout
    opened, header = sdk.decrypt(source=sealed, key_provider=provider)
    assert opened == plain and header.encryption_context["a"] == "b"
    theirs, _ = sdk.encrypt(source=plain, key_provider=provider)
    assert run("decrypt", "--key-file", keys / "own", stdin=theirs).stdout == plain


def test_a_folder_goes_into_a_folder(tmp_path, keys):
    source, sealed, again = tmp_path / "source", tmp_path / "sealed", tmp_path / "again"
    (source / "deep/er").mkdir(parents=True)
    (source / "empty").mkdir()
    contents = {"a": b"", "deep/b": secrets.token_bytes(5000), "deep/er/ü \n c": b"c"}
    for name, content in contents.items():
        (source / name).write_bytes(content)
    (source / "a").chmod(0o750)
    done = run("encrypt", source, "-o", sealed, "--key-file", keys / "own", "--json")
    assert files(sealed) == files(source)
    assert {Path(one["input"]) for one in results(done)} == {source / name for name in contents}
    run("decrypt", sealed, "-o", again, "--key-file", keys / "own")
    assert files(again) == files(source)
    assert {name: (again / name).read_bytes() for name in contents} == contents
    assert (again / "a").stat().st_mode & 0o777 == 0o750
    # Again: every file is there already.
    done = run("decrypt", sealed, "-o", again, "--key-file", keys / "own", "--json", code=FAILED)
    assert [one["code"] for one in results(done)] == [FAILED] * 3
    run("decrypt", sealed, "-o", again, "--key-file", keys / "own", "--force")


def test_new_folders_let_in_nobody_whom_their_sources_keep_out(tmp_path, keys):
    source, sealed, again = tmp_path / "source", tmp_path / "sealed", tmp_path / "again"
    (source / "private").mkdir(parents=True)
    (source / "private/a").write_bytes(b"secret")
    for folder, mode in ((source, 0o750), (source / "private", 0o500)):
        folder.chmod(mode)
    for command, one, other in (("encrypt", source, sealed), ("decrypt", sealed, again)):
        run(command, one, "-o", other, "--key-file", keys / "own", preexec_fn=lambda: os.umask(0o002))
        assert [(other / name).stat().st_mode & 0o777 for name in ("", "private")] == [0o750, 0o700], command
    # The umask takes from it.
    run("decrypt", sealed, "-o", tmp_path / "third", "--key-file", keys / "own", preexec_fn=lambda: os.umask(0o077))
    assert (tmp_path / "third").stat().st_mode & 0o777 == 0o700


def test_links_and_special_files_are_told_and_the_rest_goes_on(tmp_path, keys):
    source, sealed = tmp_path / "source", tmp_path / "sealed"
    source.mkdir()
    (source / "a-link").symlink_to(source / "file")
    (source / "file").write_bytes(b"text")
    os.mkfifo(source / "pipe")
    done = run("encrypt", source, "-o", sealed, "--key-file", keys / "own", "--json", code=FAILED)
    states = {Path(one["input"]).name: one["status"] for one in results(done)}
    assert states == {"a-link": "failed", "file": "done", "pipe": "failed"}
    assert files(sealed) == {"file"}
    # One that is named is followed.
    assert run("encrypt", source / "a-link", "-o", tmp_path / "one", "--key-file", keys / "own").returncode == DONE


def test_below_the_target_folder_no_link_is_followed(tmp_path, keys):
    source, sealed, target, outside = (tmp_path / name for name in ("source", "sealed", "target", "outside"))
    (source / "sub/deep").mkdir(parents=True)
    for name in ("link", "plain", "sub/new", "sub/deep/new"):
        (source / name).write_bytes(b"text")
    key = ["--key-file", keys / "own"]
    run("encrypt", source, "-o", sealed, *key)
    outside.mkdir()
    (outside / "victim").write_bytes(b"precious")
    target.mkdir()
    (target / "sub").symlink_to(outside)
    (target / "link").symlink_to(outside / "victim")
    done = run("decrypt", sealed, "-o", target, *key, "--force", "--json", code=FAILED)
    assert [Path(one["output"]).name for one in results(done) if one["status"] == "done"] == ["plain"]
    assert b"a symbolic link" in done.stderr
    assert files(outside) == {"victim"} and (outside / "victim").read_bytes() == b"precious"
    assert (target / "link").is_symlink()
    # A link that is named is followed, and stays one.
    (tmp_path / "way").symlink_to(outside)
    run("decrypt", sealed / "plain", "-o", tmp_path / "way/new", *key)
    run("decrypt", sealed / "plain", "-o", target / "link", "--force", *key)
    assert (target / "link").is_symlink() and (outside / "victim").read_bytes() == b"text"


@pytest.mark.skipif(os.geteuid() != 0, reason="files of others are root's to make")
def test_what_replaces_a_file_of_somebody_else_has_no_more_than_the_umask_lets_it(tmp_path, keys):
    target = tmp_path / "target"
    sealed = run("encrypt", "--key-file", keys / "own", stdin=b"text").stdout
    for owner, before, after in ((65534, 0o4777, 0o755), (65534, 0o600, 0o600), (0, 0o4777, 0o777)):
        target.write_bytes(b"old")
        os.chown(target, owner, owner)
        target.chmod(before)
        run("decrypt", "-o", target, "--force", "--key-file", keys / "own", stdin=sealed, umask=0o022)
        assert target.stat().st_mode & 0o7777 == after and target.stat().st_uid == 0


def test_folders_stay_apart(tmp_path, keys):
    (tmp_path / "source").mkdir()
    (tmp_path / "link").symlink_to("source")
    for target in (tmp_path / "source", tmp_path / "source/within", tmp_path / "source/with/in", tmp_path / "link/within"):
        run("encrypt", tmp_path / "source", "-o", target, "--key-file", keys / "own", code=USAGE)
        assert files(tmp_path) == {"source", "link"}, "nothing was made"
    run("encrypt", "source", "-o", "source/with/in", "--key-file", keys / "own", code=USAGE, cwd=tmp_path)
    assert files(tmp_path) == {"source", "link"}
    run("encrypt", tmp_path / "source", "--key-file", keys / "own", code=USAGE)


def test_json_tells_of_one_file(tmp_path, keys):
    (tmp_path / "plain").write_bytes(b"x" * 3000)
    key = ["--key-file", keys / "own"]
    names = [tmp_path / "plain", "-o", tmp_path / "sealed"]
    (told,) = results(run("encrypt", *names, *key, "-c", "a=b", "--frame-length", "1000", "--json"))
    sealed = tmp_path / "sealed"
    assert told["command"] == "encrypt" and told["status"] == "done" and told["output"] == str(sealed)
    assert told["plaintext_bytes"] == 3000 and told["sealed_bytes"] == sealed.stat().st_size
    header = told["header"]
    assert header["suite"] == {"id": "0578", "name": "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384", "committing": True, "signed": True}
    assert header["encryption_context"]["a"] == "b" and header["frame_length"] == 1000
    (one,) = header["keys"]
    assert one == {"kind": "aes", "provider": "strongroom", "name": (keys / "own").read_text().split("\nid ")[1][:32]}
    # To a pipe: beside the data, not in it.
    piped = run("decrypt", *key, "--json", stdin=sealed.read_bytes())
    assert piped.stdout == b"x" * 3000
    assert results(piped, "stderr")[0]["header"]["message_id"] == header["message_id"]
    # Without a key.
    (inspected,) = results(run("inspect", sealed, "--json"))
    assert {name: inspected[name] for name in header} == header
    assert inspected["body"] == {"truncated": False, "frames": 3, "plaintext_bytes": 3000}
    text = run("inspect", sealed).stdout.decode()
    assert "0578" in text and "a=b" in text and "3000 bytes in 3 frames" in text
    (failed,) = results(run("decrypt", sealed, "-o", tmp_path / "x", "--key-file", keys / "other", "--json", code=KEY))
    assert failed["code"] == KEY and failed["status"] == "failed" and "no key opens" in failed["error"]


@pytest.mark.parametrize("suite", ["0478", "0578"])
@pytest.mark.parametrize("frame", [1, 7, 1000])
def test_inspect_counts_frames_and_misses_those_that_are_cut_off(tmp_path, keys, suite, frame):
    for length in (0, 1, frame, frame + 1, 10 * frame):
        sealed = run("encrypt", "--key-file", keys / "own", "--suite", suite, "--frame-length", frame, stdin=b"x" * length).stdout
        (tmp_path / "sealed").write_bytes(sealed)
        (told,) = results(run("inspect", tmp_path / "sealed", "--json"))
        assert told["body"] == {"truncated": False, "frames": max(1, -(-length // frame)), "plaintext_bytes": length}
    (tmp_path / "sealed").write_bytes(sealed[: -200 if suite == "0578" else -30])
    (told,) = results(run("inspect", tmp_path / "sealed", "--json"))
    assert told["body"] == {"truncated": True}


def damaged(sealed: bytes) -> dict[str, tuple[bytes, int]]:
    """What somebody may have done to a message, and the code that says so."""

    def flipped(at: int) -> bytes:
        return sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]

    return {
        "nothing": (b"", INPUT),
        "half a header": (sealed[:40], INPUT),
        "half a body": (sealed[: len(sealed) // 2], INPUT),
        "without its last byte": (sealed[:-1], INPUT),
        "more behind it": (sealed + b"x", INPUT),
        "another version": (b"\x03" + sealed[1:], INPUT),
        "an unknown suite": (sealed[:1] + b"\x09\x99" + sealed[3:], INPUT),
        "another message id": (flipped(10), INPUT),
        "a frame changed": (flipped(len(sealed) // 2), INPUT),
        "no message": (b"plain text, much longer than a header has to be" * 10, INPUT),
    }


@pytest.mark.parametrize("suite", ["0478", "0578"])
def test_what_was_damaged_leaves_no_file(tmp_path, keys, suite):
    key = ["--key-file", keys / "own"]
    sealed = run("encrypt", *key, "--suite", suite, "--frame-length", "512", stdin=secrets.token_bytes(5000)).stdout
    folder = tmp_path / "out"
    folder.mkdir()
    for what, (bytes_, code) in damaged(sealed).items():
        done = run("decrypt", "-o", folder / "plain", *key, stdin=bytes_, code=code)
        assert done.stderr.startswith(b"strongroom: -: "), what
        assert files(folder) == set(), what
    # An old file stays as it was.
    (folder / "plain").write_bytes(b"old")
    run("decrypt", "-o", folder / "plain", "--force", *key, stdin=sealed[:-1], code=INPUT)
    assert (folder / "plain").read_bytes() == b"old" and files(folder) == {"plain"}
    run("decrypt", "-o", folder / "plain", "--force", *key, stdin=sealed)
    assert len((folder / "plain").read_bytes()) == 5000


def test_a_signed_message_gives_a_pipe_nothing_before_its_signature(keys):
    key = ["--key-file", keys / "own", "--suite", "0578", "--frame-length", "512"]
    sealed = run("encrypt", *key, stdin=b"x" * 5000).stdout
    wrong = sealed[:-1] + bytes([sealed[-1] ^ 1])
    key = key[:2]
    assert run("decrypt", *key, stdin=wrong, code=INPUT).stdout == b""
    assert len(run("decrypt", "--release-frames", *key, stdin=wrong, code=INPUT).stdout) >= 4096
    assert run("decrypt", "--unsigned-only", *key, stdin=sealed, code=REFUSED).stdout == b""


def test_a_pipe_gets_verified_frames_and_the_exit_code_says_whether_that_is_all(keys):
    plain = os.urandom(5000)
    key = ["--key-file", keys / "own"]
    sealed = run("encrypt", *key, "--suite", "0478", "--frame-length", "512", stdin=plain).stdout
    for wrong in (sealed[:-1], sealed[:3000], sealed[:3000] + bytes([sealed[3000] ^ 1]) + sealed[3001:], sealed + b"x"):
        came = run("decrypt", *key, stdin=wrong, code=INPUT).stdout
        assert len(came) < len(plain) and len(came) % 512 == 0 and plain.startswith(came)


def test_a_long_signed_message_needs_a_file(tmp_path, keys):
    key = ["--key-file", keys / "own"]
    sealed = run("encrypt", *key, stdin=(plain := os.urandom(20 * MIB))).stdout
    refused = run("decrypt", *key, stdin=sealed, code=REFUSED)
    assert refused.stdout == b"" and b"-o" in refused.stderr and b"--release-frames" in refused.stderr
    assert run("decrypt", "--release-frames", *key, stdin=sealed).stdout == plain
    run("decrypt", "-o", tmp_path / "plain", *key, stdin=sealed)
    assert (tmp_path / "plain").read_bytes() == plain


def test_the_context_is_the_one_that_was_sealed(keys):
    key = ["--key-file", keys / "own"]
    sealed = run("encrypt", *key, "-c", "a=1", "-c", "tenant=7", "--required-context", "tenant", stdin=b"text").stdout
    assert b"tenant" not in sealed
    run("decrypt", *key, "-c", "tenant=7", stdin=sealed)
    run("decrypt", *key, "-c", "tenant=7", "-c", "a=1", "--required-context", "tenant", stdin=sealed)
    for wrong in (["a=2", "tenant=7"], ["tenant=8"], ["a=1", "tenant=7", "more=x"]):
        pairs = [word for pair in wrong for word in ("-c", pair)]
        run("decrypt", *key, *pairs, stdin=sealed, code=REFUSED)
    assert b"--context has to give them" in run("decrypt", *key, stdin=sealed, code=KEY).stderr
    run("decrypt", *key, "--required-context", "tenant", stdin=sealed, code=REFUSED)
    run("decrypt", *key, stdin=sealed, code=KEY)
    run("encrypt", *key, "--required-context", "tenant", stdin=b"", code=REFUSED)
    run("encrypt", *key, "-c", "aws-crypto-public-key=x", stdin=b"", code=USAGE)
    run("encrypt", *key, "-c", "a=1", "-c", "a=2", stdin=b"", code=USAGE)


def test_commitment_is_asked_for(keys):
    key = ["--key-file", keys / "own"]
    run("encrypt", *key, "--suite", "0178", stdin=b"", code=REFUSED)
    sealed = run("encrypt", *key, "--suite", "0178", "--commitment-policy", "forbid-encrypt-allow-decrypt", stdin=b"text").stdout
    run("decrypt", *key, stdin=sealed, code=REFUSED)
    assert run("decrypt", *key, "--commitment-policy", "require-encrypt-allow-decrypt", stdin=sealed).stdout == b"text"


def test_refusals_name_the_way_out(tmp_path, keys):
    key = ["--key-file", keys / "own"]
    forbid, allow = (["--commitment-policy", name] for name in ("forbid-encrypt-allow-decrypt", "require-encrypt-allow-decrypt"))
    refused = run("encrypt", *key, "--suite", "0178", stdin=b"text", code=REFUSED)
    assert forbid[1].encode() in refused.stderr
    sealed = run("encrypt", *key, "--suite", "0178", *forbid, stdin=b"text")
    refused = run("decrypt", *key, stdin=sealed.stdout, code=REFUSED)
    assert b"--commitment-policy " + allow[1].encode() in refused.stderr
    assert run("decrypt", *key, *allow, stdin=sealed.stdout).stdout == b"text"
    assert b"not written under" in run("encrypt", *key, "--suite", "0478", *forbid, stdin=b"text", code=REFUSED).stderr


def test_frames_that_others_refuse_are_warned_of(tmp_path, keys):
    key, limit = ["--key-file", keys / "own"], 16 * MIB
    assert run("encrypt", *key, "--frame-length", limit, stdin=b"x").stderr == b""
    (tmp_path / "plain").write_bytes(bytes(limit + 1))
    done = run("encrypt", tmp_path / "plain", "-o", tmp_path / "sealed", *key, "--frame-length", limit + 1)
    assert b"--frame-limit" in done.stderr
    refused = run("decrypt", tmp_path / "sealed", "-o", tmp_path / "again", *key, code=REFUSED)
    assert b"--frame-limit" in refused.stderr


def test_usage_is_told(tmp_path, keys):
    own = ["--key-file", keys / "own"]
    public = ["--rsa-public-key", keys / "public.pem", *NAMES]
    sealed = run("encrypt", *public, stdin=b"").stdout
    cases = [
        ["encrypt"],
        ["decrypt"],
        ["encrypt", "--raw-key", keys / "aes256"],
        ["encrypt", "--raw-key", keys / "aes256", "--key-namespace", "aws-kms", "--key-name", "x"],
        ["encrypt", "--rsa-private-key", keys / "private.pem", *NAMES],
        ["decrypt", *public],
        ["encrypt", "--key-file", keys / "private.pem"],
        ["encrypt", "--raw-key", keys / "own", *NAMES],
        ["encrypt", *own, "--suite", "9999"],
        ["encrypt", *own, "--frame-length", "0"],
        ["encrypt", *own, "-c", "novalue"],
        ["encrypt", *own, "--no-such-option"],
        # What would say nothing.
        ["encrypt", *own, "--rsa-padding", "pkcs1"],
        ["encrypt", *own, *NAMES],
        ["encrypt", *own, "--grant-token", "x"],
        ["decrypt", *own, "--discovery-account", "1" * 12],
        ["decrypt", *own, "--discovery", "--discovery-partition", "aws-cn"],
        ["encrypt", *own, "-o", tmp_path],
        ["keygen"],
    ]
    for case in cases:
        run(*case, stdin=sealed, code=USAGE)
    for case in (["encrypt", tmp_path / "missing", *own], ["encrypt", "--key-file", tmp_path / "missing"], ["inspect", tmp_path / "missing"]):
        run(*case, code=FAILED)
    run("inspect", stdin=b"plain text", code=INPUT)


def on_a_terminal(*arguments) -> bytes:
    """What a person sees on standard error."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, *map(str, arguments)], stderr=theirs, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    os.close(theirs)
    for _ in range(8):
        process.stdin.write(bytes(64 * KIB))
        process.stdin.flush()
        time.sleep(0.1)
    process.stdin.close()
    seen = b""
    try:
        while read := os.read(ours, 4096):
            seen += read
    except OSError:
        pass
    os.close(ours)
    assert process.wait(timeout=30) == DONE
    return seen


def test_progress_is_for_terminals(tmp_path, keys):
    key = ["--key-file", keys / "own"]
    seen = on_a_terminal("encrypt", "-o", tmp_path / "a", *key)
    assert b"KiB/s" in seen and seen.endswith(b"\r\x1b[K"), seen
    assert on_a_terminal("encrypt", "-o", tmp_path / "b", "--quiet", *key) == b""
    assert run("encrypt", "-o", tmp_path / "c", *key, stdin=bytes(4 * MIB)).stderr == b""


def test_names_may_be_any_bytes(tmp_path, keys):
    key = ["--key-file", keys / "own"]
    name = os.fsencode(tmp_path) + b"/\xff\xfe"
    Path(os.fsdecode(name)).write_bytes(b"text")
    subprocess.run([BINARY, "encrypt", name, "-o", name + b".sealed", *key], check=True)
    told = subprocess.run([BINARY, "inspect", name + b".sealed"], check=True, capture_output=True)
    assert b"0578" in told.stdout
    assert subprocess.run([BINARY, "decrypt", name + b".sealed", *key], check=True, capture_output=True).stdout == b"text"


def test_a_name_forges_no_line(tmp_path, keys):
    name = "x\nstrongroom: verified\u202e\u009b"
    (tmp_path / name).write_bytes(b"no message")
    done = run("decrypt", tmp_path / name, "-o", tmp_path / "out", "--key-file", keys / "own", code=INPUT)
    assert done.stderr.count(b"\n") == 1 and b"x\\nstrongroom: verified\\u{202e}\\u{9b}" in done.stderr


def test_keys_are_for_their_owner(tmp_path, keys):
    assert (keys / "own").stat().st_mode & 0o777 == 0o600
    run("keygen", "-o", keys / "own", code=FAILED)
    for name in ("own", "aes256"):
        exposed = tmp_path / name
        exposed.write_bytes((keys / name).read_bytes())
        exposed.chmod(0o640)
        which = ["--key-file", exposed] if name == "own" else ["--raw-key", exposed, *NAMES]
        assert b"make it 0600" in run("encrypt", *which, code=FAILED).stderr
    if os.geteuid() == 0:
        foreign = secret(tmp_path / "foreign", (keys / "own").read_bytes())
        os.chown(foreign, 65534, 65534)
        assert b"belongs to somebody else" in run("encrypt", "--key-file", foreign, code=FAILED).stderr
    # A key that comes through a pipe has no others.
    script = f'{BINARY} encrypt --key-file <({BINARY} keygen -o - 2>/dev/null)'
    assert subprocess.run(["bash", "-c", script], input=b"x", capture_output=True, check=True).stdout
    told = run("keygen", "-o", tmp_path / "new", "--json")
    assert results(told)[0]["id"] in (tmp_path / "new").read_text()


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_stop_in_the_middle_leaves_no_final_file(tmp_path, keys, stop):
    key = ["--key-file", keys / "own"]
    sealed = run("encrypt", *key, "--suite", "0478", stdin=os.urandom(4 * MIB)).stdout
    for command, half in (["encrypt", os.urandom(2 * MIB)], ["decrypt", sealed[: 2 * MIB]]):
        folder = tmp_path / command
        folder.mkdir()
        process = subprocess.Popen([BINARY, command, "-o", folder / "out", *key], stdin=subprocess.PIPE, preexec_fn=interruptible)
        process.stdin.write(half)
        process.stdin.flush()
        wait_for(lambda: any(path.stat().st_size > 0 for path in folder.iterdir()))
        assert all(name.startswith(".strongroom-") for name in files(folder)), "no final name yet"
        process.send_signal(stop)
        assert process.wait(timeout=30) == -stop
        process.stdin.close()
        left = files(folder)
        assert "out" not in left and (stop == signal.SIGKILL or not left), left


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def small_disk(tmp_path):
    with disks.small(tmp_path / "small", "2m") as folder:
        yield folder


def test_a_disk_that_fills_up_is_left_as_it_was(tmp_path, keys, small_disk):
    key = ["--key-file", keys / "own"]
    (tmp_path / "plain").write_bytes(os.urandom(4 * MIB))
    run("encrypt", tmp_path / "plain", "-o", tmp_path / "sealed", *key)
    for command, source in (("encrypt", "plain"), ("decrypt", "sealed")):
        done = run(command, tmp_path / source, "-o", small_disk / "out", *key, code=FAILED)
        assert os.strerror(errno.ENOSPC).encode() in done.stderr
        assert files(small_disk) == set()
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "decrypt", tmp_path / "sealed", "--release-frames", *key], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED


def test_a_reader_that_leaves_is_a_failure(tmp_path, keys):
    """Not everything was verified."""
    key = ["--key-file", keys / "own"]
    sealed = run("encrypt", *key, "--suite", "0478", stdin=bytes(8 * MIB)).stdout
    (tmp_path / "sealed").write_bytes(sealed)
    process = subprocess.Popen([BINARY, "decrypt", tmp_path / "sealed", *key], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(timeout=30) == FAILED


@pytest.fixture(scope="module")
def aws(server) -> dict[str, str]:
    """What `strongroom env` sets for any client."""
    return {"PATH": os.environ["PATH"], **{k: v for k, v in server.environment_of_clients().items() if k.startswith("AWS_")}}


def test_a_kms_key_seals_and_opens(server, kms, key_arn, aws, keys):
    plain, context = secrets.token_bytes(100_000), ["-c", "purpose=test"]
    alias = f"alias/cli-{secrets.token_hex(4)}"
    kms.create_alias(AliasName=alias, TargetKeyId=key_arn)
    for name in (key_arn, key_arn.rsplit("/")[-1], alias):
        sealed = run("encrypt", "--kms-key", name, *context, stdin=plain, env=aws).stdout
        assert run("decrypt", "--kms-key", key_arn, *context, stdin=sealed, env=aws).stdout == plain
        assert run("decrypt", "--discovery", stdin=sealed, env=aws).stdout == plain
    (told,) = results(run("inspect", "--json", stdin=sealed))
    assert told["keys"] == [{"kind": "kms", "provider": "aws-kms", "name": key_arn}]
    account = key_arn.split(":")[4]
    run("decrypt", "--discovery", "--discovery-account", account, stdin=sealed, env=aws)
    run("decrypt", "--discovery", "--discovery-account", "1" * 12, stdin=sealed, env=aws, code=KEY)
    run("decrypt", "--kms-key", alias, stdin=sealed, env=aws, code=USAGE)
    run("encrypt", "--discovery", stdin=plain, env=aws, code=USAGE)
    run("decrypt", "--kms-key", key_arn, "-c", "purpose=other", stdin=sealed, env=aws, code=REFUSED)
    # An own key beside it opens without the service.
    both = run("encrypt", "--kms-key", key_arn, "--key-file", keys / "own", stdin=plain, env=aws).stdout
    assert run("decrypt", "--key-file", keys / "own", stdin=both).stdout == plain


def test_a_kms_that_refuses_or_is_not_there(server, kms, aws):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = run("encrypt", "--kms-key", arn, stdin=b"text", env=aws).stdout
    kms.disable_key(KeyId=arn)
    run("encrypt", "--kms-key", arn, stdin=b"text", env=aws, code=KEY)
    refused = run("decrypt", "--kms-key", arn, stdin=sealed, env=aws, code=KEY)
    assert b"DisabledException" in refused.stderr
    stranger = {**aws, "AWS_SECRET_ACCESS_KEY": "wrong" * 8}
    run("encrypt", "--kms-key", arn, stdin=b"text", env=stranger, code=KEY)
    nowhere = {**aws, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run("encrypt", "--kms-key", arn, stdin=b"text", env=nowhere, code=FAILED)
    run("decrypt", "--kms-key", arn, stdin=sealed, env=nowhere, code=FAILED)
    unset = {name: value for name, value in aws.items() if "KEY" not in name}
    run("encrypt", "--kms-key", arn, stdin=b"text", env={**unset, "HOME": "/nonexistent"}, code=USAGE)
    run("encrypt", "--kms-key", "arn:aws:kms:nonsense", stdin=b"text", env=aws, code=USAGE)


def test_a_kms_key_that_may_not_be_used(server, kms, iam, key_arn, aws):
    user = f"cli-{secrets.token_hex(4)}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    nobody = {**aws, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    sealed = run("encrypt", "--kms-key", key_arn, stdin=b"text", env=aws).stdout
    for command in (["encrypt"], ["decrypt"]):
        denied = run(*command, "--kms-key", key_arn, stdin=sealed, env=nobody, code=KEY)
        assert b"AccessDeniedException" in denied.stderr


def test_a_member_of_a_multi_region_key_opens_what_another_sealed(tmp_path):
    server = Server(tmp_path, environment={"STRONGROOM_REGIONS": "us-east-1,eu-west-1"}).start()
    try:
        here, there = server.client("kms"), server.client("kms", region="eu-west-1")
        primary = here.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
        replica = here.replicate_key(KeyId=primary, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]["Arn"]
        single = there.create_key()["KeyMetadata"]["Arn"]
        clients = server.environment_of_clients()
        env = {"PATH": os.environ["PATH"], **{k: v for k, v in clients.items() if k.startswith("AWS_")}}
        sealed = run("encrypt", "--kms-key", primary, stdin=b"text", env=env).stdout
        assert run("decrypt", "--kms-key", replica, stdin=sealed, env=env).stdout == b"text"
        assert run("decrypt", "--discovery", "--discovery-region", "eu-west-1", stdin=sealed, env=env).stdout == b"text"
        run("decrypt", "--kms-key", single, stdin=sealed, env=env, code=KEY)
        here.disable_key(KeyId=primary)
        assert run("decrypt", "--kms-key", replica, stdin=sealed, env=env).stdout == b"text"
        run("decrypt", "--kms-key", primary, stdin=sealed, env=env, code=KEY)
    finally:
        server.stop()


class Peak:
    """The most memory that processes had at once, each by itself, in bytes.

    Not `ru_maxrss`, which a process inherits from the one that forked it: the kernel's own high-water mark, read until they end.
    """

    def __init__(self, *processes: subprocess.Popen):
        self.processes = processes
        self.bytes = 0

    def sample(self) -> int:
        for process in self.processes:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except FileNotFoundError:
                continue
            marks = [line for line in status.splitlines() if line.startswith("VmHWM:")]
            self.bytes = max(self.bytes, *(int(mark.split()[1]) * KIB for mark in marks), 0)
        return self.bytes


def test_20_gib_through_a_pipe_in_bounded_memory(keys):
    key = ["--key-file", keys / "own"]
    zero = subprocess.Popen(["head", "-c", str(PIPE_BYTES), "/dev/zero"], stdout=subprocess.PIPE)
    seal = subprocess.Popen([BINARY, "encrypt", "--suite", "0478", *key], stdin=zero.stdout, stdout=subprocess.PIPE)
    open_ = subprocess.Popen([BINARY, "decrypt", *key], stdin=seal.stdout, stdout=subprocess.PIPE)
    zero.stdout.close()
    seal.stdout.close()
    peak = Peak(seal, open_)
    buffer, total, reads = memoryview(bytearray(MIB)), 0, 0
    while read := os.readv(open_.stdout.fileno(), [buffer]):
        total, reads = total + read, reads + 1
        if reads % 1000 == 0:
            peak.sample()
    assert total == PIPE_BYTES and not any(buffer)
    assert [process.wait(timeout=30) for process in (zero, seal, open_)] == [0, 0, 0]
    assert 0 < peak.bytes < MEMORY, peak.bytes


def test_memory_is_bounded_for_files_too(tmp_path, keys):
    """A signed message of a length that could not be held."""
    key = ["--key-file", keys / "own"]
    with (tmp_path / "plain").open("wb") as plain:
        plain.truncate(200 * MIB)
    for command, source, target in (("encrypt", "plain", "sealed"), ("decrypt", "sealed", "again")):
        process = subprocess.Popen([BINARY, command, tmp_path / source, "-o", tmp_path / target, *key])
        peak = Peak(process)
        while process.poll() is None:
            peak.sample()
        assert process.returncode == 0 and 0 < peak.bytes < MEMORY, peak.bytes
    assert digest(tmp_path / "again") == digest(tmp_path / "plain")


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
