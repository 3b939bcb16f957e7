"""Starts the real binary on a folder of its own and hands out real clients for it."""

import os
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path

import boto3
import botocore.config
import requests

import recorder

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("STRONGROOM_BINARY", ROOT / "target/release/strongroom"))
REGION = "us-east-1"
ACCOUNT = "000011112222"
START_SECONDS = 20


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """One `strongroom serve`. It may be killed and started again on the same folder."""

    started: list["Server"] = []

    def __init__(self, folder: Path, *flags: str, environment: dict[str, str] | None = None):
        self.folder = folder
        self.data = folder / "data"
        self.flags = flags
        self.environment = environment or {}
        self.http_port, self.https_port = free_port(), free_port()
        self.access_key_id = "SRTEST" + secrets.token_hex(7).upper()
        self.secret_access_key = secrets.token_urlsafe(30)
        self.process: subprocess.Popen | None = None

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def https(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    def settings(self) -> dict[str, str]:
        """The environment of every `strongroom` command for this server."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "STRONGROOM_DATA_DIR": str(self.data),
            "STRONGROOM_HTTP": f"127.0.0.1:{self.http_port}",
            "STRONGROOM_HTTPS": f"127.0.0.1:{self.https_port}",
            "STRONGROOM_REGION": REGION,
            "STRONGROOM_ACCOUNT_ID": ACCOUNT,
            # Attacks on signatures would wait for their answers; tests/attacks/test_network.py has it on.
            "STRONGROOM_DELAY_FAILURES": "off",
            "STRONGROOM_ROOT_ACCESS_KEY_ID": self.access_key_id,
            "STRONGROOM_ROOT_SECRET_ACCESS_KEY": self.secret_access_key,
            **self.environment,
        }

    def run(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess:
        """Another command of the binary, with this server's settings."""
        return subprocess.run(
            [str(BINARY), *arguments], env=self.settings(), capture_output=True, text=True, timeout=300, check=check
        )

    def start(self) -> "Server":
        Server.started.append(self)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", *self.flags], env=self.settings(), stdout=log, stderr=log, cwd=self.folder
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
            try:
                if requests.get(self.http + "/_/health/ready", timeout=1).status_code == 200:
                    return self
            except requests.ConnectionError:
                time.sleep(0.01)
        raise RuntimeError(f"the server was not ready after {START_SECONDS} s:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)

    def kill(self) -> None:
        assert self.process
        self.process.kill()
        self.process.wait(timeout=30)

    def environment_of_clients(self) -> dict[str, str]:
        """What `strongroom env` prints, as a dictionary; the way a person sets up a client."""
        script = f'eval "$({BINARY} env)" && env -0'
        output = subprocess.run(["sh", "-c", script], env=self.settings(), capture_output=True, check=True).stdout
        return dict(item.decode().split("=", 1) for item in output.split(b"\0") if item)

    def ca_bundle(self) -> str:
        return self.environment_of_clients()["AWS_CA_BUNDLE"]

    def client(self, service: str = "s3", secure: bool = False, credentials: tuple[str, str] | None = None, **options):
        """A boto3 client; over HTTPS it trusts the server's own CA and nothing else."""
        access_key_id, secret_access_key = credentials or (self.access_key_id, self.secret_access_key)
        configuration = options.pop("config", botocore.config.Config()).merge(
            botocore.config.Config(retries={"max_attempts": 1}, connect_timeout=10, read_timeout=120)
        )
        client = boto3.client(
            service,
            region_name=options.pop("region", REGION),
            endpoint_url=self.https if secure else self.http,
            verify=self.ca_bundle() if secure else None,
            aws_access_key_id=access_key_id,
            aws_secret_access_key=secret_access_key,
            config=configuration,
            **options,
        )
        recorder.listen(client)
        return client
