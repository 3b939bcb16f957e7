"""An external key store proxy: the published XKS API over HTTPS, with real AES-256-GCM, and with faults at the turn of a switch.

https://github.com/aws/aws-kms-xksproxy-api-spec/blob/main/xks_proxy_api_spec.md
"""

import base64
import datetime
import hashlib
import hmac
import json
import re
import secrets
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

STATUS = {
    "ValidationException": 400,
    "InvalidStateException": 400,
    "InvalidCiphertextException": 400,
    "InvalidKeyUsageException": 400,
    "AuthenticationFailedException": 401,
    "AccessDeniedException": 403,
    "KeyNotFoundException": 404,
    "InvalidUriPathException": 404,
    "ThrottlingException": 429,
    "UnsupportedOperationException": 501,
    "DependencyTimeoutException": 503,
    "InternalException": 500,
}
SKEW_SECONDS = 300


class Refusal(Exception):
    """An error of the API's table."""


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "XKS test CA " + secrets.token_hex(4))])
        certificate = self._builder(self.name, self.key.public_key(), ca=True).sign(self.key, hashes.SHA256())
        self.folder = folder
        self.pem = folder / "xks-ca.pem"
        self.pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key, ca: bool) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        return builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)

    def context(self, *hosts: str) -> ssl.SSLContext:
        """The TLS of a server that has these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        certificate = (
            self._builder(subject, key.public_key(), ca=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        path = self.folder / f"xks-{secrets.token_hex(4)}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


@dataclass
class ExternalKey:
    """A key that never leaves this process."""

    material: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    spec: str = "AES_256"
    usage: tuple[str, ...] = ("ENCRYPT", "DECRYPT")
    status: str = "ENABLED"


class XksProxy:
    """One proxy, by every name in `hosts` and under every path in `paths`. `faults` are what it does wrong, by name; `refuse` is the
    error that it answers every request with.

    Faults: slow, hang, closed, truncated, html, not-json, not-object, huge, wrong-name, success-without-members, no-integrity,
    wrong-integrity, wrong-length, wrong-tag, long-metadata, short-iv, wrong-plaintext, short-plaintext, unavailable, no-fleet.
    """

    def __init__(self, folder: Path, hosts=("xks.test",), paths=("/kms/xks/v1",), region: str = "us-east-1"):
        self.authority = Authority(folder)
        self.hosts, self.paths, self.region = hosts, paths, region
        self.access_key_id = "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(24))
        self.secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.keys: dict[str, ExternalKey] = {}
        self.faults: set[str] = set()
        self.refuse: str | None = None
        self.metadata = b"version=1"
        self.requests: list[tuple[str, dict]] = []
        self.context = self.authority.context(*hosts)
        self.port = 0
        self.server: ThreadingHTTPServer | None = None

    @property
    def endpoint(self) -> str:
        """What a key store is given; the server finds the proxy by its operator's route."""
        return f"https://{self.hosts[0]}"

    @property
    def route(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def credential(self) -> dict[str, str]:
        return {"AccessKeyId": self.access_key_id, "RawSecretAccessKey": self.secret}

    def add_key(self, key_id: str, **options) -> ExternalKey:
        self.keys[key_id] = ExternalKey(**options)
        return self.keys[key_id]

    def start(self) -> "XksProxy":
        """On the port of the time before, if there was one."""
        self.server = _Server(("127.0.0.1", self.port), _handler(self))
        self.server.tls = self.context
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        """Nobody listens afterwards, and the connections of before are gone too."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server.close_connections()
            self.server = None

    def well(self) -> None:
        self.faults.clear()
        self.refuse = None

    # What the requests do.

    def answer(self, path: str, headers, body: bytes) -> dict:
        prefix = next((prefix for prefix in self.paths if path.startswith(prefix + "/")), None)
        if prefix is None:
            raise Refusal("InvalidUriPathException")
        self._authenticate(path, headers, body)
        request = json.loads(body)
        operation = path[len(prefix) + 1 :]
        self.requests.append((operation, request))
        if self.refuse:
            raise Refusal(self.refuse)
        metadata = request["requestMetadata"]
        if not metadata["kmsRequestId"] or not metadata["kmsOperation"]:
            raise Refusal("ValidationException")
        if operation == "health":
            return self._health()
        match = re.fullmatch(r"keys/([A-Za-z0-9._-]{1,128})/(metadata|encrypt|decrypt)", operation)
        if not match:
            raise Refusal("InvalidUriPathException")
        key = self.keys.get(match[1])
        if key is None:
            raise Refusal("KeyNotFoundException")
        if not metadata["awsPrincipalArn"]:
            raise Refusal("ValidationException")
        if match[2] == "metadata":
            return {"keySpec": key.spec, "keyUsage": list(key.usage), "keyStatus": key.status}
        if key.status != "ENABLED":
            raise Refusal("InvalidStateException")
        if match[2].upper() not in key.usage:
            raise Refusal("InvalidKeyUsageException")
        if not metadata["kmsKeyArn"].startswith("arn:") or request["encryptionAlgorithm"] != "AES_GCM":
            raise Refusal("ValidationException")
        return self._encrypt(key, request) if match[2] == "encrypt" else self._decrypt(key, request)

    def _health(self) -> dict:
        status = "UNAVAILABLE" if "unavailable" in self.faults else "ACTIVE"
        return {
            "xksProxyFleetSize": 0 if "no-fleet" in self.faults else 1,
            "xksProxyVendor": "Tests",
            "xksProxyModel": "Tests 1",
            "ekmVendor": "Tests",
            "ekmFleetDetails": [{"id": "one", "model": "Memory", "healthStatus": status}],
        }

    def _encrypt(self, key: ExternalKey, request: dict) -> dict:
        aad = _decoded(request.get("additionalAuthenticatedData", ""))
        plaintext, iv = _decoded(request["plaintext"]), secrets.token_bytes(12)
        metadata = b"x" * 21 if "long-metadata" in self.faults else self.metadata
        sealed = AESGCM(key.material).encrypt(iv, plaintext, _bound(aad, metadata))
        ciphertext, tag = sealed[:-16], sealed[-16:]
        if "wrong-length" in self.faults:
            ciphertext += b"\0"
        if "short-iv" in self.faults:
            iv = iv[:8]
        integrity = hashlib.sha256(aad + metadata + iv + ciphertext + tag).digest()
        if "wrong-integrity" in self.faults:
            integrity = bytes(32)
        if "wrong-tag" in self.faults:
            tag = bytes(16)
        answer = {
            "ciphertext": _encoded(ciphertext),
            "ciphertextMetadata": _encoded(metadata),
            "initializationVector": _encoded(iv),
            "authenticationTag": _encoded(tag),
        }
        if request.get("ciphertextDataIntegrityValueAlgorithm") == "SHA_256" and "no-integrity" not in self.faults:
            answer["ciphertextDataIntegrityValue"] = _encoded(integrity)
        return answer

    def _decrypt(self, key: ExternalKey, request: dict) -> dict:
        aad, iv = _decoded(request.get("additionalAuthenticatedData", "")), _decoded(request["initializationVector"])
        metadata, tag = _decoded(request.get("ciphertextMetadata", "")), _decoded(request["authenticationTag"])
        ciphertext = _decoded(request["ciphertext"])
        try:
            plaintext = AESGCM(key.material).decrypt(iv, ciphertext + tag, _bound(aad, metadata))
        except InvalidTag:
            raise Refusal("InvalidCiphertextException") from None
        if "wrong-plaintext" in self.faults:
            plaintext = bytes(byte ^ 1 for byte in plaintext)
        if "short-plaintext" in self.faults:
            plaintext = plaintext[:-1]
        return {"plaintext": _encoded(plaintext)}

    def _authenticate(self, path: str, headers, body: bytes) -> None:
        """Signature Version 4, with the service kms-xks-proxy."""
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/kms-xks-proxy/aws4_request, "
            r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
            headers.get("authorization", ""),
        )
        if not match or match[1] != self.access_key_id or match[3] != self.region:
            raise Refusal("AuthenticationFailedException")
        _, date, region, names, signature = match.groups()
        signed, at = names.split(";"), headers.get("x-amz-date", "")
        if "host" not in signed or "x-amz-date" not in signed or headers.get("host") not in self.hosts:
            raise Refusal("AuthenticationFailedException")
        try:
            moment = datetime.datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        except ValueError:
            raise Refusal("AuthenticationFailedException") from None
        if abs(time.time() - moment.timestamp()) > SKEW_SECONDS or at[:8] != date:
            raise Refusal("AuthenticationFailedException")
        lines = ["POST", path, "", *(f"{name}:{headers[name].strip()}" for name in signed), "", names]
        canonical = "\n".join([*lines, hashlib.sha256(body).hexdigest()])
        scope = f"{date}/{region}/kms-xks-proxy/aws4_request"
        key = ("AWS4" + self.secret).encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        expected = hmac.digest(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashed}".encode(), "sha256").hex()
        if not hmac.compare_digest(expected, signature):
            raise Refusal("AuthenticationFailedException")


def _bound(aad: bytes, metadata: bytes) -> bytes:
    """The additional data of AES-GCM, as the specification recommends it: both parts with their lengths."""
    return struct.pack(">H", len(aad)) + aad + struct.pack("B", len(metadata)) + metadata


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    tls: ssl.SSLContext

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.open: set[socket.socket] = set()

    def finish_request(self, request, client_address):
        """The handshake runs in the connection's thread."""
        try:
            secured = self.tls.wrap_socket(request, server_side=True)
        except (ssl.SSLError, OSError):
            return
        self.open.add(secured)
        try:
            super().finish_request(secured, client_address)
        except OSError:
            pass
        finally:
            self.open.discard(secured)
            secured.close()

    def close_connections(self):
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def _handler(proxy: XksProxy):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # The head and the body are two writes: without this, the second waits for the first to be acknowledged.
        disable_nagle_algorithm = True

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            faults = set(proxy.faults)
            if "slow" in faults:
                time.sleep(1)
            if "hang" in faults:
                time.sleep(30)
            if "closed" in faults:
                self.close_connection = True
                return
            try:
                status, answer = 200, proxy.answer(self.path, self.headers, body)
            except Refusal as refusal:
                name = str(refusal)
                status, answer = STATUS[name], {"errorName": name, "errorMessage": "The proxy says no."}
            text = json.dumps(answer).encode()
            if "html" in faults:
                status, text = 502, b"<html>Bad Gateway</html>"
            if "not-json" in faults:
                text = b"OK"
            if "not-object" in faults:
                text = b"[]"
            if "success-without-members" in faults:
                status, text = 200, b"{}"
            if "wrong-name" in faults:
                status, text = 400, b'{"errorName": "NobodyKnowsException"}'
            if "huge" in faults:
                text = b'{"padding": "' + b"x" * 200_000 + b'"}'
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            if "truncated" in faults:
                self.wfile.write(text[:-5])
                self.close_connection = True
                return
            self.wfile.write(text)

        def do_GET(self):
            self.send_error(405)

        def log_message(self, format, *args):
            pass

    return Handler
