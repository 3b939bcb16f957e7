"""Requests that were altered after they were signed, or that were never rightly signed: each is refused, with AWS's code."""

import base64
import datetime
import hashlib
import hmac
import secrets
import time
import zlib

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from raw import Connection


@pytest.fixture
def connection(server):
    return Connection(server)


@pytest.fixture
def path(bucket):
    return f"/{bucket}/object"


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def nothing_stored(connection, path) -> bool:
    return connection.request("HEAD", path).status == 404


def test_the_untouched_request_is_accepted(connection, path):
    headers = connection.signed("PUT", path, {"x-amz-meta-a": "b"}, payload=sha256(b"body"))
    assert connection.send("PUT", path, headers, b"body").status == 200


def test_altered_header(connection, path):
    headers = connection.signed("PUT", path, {"x-amz-meta-a": "b"})
    answer = connection.send("PUT", path, headers | {"x-amz-meta-a": "c"}, b"body")
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert nothing_stored(connection, path)


def test_altered_body(connection, path):
    headers = connection.signed("PUT", path, payload=sha256(b"body"))
    answer = connection.send("PUT", path, headers, b"b0dy")
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    assert nothing_stored(connection, path)


def test_altered_query_path_method_and_host(connection, path):
    headers = connection.signed("PUT", path)
    for method, target, changed in [
        ("PUT", path + "?x-id=PutObject", headers),
        ("PUT", path + "2", headers),
        ("DELETE", path, headers),
        ("PUT", path, headers | {"Host": "s3.localhost"}),
    ]:
        answer = connection.send(method, target, changed, b"")
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert nothing_stored(connection, path)


@pytest.mark.parametrize("header", ["x-amz-acl", "x-amz-meta-extra", "x-amz-server-side-encryption", "x-amz-copy-source"])
def test_an_unsigned_amz_header(connection, path, header):
    headers = connection.signed("PUT", path)
    answer = connection.send("PUT", path, headers | {header: "AES256"}, b"body")
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert nothing_stored(connection, path)


def test_unknown_key_wrong_secret_and_nobody(connection, path):
    headers = connection.signed("GET", path)
    wrong = headers["Authorization"].replace(connection.server.access_key_id, "SRNOBODY000000000000")
    answer = connection.send("GET", path, headers | {"Authorization": wrong})
    assert (answer.status, answer.code) == (403, "InvalidAccessKeyId")
    broken = headers["Authorization"][:-4] + "0000"
    answer = connection.send("GET", path, headers | {"Authorization": broken})
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    answer = connection.send("GET", path, {"Host": connection.host})
    assert (answer.status, answer.code) == (403, "AccessDenied")


def signing_key(secret: str, date: str, region="us-east-1", service="s3") -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def signed_at(connection, moment: datetime.datetime, path: str) -> dict[str, str]:
    """A GET that is rightly signed, but at another time."""
    stamp = moment.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    canonical = f"GET\n{path}\n\nhost:{connection.host}\nx-amz-content-sha256:UNSIGNED-PAYLOAD\nx-amz-date:{stamp}\n\nhost;x-amz-content-sha256;x-amz-date\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode())}"
    signature = hmac.new(signing_key(connection.server.secret_access_key, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    credential = f"Credential={connection.server.access_key_id}/{scope}"
    return {
        "Host": connection.host,
        "x-amz-date": stamp,
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "Authorization": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}",
    }


@pytest.mark.parametrize("minutes,status", [(-14, 404), (14, 404), (-16, 403), (16, 403)])
def test_a_request_replayed_outside_its_window(connection, path, minutes, status):
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    answer = connection.send("GET", path, signed_at(connection, moment, path))
    assert (answer.status, answer.code) == (status, "RequestTimeTooSkewed" if status == 403 else "NoSuchKey")


def presigned(connection, path: str, seconds: int) -> str:
    request = AWSRequest("GET", connection.base + path)
    credentials = Credentials(connection.server.access_key_id, connection.server.secret_access_key)
    S3SigV4QueryAuth(credentials, "s3", "us-east-1", expires=seconds).add_auth(request)
    return request.url.removeprefix(connection.base)


def test_presigned_urls_expire_and_cannot_be_altered(connection, path):
    connection.request("PUT", path, {}, b"body")
    host = {"Host": connection.host}
    url = presigned(connection, path, 1)
    assert connection.send("GET", url, host).body == b"body"
    assert connection.send("GET", url.replace("X-Amz-Expires=1", "X-Amz-Expires=600"), host).code == "SignatureDoesNotMatch"
    assert connection.send("PUT", url, host, b"x").code == "SignatureDoesNotMatch"
    assert connection.send("GET", url + "&versionId=null", host).code == "SignatureDoesNotMatch"
    time.sleep(2.1)
    answer = connection.send("GET", url, host)
    assert (answer.status, answer.code) == (403, "AccessDenied") and b"Request has expired" in answer.body
    too_long = presigned(connection, path, 604801)
    assert connection.send("GET", too_long, host).code == "AuthorizationQueryParametersError"


class Chunks:
    """An aws-chunked body, signed chunk by chunk, as AWS's documents say."""

    def __init__(self, connection: Connection, path: str, chunks: list[bytes], trailer: tuple[str, str] | None = None):
        kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
        length = sum(map(len, chunks))
        extra = {"x-amz-decoded-content-length": str(length), "content-encoding": "aws-chunked"}
        if trailer:
            extra["x-amz-trailer"] = trailer[0]
        self.headers = connection.signed("PUT", path, extra, payload=kind)
        stamp = self.headers["X-Amz-Date"]
        self.scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
        key = signing_key(connection.server.secret_access_key, stamp[:8])
        previous = self.headers["Authorization"].rsplit("Signature=", 1)[1]
        self.chunks = []
        for chunk in [*chunks, b""]:
            to_sign = f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{self.scope}\n{previous}\n{sha256(b'')}\n{sha256(chunk)}"
            previous = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
            self.chunks.append(f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + b"\r\n")
        if trailer:
            line = f"{trailer[0]}:{trailer[1]}\n"
            to_sign = f"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{self.scope}\n{previous}\n{sha256(line.encode())}"
            signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
            last = self.chunks.pop().removesuffix(b"\r\n")
            self.chunks.append(last + f"{trailer[0]}:{trailer[1]}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode())

    def body(self) -> bytes:
        return b"".join(self.chunks)


CHUNKS = [secrets.token_bytes(65536), secrets.token_bytes(65536), secrets.token_bytes(1000)]


def crc32_of(chunks: list[bytes]) -> tuple[str, str]:
    return "x-amz-checksum-crc32", base64.b64encode(zlib.crc32(b"".join(chunks)).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("trailer", [False, True])
def test_signed_chunks_are_accepted(connection, path, trailer):
    sent = Chunks(connection, path, CHUNKS, crc32_of(CHUNKS) if trailer else None)
    answer = connection.send("PUT", path, sent.headers, sent.body())
    assert answer.status == 200, answer
    assert connection.request("GET", path).body == b"".join(CHUNKS)


@pytest.mark.parametrize("trailer", [False, True])
@pytest.mark.parametrize("attack", ["reordered", "dropped", "repeated", "altered", "foreign"])
def test_chunks_under_attack(connection, path, attack, trailer):
    sent = Chunks(connection, path, CHUNKS, crc32_of(CHUNKS) if trailer else None)
    first, second, third, last = sent.chunks
    sent.chunks = {
        "reordered": [second, first, third, last],
        "dropped": [first, third, last],
        "repeated": [first, first, third, last],
        "altered": [first, second[:-10] + bytes(8) + second[-2:], third, last],
        "foreign": [first, Chunks(connection, path + "x", CHUNKS).chunks[1], third, last],
    }[attack]
    answer = connection.send("PUT", path, sent.headers, sent.body())
    assert (answer.status, answer.code) in [(403, "SignatureDoesNotMatch"), (400, "IncompleteBody")]
    assert attack == "dropped" or answer.code == "SignatureDoesNotMatch"
    assert nothing_stored(Connection(connection.server), path)


def test_an_altered_trailer(connection, path):
    sent = Chunks(connection, path, CHUNKS, crc32_of(CHUNKS))
    value = crc32_of(CHUNKS)[1].encode()
    body = sent.body().replace(b"crc32:" + value, b"crc32:" + crc32_of([b"other"])[1].encode())
    answer = connection.send("PUT", path, sent.headers, body)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert nothing_stored(Connection(connection.server), path)


def unsigned_trailer(content: bytes, checksum: str) -> tuple[dict[str, str], bytes]:
    headers = {"x-amz-decoded-content-length": str(len(content)), "x-amz-trailer": "x-amz-checksum-crc32", "content-encoding": "aws-chunked"}
    return headers, f"{len(content):x}\r\n".encode() + content + f"\r\n0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()


def test_a_wrong_unsigned_trailing_checksum(connection, path):
    content = secrets.token_bytes(1000)
    extra, body = unsigned_trailer(content, crc32_of([b"other"])[1])
    headers = connection.signed("PUT", path, extra, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    answer = connection.send("PUT", path, headers, body)
    assert (answer.status, answer.code) == (400, "BadDigest")
    assert nothing_stored(Connection(connection.server), path)
    extra, body = unsigned_trailer(content, crc32_of([content])[1])
    headers = connection.signed("PUT", path, extra, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")
    assert Connection(connection.server).send("PUT", path, headers, body).status == 200


def test_a_truncated_body(connection, path):
    headers = connection.signed("PUT", path) | {"Content-Length": "1000"}
    connection.http.request("PUT", path, body=b"too short", headers=headers)
    connection.http.sock.shutdown(1)
    assert connection.http.getresponse().status == 400
    assert nothing_stored(Connection(connection.server), path)


def test_kms_answers_in_its_own_shape(server):
    kms = server.client("kms", credentials=(server.access_key_id, "wrong" * 8))
    with pytest.raises(kms.exceptions.ClientError) as error:
        kms.list_keys()
    assert error.value.response["Error"]["Code"] == "InvalidSignatureException"
    kms = server.client("kms", credentials=("SRNOBODY000000000000", "wrong" * 8))
    with pytest.raises(kms.exceptions.ClientError) as error:
        kms.list_keys()
    assert error.value.response["Error"]["Code"] == "UnrecognizedClientException"
