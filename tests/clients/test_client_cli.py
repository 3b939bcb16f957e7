"""Messages by the command line: keys, suites, contexts, what is told of them, and what is refused."""

import base64
import os
import re
import secrets
import subprocess
import time
from pathlib import Path

import aws_encryption_sdk
import pytest
from aws_encryption_sdk.identifiers import CommitmentPolicy, EncryptionKeyType, WrappingAlgorithm
from aws_encryption_sdk.internal.crypto.wrapping_keys import WrappingKey
from aws_encryption_sdk.key_providers.raw import RawMasterKeyProvider

import rsa_keys
from client_cli import DONE, FAILED, INPUT, KEY, KIB, MIB, REFUSED, USAGE, own, results, run, secret  # noqa: F401
from strongroom import BINARY


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    """A folder with a key of each sort."""
    folder = tmp_path_factory.mktemp("keys")
    run("keygen", "-o", folder / "own")
    run("keygen", "-o", folder / "other")
    for name, length in (("aes128", 16), ("aes192", 24), ("aes256", 32)):
        secret(folder / name, secrets.token_bytes(length))
    for form in ("pem", "der"):
        public, private = rsa_keys.pair(form.upper())
        (folder / f"public.{form}").write_bytes(public)
        secret(folder / f"private.{form}", private)
    return folder


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


def test_no_memory_of_a_command_is_dumped(own):
    """A core file would have the keys in it, and so would what another process of the same user reads."""
    with subprocess.Popen([BINARY, "encrypt", "-", "-o", "-", *own], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
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
def test_every_suite_and_many_sizes(own, suite, size):
    policy = [] if suite in ("0478", "0578") else ["--commitment-policy", "forbid-encrypt-allow-decrypt"]
    key = [*own, *policy]
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


def test_a_message_has_not_too_many_keys_unless_that_is_said(own):
    for count, code in ((32, DONE), (33, REFUSED)):
        done = run("encrypt", *own * count, stdin=b"text")
        sealed = done.stdout
        refused = run("decrypt", *own, stdin=sealed, code=code)
        for told in (done.stderr, refused.stderr):
            assert (b"--max-encrypted-data-keys" in told) == (code != DONE), told
    for most in ("0", "33"):
        assert run("decrypt", "--max-encrypted-data-keys", most, *own, stdin=sealed).stdout == b"text"


def test_aws_sdk_reads_and_writes_what_a_key_file_opens(own):
    lines = dict(line.split(" ", 1) for line in own[1].read_text().splitlines() if not line.startswith("#"))

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
    sealed = run("encrypt", *own, "-c", "a=b", stdin=plain).stdout
    opened, header = sdk.decrypt(source=sealed, key_provider=provider)
    assert opened == plain and header.encryption_context["a"] == "b"
    theirs, _ = sdk.encrypt(source=plain, key_provider=provider)
    assert run("decrypt", *own, stdin=theirs).stdout == plain


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
    assert inspected["body"] == {"truncated": False, "frames": 3, "plaintext_bytes": 3000, "trailing_bytes": 0}
    text = run("inspect", sealed).stdout.decode()
    assert "0578" in text and "a=b" in text and "3000 bytes in 3 frames" in text
    (failed,) = results(run("decrypt", sealed, "-o", tmp_path / "x", "--key-file", keys / "other", "--json", code=KEY))
    assert failed["code"] == KEY and failed["status"] == "failed" and "no key opens" in failed["error"]


@pytest.mark.parametrize("suite", ["0478", "0578"])
@pytest.mark.parametrize("frame", [1, 7, 1000])
def test_inspect_counts_frames_and_misses_those_that_are_cut_off(tmp_path, own, suite, frame):
    for length in (0, 1, frame, frame + 1, 10 * frame):
        sealed = run("encrypt", *own, "--suite", suite, "--frame-length", frame, stdin=b"x" * length).stdout
        (tmp_path / "sealed").write_bytes(sealed)
        (told,) = results(run("inspect", tmp_path / "sealed", "--json"))
        assert told["body"] == {"truncated": False, "frames": max(1, -(-length // frame)), "plaintext_bytes": length, "trailing_bytes": 0}
    (tmp_path / "sealed").write_bytes(sealed[: -200 if suite == "0578" else -30])
    (told,) = results(run("inspect", tmp_path / "sealed", "--json"))
    assert told["body"] == {"truncated": True}


def test_the_context_is_the_one_that_was_sealed(own):
    sealed = run("encrypt", *own, "-c", "a=1", "-c", "tenant=7", "--required-context", "tenant", stdin=b"text").stdout
    assert b"tenant" not in sealed
    run("decrypt", *own, "-c", "tenant=7", stdin=sealed)
    run("decrypt", *own, "-c", "tenant=7", "-c", "a=1", "--required-context", "tenant", stdin=sealed)
    for wrong in (["a=2", "tenant=7"], ["tenant=8"], ["a=1", "tenant=7", "more=x"]):
        pairs = [word for pair in wrong for word in ("-c", pair)]
        run("decrypt", *own, *pairs, stdin=sealed, code=REFUSED)
    assert b"--context has to give them" in run("decrypt", *own, stdin=sealed, code=KEY).stderr
    run("decrypt", *own, "--required-context", "tenant", stdin=sealed, code=REFUSED)
    run("decrypt", *own, stdin=sealed, code=KEY)
    run("encrypt", *own, "--required-context", "tenant", stdin=b"", code=REFUSED)
    run("encrypt", *own, "-c", "aws-crypto-public-key=x", stdin=b"", code=USAGE)
    run("encrypt", *own, "-c", "a=1", "-c", "a=2", stdin=b"", code=USAGE)


def test_commitment_is_asked_for(own):
    run("encrypt", *own, "--suite", "0178", stdin=b"", code=REFUSED)
    sealed = run("encrypt", *own, "--suite", "0178", "--commitment-policy", "forbid-encrypt-allow-decrypt", stdin=b"text").stdout
    run("decrypt", *own, stdin=sealed, code=REFUSED)
    assert run("decrypt", *own, "--commitment-policy", "require-encrypt-allow-decrypt", stdin=sealed).stdout == b"text"


def test_refusals_name_the_way_out(tmp_path, own):
    forbid, allow = (["--commitment-policy", name] for name in ("forbid-encrypt-allow-decrypt", "require-encrypt-allow-decrypt"))
    refused = run("encrypt", *own, "--suite", "0178", stdin=b"text", code=REFUSED)
    assert forbid[1].encode() in refused.stderr
    sealed = run("encrypt", *own, "--suite", "0178", *forbid, stdin=b"text")
    refused = run("decrypt", *own, stdin=sealed.stdout, code=REFUSED)
    assert b"--commitment-policy " + allow[1].encode() in refused.stderr
    assert run("decrypt", *own, *allow, stdin=sealed.stdout).stdout == b"text"
    assert b"not written under" in run("encrypt", *own, "--suite", "0478", *forbid, stdin=b"text", code=REFUSED).stderr


def test_frames_that_others_refuse_are_warned_of(tmp_path, own):
    key, limit = own, 16 * MIB
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


def test_progress_is_for_terminals(tmp_path, own):
    seen = on_a_terminal("encrypt", "-o", tmp_path / "a", *own)
    assert b"KiB/s" in seen and seen.endswith(b"\r\x1b[K"), seen
    assert on_a_terminal("encrypt", "-o", tmp_path / "b", "--quiet", *own) == b""
    assert run("encrypt", "-o", tmp_path / "c", *own, stdin=bytes(4 * MIB)).stderr == b""


def test_names_may_be_any_bytes(tmp_path, own):
    name = os.fsencode(tmp_path) + b"/\xff\xfe"
    Path(os.fsdecode(name)).write_bytes(b"text")
    subprocess.run([BINARY, "encrypt", name, "-o", name + b".sealed", *own], check=True)
    told = subprocess.run([BINARY, "inspect", name + b".sealed"], check=True, capture_output=True)
    assert b"0578" in told.stdout
    assert subprocess.run([BINARY, "decrypt", name + b".sealed", *own], check=True, capture_output=True).stdout == b"text"


def test_a_name_forges_no_line(tmp_path, own):
    name = "x\nstrongroom: verified\u202e\u009b"
    (tmp_path / name).write_bytes(b"no message")
    done = run("decrypt", tmp_path / name, "-o", tmp_path / "out", *own, code=INPUT)
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
