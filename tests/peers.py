"""Reference clients of other languages as long-lived processes that answer JSON lines."""

import base64
import contextlib
import json
import secrets
import select
import subprocess
from pathlib import Path

import rsa_keys
from strongroom import REGION, ROOT, Server

JAVA_CLASSES = ROOT / "target/clients-java"
ANSWER_SECONDS = 60


class Refused(Exception):
    """What the other side said instead of doing its work; a command has an exit code."""

    def __init__(self, words: str, code: int | None = None):
        super().__init__(words)
        self.code = code


class Peer:
    """One process: a line of work in, a line of answer out."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path, cwd: Path = ROOT):
        self.folder = folder
        self.log = (folder / "peer.log").open("ab")
        self.process = subprocess.Popen(
            command, env=environment, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def work(self, **work) -> dict:
        self.process.stdin.write(json.dumps(work) + "\n")
        self.process.stdin.flush()
        # One answer for one line of work, so nothing of it can lie in the reader's buffer.
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_SECONDS)
        if not ready:
            self.process.kill()
            raise TimeoutError(f"no answer to {work}")
        line = self.process.stdout.readline()
        assert line, (self.folder / "peer.log").read_text()[-4000:]
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer

    def stop(self) -> None:
        with contextlib.suppress(BrokenPipeError):  # of one that was killed
            self.process.stdin.close()
        self.process.wait(timeout=30)
        self.log.close()


class Java(Peer):
    """Amazon's S3 encryption clients for Java; tests/clients/java says what they may be told."""

    def __init__(self, server: Server, folder: Path):
        environment = server.environment_of_clients()
        trust = folder / "trust.p12"
        store = ["-keystore", str(trust), "-storetype", "PKCS12", "-storepass", "changeit"]
        certificate = ["-importcert", "-noprompt", "-alias", "strongroom", "-file", environment["AWS_CA_BUNDLE"]]
        subprocess.run(["keytool", *certificate, *store], check=True, capture_output=True)
        trusted = [f"-Djavax.net.ssl.trustStore={trust}", "-Djavax.net.ssl.trustStorePassword=changeit"]
        # A short-lived process on few cores: the quick compiler and the plain collector.
        lean = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx1g", "-Dfile.encoding=UTF-8"]
        path = f"{JAVA_CLASSES}/classes:{JAVA_CLASSES}/dependency/*"
        super().__init__(["java", *lean, *trusted, "-cp", path, "Main", server.https, REGION], environment, folder)

    def put(self, bucket: str, name: str, plaintext: bytes, client: str = "V4", **work) -> None:
        file = self.folder / "plaintext"
        file.write_bytes(plaintext)
        self.work(do="put", client=client, bucket=bucket, object=name, file=str(file), **work)

    def get(self, bucket: str, name: str, client: str = "V4", **work) -> bytes:
        file = self.folder / "opened"
        self.work(do="get", client=client, bucket=bucket, object=name, file=str(file), **work)
        return file.read_bytes()


def aes(size: int = 32, **description: str) -> dict:
    """A raw AES key as a peer takes it."""
    return {"aes": base64.b64encode(secrets.token_bytes(size)).decode(), "description": description}


def rsa_pair(bits: int = 2048, **description: str) -> dict:
    """A raw RSA key pair as a peer takes it."""
    public, private = rsa_keys.pair("DER", bits)
    return {
        "rsaPrivate": base64.b64encode(private).decode(),
        "rsaPublic": base64.b64encode(public).decode(),
        "description": description,
    }
