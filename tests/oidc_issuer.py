"""A small OpenID Connect issuer: discovery, keys, tokens, and what it may do wrong."""

import base64
import http.server
import json
import secrets
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from xks_proxy import Authority


def encoded(data: bytes | dict | int) -> str:
    """Base64url without padding; of a dictionary its JSON, of a number its bytes."""
    if isinstance(data, dict):
        data = json.dumps(data).encode()
    if isinstance(data, int):
        data = data.to_bytes((data.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """One issuer at `host`, on a port of its own. `faults`: unknown-status, not-json, huge, hang, wrong-issuer, plain-keys, no-keys."""

    def __init__(self, folder: Path, host: str, path: str = ""):
        folder.mkdir(exist_ok=True)
        self.authority = Authority(folder)
        self.host, self.path = host, path
        self.url = f"https://{host}{path}"
        self.faults: set[str] = set()
        self.asked: list[str] = []
        # Where it says that its keys are, if not at its own place.
        self.jwks_uri: str | None = None
        self.keys: dict[str, object] = {}
        self.rotate()

    def rotate(self) -> None:
        """New keys in place of the old ones."""
        self.key_id = secrets.token_hex(4)
        self.keys = {self.key_id: rsa.generate_private_key(65537, 2048), self.key_id + "-ec": ec.generate_private_key(ec.SECP256R1())}

    def thumbprint(self) -> str:
        return x509.load_pem_x509_certificate(self.authority.pem.read_bytes()).fingerprint(hashes.SHA1()).hex()

    def start(self) -> "Issuer":
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                if "hang" in issuer.faults:
                    time.sleep(8)
                body = issuer.document(self.path)
                self.send_response(200 if body is not None and "unknown-status" not in issuer.faults else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_):
                pass

        class TlsServer(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = TlsServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.server.socket = self.authority.context(self.host).wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        self.server.shutdown()

    def route(self) -> str:
        return f"{self.host}=https://127.0.0.1:{self.port}"

    def document(self, path: str) -> bytes | None:
        if "not-json" in self.faults:
            return b"<html>"
        if "huge" in self.faults:
            return b" " * 600_000
        if path == f"{self.path}/.well-known/openid-configuration":
            scheme = "http" if "plain-keys" in self.faults else "https"
            issuer = "https://somebody.example.com" if "wrong-issuer" in self.faults else self.url
            return json.dumps({"issuer": issuer, "jwks_uri": self.jwks_uri or f"{scheme}://{self.host}/keys"}).encode()
        if path == "/keys":
            keys = [] if "no-keys" in self.faults else [self.public(name, key) for name, key in self.keys.items()]
            return json.dumps({"keys": keys}).encode()
        return None

    @staticmethod
    def public(name: str, key) -> dict:
        numbers = key.public_key().public_numbers()
        if isinstance(key, rsa.RSAPrivateKey):
            return {"kty": "RSA", "kid": name, "alg": "RS256", "use": "sig", "n": encoded(numbers.n), "e": encoded(numbers.e)}
        x, y = (encoded(part.to_bytes(32)) for part in (numbers.x, numbers.y))
        return {"kty": "EC", "kid": name, "crv": "P-256", "x": x, "y": y}

    def claims(self, **changes) -> dict:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "repo:team/project", "aud": "sts.amazonaws.com", "iat": now, "nbf": now, "exp": now + 300}
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, curve: bool = False, header: dict | None = None, key=None, **changes) -> str:
        name = self.key_id + "-ec" if curve else self.key_id
        key = key or self.keys[name]
        header = {"alg": "ES256" if curve else "RS256", "kid": name, "typ": "JWT"} | (header or {})
        signed = f"{encoded(header)}.{encoded(self.claims(**changes))}"
        if curve:
            numbers = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
            signature = b"".join(number.to_bytes(32) for number in numbers)
        else:
            signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"
