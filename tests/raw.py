"""Requests as bytes: signed by botocore's own signer, then sent, or altered and sent, without an SDK in between."""

import http.client
import json
import ssl
import urllib.parse
from dataclasses import dataclass

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of an XML error."""
        return self.body.split(b"<Code>")[1].split(b"</Code>")[0].decode() if b"<Code>" in self.body else ""


class Connection:
    """One kept-alive connection, HTTP or HTTPS, and a signer."""

    def __init__(self, server, secure: bool = False):
        self.server, self.secure = server, secure
        self.base = server.https if secure else server.http
        self.host = urllib.parse.urlsplit(self.base).netloc
        self.signer = S3SigV4Auth(Credentials(server.access_key_id, server.secret_access_key), "s3", "us-east-1")
        if secure:
            context = ssl.create_default_context(cafile=server.ca_bundle())
            self.http = http.client.HTTPSConnection(self.host, timeout=60, context=context)
        else:
            self.http = http.client.HTTPConnection(self.host, timeout=60)

    def signed(self, method: str, path: str, headers: dict[str, str] | None = None, payload: str = UNSIGNED) -> dict[str, str]:
        """The headers of a signed request."""
        request = AWSRequest(method, self.base + path, headers={"Host": self.host, "x-amz-content-sha256": payload, **(headers or {})})
        request.context["payload_signing_enabled"] = False
        request.context["client_config"] = None
        self.signer.payload = lambda _request: payload
        self.signer.add_auth(request)
        return dict(request.headers.items())

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Sends these bytes, whatever they are."""
        self.http.request(method, path, body=body, headers=headers)
        response = self.http.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> Answer:
        """Signs and sends."""
        return self.send(method, path, self.signed(method, path, headers), body)


class Kms(Connection):
    """The same for KMS: any bytes as the body of any operation, rightly signed."""

    def __init__(self, server, secure: bool = False):
        super().__init__(server, secure)
        self.signer = SigV4Auth(Credentials(server.access_key_id, server.secret_access_key), "kms", "us-east-1")

    def call(self, operation: str, body: bytes) -> Answer:
        headers = {"Host": self.host, "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
        request = AWSRequest("POST", self.base + "/", headers=headers, data=body)
        self.signer.add_auth(request)
        return self.send("POST", "/", dict(request.headers.items()), body)

    def error(self, operation: str, body: bytes) -> tuple[int, str, str | None]:
        """Status, code and message of what must not succeed."""
        answer = self.call(operation, body)
        document = json.loads(answer.body or b"{}")
        return answer.status, document.get("__type"), document.get("message")


class Query(Connection):
    """The same for a service of the query protocol: any form, rightly signed."""

    def __init__(self, server, service: str = "iam", region: str = "us-east-1", secure: bool = False):
        super().__init__(server, secure)
        self.signer = SigV4Auth(Credentials(server.access_key_id, server.secret_access_key), service, region)

    def post(self, body: bytes, query: str = "") -> Answer:
        path = "/?" + query if query else "/"
        headers = {"Host": self.host, "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        request = AWSRequest("POST", self.base + path, headers=headers, data=body)
        self.signer.add_auth(request)
        return self.send("POST", path, dict(request.headers.items()), body)

    def get(self, query: str) -> Answer:
        request = AWSRequest("GET", f"{self.base}/?{query}", headers={"Host": self.host})
        self.signer.add_auth(request)
        return self.send("GET", f"/?{query}", dict(request.headers.items()))

    def call(self, action: str, members: dict[str, str] | None = None, version: str = "2010-05-08") -> Answer:
        return self.post(urllib.parse.urlencode({"Action": action, "Version": version, **(members or {})}).encode())
