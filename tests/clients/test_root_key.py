"""Root keys of every sort through `strongroom root-key` against a running server: a file, a passphrase, SoftHSM, a second Strongroom."""

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest
import requests
from strongroom import Server

PASSPHRASE = "correct horse battery staple"
SOFTHSM = next((path for path in map(Path, ["/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"]) if path.exists()), None)


def private(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def token(server: Server) -> str:
    """A PKCS#11 URI of a root key in a SoftHSM token of the server's own."""
    assert SOFTHSM, "SoftHSM is missing: apt-get install softhsm2"
    (server.folder / "tokens").mkdir()
    settings = server.folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {server.folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    server.environment["SOFTHSM2_CONF"] = str(settings)
    initialise = ["softhsm2-util", "--init-token", "--free", "--label", "vault", "--pin", "1234", "--so-pin", "5678"]
    subprocess.run(initialise, env=os.environ | server.environment, check=True, capture_output=True)
    pin = private(server.folder / "pin", "1234\n")
    return f"pkcs11:token=vault;id=strongroom-rk-01?module-path={SOFTHSM}&pin-source={pin}"


def kms_key(server: Server, other: Server) -> str:
    """A key of the other server, and an access key for it in a file."""
    arn = other.client("kms").create_key()["KeyMetadata"]["Arn"]
    credentials = private(
        server.folder / "kms.toml",
        f'access_key_id = "{other.access_key_id}"\nsecret_access_key = "{other.secret_access_key}"\n',
    )
    return f"kms:{other.https}/{arn}?region=us-east-1&credentials={credentials}&ca={other.ca_bundle()}"


class Data:
    """What a server holds, and must give back whatever its root key is."""

    def __init__(self, server: Server):
        self.server = server
        server.client("s3").create_bucket(Bucket="photos")
        server.client("s3").put_object(Bucket="photos", Key="cat", Body=b"meow" * 50_000)
        self.key = server.client("kms").create_key()["KeyMetadata"]["KeyId"]
        self.blob = server.client("kms").encrypt(KeyId=self.key, Plaintext=b"plaintext")["CiphertextBlob"]

    def check(self):
        assert self.server.client("kms").decrypt(CiphertextBlob=self.blob)["Plaintext"] == b"plaintext"
        assert self.server.client("s3").get_object(Bucket="photos", Key="cat")["Body"].read() == b"meow" * 50_000


@pytest.fixture
def elsewhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    server = Server(tmp_path / "elsewhere").start()
    yield server
    server.stop()


@pytest.fixture
def server(tmp_path):
    (tmp_path / "own").mkdir()
    server = Server(tmp_path / "own").start()
    yield server
    server.stop()


def rotate(server: Server, provider: str) -> str:
    done = server.run("root-key", "rotate", "--to", provider)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status(server: Server) -> dict:
    return json.loads(server.run("root-key", "status", "--json", check=True).stdout)


def test_the_root_key_goes_round_while_the_server_serves(server, elsewhere):
    default = next((server.folder / "config").rglob("root.key"))
    passphrase = private(server.folder / "passphrase", PASSPHRASE + "\n")
    hsm = token(server)
    server.stop()
    server.start()
    data = Data(server)
    tour = {
        f"passphrase:{passphrase}": "a passphrase",
        hsm: "the PKCS#11 key strongroom-rk-01",
        kms_key(server, elsewhere): "the KMS key arn:aws:kms:us-east-1:",
        f"file:{server.folder}/new.key": "the key file with fingerprint",
        f"file:{default}": "the key file with fingerprint",
    }
    server.run("root-key", "create", hsm, check=True)
    server.run("root-key", "create", f"file:{server.folder}/new.key", check=True)
    before = None
    for provider, name in tour.items():
        # Online, from whatever it was.
        hint = rotate(server, provider)
        assert f'root_key = "{provider}"' in hint
        data.check()
        assert {key["under"][: len(name)] for key in status(server)["domain_keys"]} == {name}
        server.stop()
        # The one before is of no use any more, and the error says which one is.
        if before:
            server.environment["STRONGROOM_ROOT_KEY"] = before
            refused = server.run("serve")
            assert refused.returncode == 2 and f"wrapped under {name}" in refused.stderr, refused.stderr
        # Both of them open, and the new one alone.
        for setting in [",".join([provider, before or f"file:{default}"]), provider]:
            server.environment["STRONGROOM_ROOT_KEY"] = setting
            server.start()
            data.check()
            server.run("root-key", "rotate", "--domain-key", check=True)
            server.stop()
        server.start()
        before = provider
    assert len(status(server)["domain_keys"]) == 1 + 2 * len(tour)
    assert status(server)["pending"] == 0


def test_a_stopped_server_is_rotated_too(server):
    data = Data(server)
    server.stop()
    server.environment["ROOT_PASSPHRASE"] = PASSPHRASE
    rotate(server, "passphrase-env:ROOT_PASSPHRASE")
    server.environment["STRONGROOM_ROOT_KEY"] = "passphrase-env:ROOT_PASSPHRASE"
    server.start()
    data.check()
    server.environment["ROOT_PASSPHRASE"] = "another horse battery staple"
    server.stop()
    refused = server.run("serve")
    assert refused.returncode == 2 and "no configured root key opens" in refused.stderr, refused.stderr
    assert "horse" not in server.log.read_text() + refused.stderr


def test_a_variable_of_the_command_reaches_the_server(server):
    data = Data(server)
    server.environment["ROOT_PASSPHRASE"] = PASSPHRASE  # of the command; the server was started without
    rotate(server, "passphrase-env:ROOT_PASSPHRASE")
    server.environment["STRONGROOM_ROOT_KEY"] = "passphrase-env:ROOT_PASSPHRASE"
    server.stop()
    server.start()
    data.check()


def test_a_new_store_under_a_passphrase_has_no_key_file(tmp_path):
    passphrase = private(tmp_path / "passphrase", PASSPHRASE)
    server = Server(tmp_path, environment={"STRONGROOM_ROOT_KEY": f"passphrase:{passphrase}"}).start()
    data = Data(server)
    assert not list((tmp_path / "config").rglob("root.key"))
    server.stop()
    server.start()
    data.check()
    server.stop()


def test_the_other_kms_is_asked_at_the_start_alone(server, elsewhere):
    provider = kms_key(server, elsewhere)
    rotate(server, provider)
    data = Data(server)
    server.stop()
    server.environment["STRONGROOM_ROOT_KEY"] = provider
    server.start()
    elsewhere.stop()
    data.check()
    server.client("kms").create_key()
    server.stop()
    refused = server.run("serve")
    assert refused.returncode == 2 and "cannot reach 127.0.0.1" in refused.stderr, refused.stderr
    elsewhere.start()
    # Somebody who disables the key shuts the store.
    kms = elsewhere.client("kms")
    arn = provider.split("?")[0].split("/", 3)[3]
    kms.disable_key(KeyId=arn)
    refused = server.run("serve")
    assert refused.returncode == 2 and "DisabledException" in refused.stderr, refused.stderr
    kms.enable_key(KeyId=arn)
    server.start()
    data.check()


def test_what_cannot_be_a_root_key_changes_nothing(server, elsewhere):
    data = Data(server)
    good = status(server)["domain_keys"]
    short = private(server.folder / "short", "elf letters")
    exposed = private(server.folder / "exposed", PASSPHRASE)
    exposed.chmod(0o644)
    sign = elsewhere.client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    right = kms_key(server, elsewhere)
    for provider, reason in {
        f"file:{server.folder}/none.key": "No such file",
        f"file:{server.data}/inside.key": "inside the data directory",
        f"passphrase:{short}": "at least 12 characters",
        f"passphrase:{exposed}": "make it 0600",
        right.replace(right.split(":key/")[1].split("?")[0], "0d990263-018e-4e65-a703-eff731de951e"): "NotFoundException",
        right.replace(right.split("/", 3)[3].split("?")[0], sign): "InvalidKeyUsageException",
        "pkcs11:token=a?module-path=/nowhere.so&pin-source=/nowhere": "/nowhere",
    }.items():
        refused = server.run("root-key", "rotate", "--to", provider)
        assert refused.returncode == 2 and reason in refused.stderr, (provider, refused.stderr)
    assert [key["under"] for key in status(server)["domain_keys"]] == [key["under"] for key in good]
    data.check()


STRANGER_REFUSED = 13


def is_refused(path: Path) -> bool:
    """Whether this user sees the socket and may not connect to it."""
    path.stat()
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
    except PermissionError:
        return True
    return False


def test_the_socket_is_the_owners_and_goes_with_the_server(server):
    path = server.data / "control"
    assert path.is_socket() and path.stat().st_mode & 0o777 == 0o600
    if os.geteuid() == 0:
        for folder in list(server.data.parents)[:-2] + [server.data]:
            folder.chmod(0o755)
        child = os.fork()
        if child == 0:
            os.setuid(65534)
            os._exit(STRANGER_REFUSED if is_refused(path) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == STRANGER_REFUSED
    server.stop()
    assert not path.exists()


def test_the_metrics_tell_how_far_re_wrapping_is(server):
    for _ in range(50):
        server.client("kms").create_key()
    server.run("root-key", "rotate", "--domain-key", check=True)
    assert status(server)["pending"] == 0
    metrics = requests.get(server.http + "/_/metrics", timeout=5).text
    assert "\nstrongroom_keys_rewrap_pending 0\n" in metrics and "\nstrongroom_keys_rewrapped_total 5" in metrics, metrics
