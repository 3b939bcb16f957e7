"""Requests that are rightly signed, or nearly, and still mean harm: cut headers, and keys in what clients log."""

import base64
import hashlib
import secrets
import socket

import pytest

from raw import Connection

KEY = secrets.token_bytes(32)
CUSTOMER = {
    "algorithm": "AES256",
    "key": base64.b64encode(KEY).decode(),
    "key-MD5": base64.b64encode(hashlib.md5(KEY).digest()).decode(),
}


def exchange(server, method: str, path: str, headers: list[tuple[str, str]]) -> bytes:
    """Sends these header lines, repeated ones too, without a body."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "Content-Length: 0", "Connection: close", "", ""]
    answer = b""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode())
        while piece := connection.recv(65536):
            answer += piece
    return answer


def test_a_signed_copy_source_cannot_be_cut_at_a_comma(server, bucket):
    """The canonical request of `a,b` is also that of two lines `a` and `b`."""
    connection = Connection(server)
    connection.request("PUT", f"/{bucket}/a", {}, b"another object")
    connection.request("PUT", f"/{bucket}/a%2Cb", {}, b"the object that is meant")
    headers = connection.signed("PUT", f"/{bucket}/copy", {"x-amz-copy-source": f"{bucket}/a,b"})
    others = [(name, value) for name, value in headers.items() if name.lower() != "x-amz-copy-source"]
    cut = [("x-amz-copy-source", f"{bucket}/a"), ("x-amz-copy-source", "b")]
    answer = exchange(server, "PUT", f"/{bucket}/copy", others + cut)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"<Code>InvalidArgument</Code>" in answer
    assert connection.request("GET", f"/{bucket}/copy").status == 404
    assert connection.send("PUT", f"/{bucket}/copy", headers).status == 200
    assert connection.request("GET", f"/{bucket}/copy").body == b"the object that is meant"


@pytest.mark.parametrize("prefix", ["x-amz-", "x-amz-copy-source-"])
@pytest.mark.parametrize("secure", [False, True])
def test_no_error_shows_a_customer_key(server, bucket, prefix, secure):
    connection = Connection(server, secure)
    path = f"/{bucket}/object"
    sse = {f"{prefix}server-side-encryption-customer-{name}": value for name, value in CUSTOMER.items()}
    headers = connection.signed("PUT", path, sse | {"x-amz-copy-source": f"{bucket}/none"})
    broken = headers | {"Authorization": headers["Authorization"][:-4] + "0000"}
    for sent in (headers, broken):
        answer = connection.send("PUT", path, sent)
        assert answer.status >= 400
        for shown in (KEY, KEY.hex().encode(), base64.b64encode(KEY), base64.b64encode(KEY).hex(" ").encode()):
            assert shown not in answer.body
    assert answer.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("framing", ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5"])
def test_two_framings_end_the_connection(server, bucket, framing):
    """What a proxy that believes the other framing takes for the body is never answered as a request."""
    headers = Connection(server).signed("PUT", f"/{bucket}/object")
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"PUT /{bucket}/object HTTP/1.1\r\n{head}{framing}\r\n\r\n0\r\n\r\nGET /_/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = b""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=30) as connection:
        connection.sendall(request.encode())
        while piece := connection.recv(65536):
            answer += piece
    assert answer.count(b"HTTP/1.1 ") == 1 and b"live" not in answer


def test_who_can_write_to_the_data_directory_cannot_name_accounts(own_server):
    """A restored backup, say, with a configuration file in it that makes its author a root user."""
    own_server.stop()
    account = "[[account]]\nid = \"000011112222\"\n[[account.key]]\naccess_key_id = \"SREVIL\"\nsecret_access_key = \"" + "evil" * 10 + "\"\n"
    for folder in (own_server.data, own_server.folder):
        planted = folder / "accounts.toml"
        planted.write_text(account)
        planted.chmod(0o600)
        (own_server.data / "strongroom.toml").write_text(f'accounts = "{planted}"\n')
        own_server.start()
        mallory = own_server.client(credentials=("SREVIL", "evil" * 10))
        with pytest.raises(mallory.exceptions.ClientError) as error:
            mallory.list_buckets()
        assert error.value.response["Error"]["Code"] == "InvalidAccessKeyId"
        own_server.stop()
    for flags in (["--accounts", str(own_server.data / "accounts.toml")], ["--config", str(own_server.data / "strongroom.toml")]):
        refused = own_server.run("serve", *flags)
        assert refused.returncode != 0 and "inside the data directory" in refused.stderr
