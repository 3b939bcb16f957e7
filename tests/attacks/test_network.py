"""Who may knock, by which door, and whose word about an address is believed."""

import datetime
import secrets
import socket
import ssl
import time

import boto3
import botocore.config
import pytest
import requests
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import people
from strongroom import Server, free_port


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A certificate authority of a test, and files with certificates from it."""

    def __init__(self, folder, called):
        self.folder, self.called = folder, called
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.issue(name(called), self.key.public_key(), ca=True)
        self.path = folder / f"{called}.pem"
        self.path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, subject, public_key, ca=False):
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name(self.called))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def client(self):
        """A file with a client's key and certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.issue(name("client"), key.public_key())
        path = self.folder / f"{self.called}-client.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return str(path)


def test_an_allow_list_closes_connections_from_elsewhere(tmp_path):
    closed = free_port()
    flags = ("--listeners", f"closed=http://127.0.0.1:{closed}", "--allow", "127.0.0.0/8,closed=192.0.2.0/24")
    server = Server(tmp_path, *flags).start()
    try:
        server.client("s3").list_buckets()
        with socket.create_connection(("127.0.0.1", closed), timeout=10) as connection:
            try:
                connection.sendall(b"GET /_/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(1) == b""
            except ConnectionError:
                pass
        # The server goes on.
        server.client("s3").list_buckets()
    finally:
        server.stop()


def test_a_listener_may_ask_for_certificates(tmp_path):
    ours, foreign = Authority(tmp_path, "ours"), Authority(tmp_path, "foreign")
    port = free_port()
    flags = ("--listeners", f"private=https://127.0.0.1:{port}", "--tls-client-ca", f"private={ours.path}")
    server = Server(tmp_path, *flags).start()
    try:
        url, ca = f"https://127.0.0.1:{port}/_/health/live", server.ca_bundle()
        assert requests.get(url, verify=ca, cert=ours.client(), timeout=10).status_code == 200
        for certificate in (None, foreign.client()):
            with pytest.raises((requests.ConnectionError, ssl.SSLError)):
                requests.get(url, verify=ca, cert=certificate, timeout=10)
        # The other listener asks for none.
        server.client("s3", secure=True).list_buckets()
        s3 = boto3.client(
            "s3",
            endpoint_url=f"https://127.0.0.1:{port}",
            region_name="us-east-1",
            verify=ca,
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
            config=botocore.config.Config(client_cert=ours.client()),
        )
        s3.list_buckets()
    finally:
        server.stop()


def test_a_policy_asks_for_a_listener(tmp_path):
    port = free_port()
    server = Server(tmp_path, "--listeners", f"vpce-1a2b3c4d=http://127.0.0.1:{port}").start()
    try:
        public = server.client("s3")
        private = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
        )
        bucket = "bucket-" + secrets.token_hex(8)
        public.create_bucket(Bucket=bucket)
        public.put_object(Bucket=bucket, Key="k", Body=b"1")
        statement = people.of_everyone(
            people.deny(
                "s3:GetObject",
                f"arn:aws:s3:::{bucket}/*",
                Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}},
            )
        )
        public.put_bucket_policy(Bucket=bucket, Policy=people.document(statement))
        assert private.get_object(Bucket=bucket, Key="k")["Body"].read() == b"1"
        with pytest.raises(ClientError, match="AccessDenied"):
            public.get_object(Bucket=bucket, Key="k")
    finally:
        server.stop()


def from_address(client, address):
    """Every request of the client says that it is for somebody else."""
    client.meta.events.register(
        "before-send.s3", lambda request, **_: request.headers.__setitem__("X-Forwarded-For", address)
    )
    return client


def needs_address(server, address):
    s3 = server.client("s3")
    bucket = "bucket-" + secrets.token_hex(8)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    statement = people.of_everyone(
        people.deny("s3:GetObject", f"arn:aws:s3:::{bucket}/*", Condition={"NotIpAddress": {"aws:SourceIp": address}})
    )
    s3.put_bucket_policy(Bucket=bucket, Policy=people.document(statement))
    return bucket


def test_forwarded_addresses_of_strangers_are_not_believed(server):
    bucket = needs_address(server, "203.0.113.7")
    with pytest.raises(ClientError, match="AccessDenied"):
        from_address(server.client("s3"), "203.0.113.7").get_object(Bucket=bucket, Key="k")


def test_a_trusted_proxy_says_for_whom_it_speaks(tmp_path):
    server = Server(tmp_path, "--trusted-proxies", "127.0.0.1,10.0.0.0/8").start()
    try:
        bucket = needs_address(server, "203.0.113.7")
        for believed in ("203.0.113.7", "6.6.6.6, 203.0.113.7, 10.0.0.1"):
            from_address(server.client("s3"), believed).get_object(Bucket=bucket, Key="k")
        # What the client wrote stands left of what the proxy saw.
        for spoofed in ("203.0.113.7, 198.51.100.1", "203.0.113.7, unknown"):
            with pytest.raises(ClientError, match="AccessDenied"):
                from_address(server.client("s3"), spoofed).get_object(Bucket=bucket, Key="k")
        # Nor is what it says of the protocol: SSE-C goes over TLS alone.
        s3 = server.client("s3")
        s3.meta.events.register(
            "before-send.s3", lambda request, **_: request.headers.__setitem__("X-Forwarded-Proto", "https")
        )
        with pytest.raises(ClientError):
            s3.put_object(Bucket=bucket, Key="c", Body=b"1", SSECustomerAlgorithm="AES256", SSECustomerKey="0" * 32)
        # The metrics are for this machine, not for whom a proxy on it speaks.
        forwarded = {"X-Forwarded-For": "203.0.113.7"}
        assert requests.get(server.http + "/_/metrics", headers=forwarded, timeout=10).status_code == 403
        assert requests.get(server.http + "/_/metrics", timeout=10).status_code == 200
    finally:
        server.stop()


def test_failures_slow_down_their_source_alone(tmp_path):
    flags = ("--trusted-proxies", "127.0.0.1")
    server = Server(tmp_path, *flags, environment={"STRONGROOM_DELAY_FAILURES": "on"}).start()
    try:

        def seconds(client, fails):
            before = time.monotonic()
            try:
                client.list_buckets()
                assert not fails
            except ClientError as error:
                assert fails and error.response["Error"]["Code"] in ("InvalidAccessKeyId", "SignatureDoesNotMatch")
            return time.monotonic() - before

        unknown = from_address(server.client(credentials=("AKIANOBODY0123456789", "x" * 40)), "203.0.113.7")
        wrong = from_address(server.client(credentials=(server.access_key_id, "x" * 40)), "203.0.113.7")
        assert sum(seconds(client, True) for client in (unknown, wrong) * 10) < 5
        assert seconds(unknown, True) >= 0.2
        assert seconds(wrong, True) >= 0.4
        # The root user passes at once, from that address too, though it is its access key that was tried.
        assert seconds(from_address(server.client(), "203.0.113.7"), False) < 0.4
        assert seconds(from_address(server.client(credentials=("AKIANOBODY0123456789", "x" * 40)), "203.0.113.8"), True) < 0.2
    finally:
        server.stop()


def test_who_does_not_sign_writes_little_into_the_log_of_a_bucket(tmp_path):
    server = Server(tmp_path, environment={"STRONGROOM_DELAY_FAILURES": "on"}).start()
    try:
        server.client().create_bucket(Bucket="bucket")
        long = {"User-Agent": secrets.token_hex(3_000), "x-amz-meta-a": secrets.token_hex(900)}
        with requests.Session() as stranger:
            codes = [stranger.get(server.http + "/bucket?policy", headers=long, timeout=10).status_code for _ in range(160)]
        throttled = codes.count(503)
        assert set(codes) == {403, 503} and 20 <= throttled <= 60 and codes.index(503) >= 100
        asked = [{"AttributeKey": "EventName", "AttributeValue": "GetBucketPolicy"}]
        pages = server.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=asked)
        records = [event["CloudTrailEvent"] for page in pages for event in page["Events"]]
        assert len(records) == 160 - throttled and max(map(len, records)) < 6_000
    finally:
        server.stop()


def test_quotas_of_aws_hold_if_they_shall(tmp_path):
    server = Server(tmp_path, "--request-quotas", "on", "--request-rate", "1000").start()
    try:
        once = botocore.config.Config(retries={"max_attempts": 0})
        kms = boto3.client(
            "kms",
            endpoint_url=server.http,
            region_name="us-east-1",
            aws_access_key_id=server.access_key_id,
            aws_secret_access_key=server.secret_access_key,
            config=once,
        )
        with pytest.raises(ClientError) as caught:
            for _ in range(50):
                kms.create_key()
        error = caught.value.response
        assert error["Error"]["Code"] == "ThrottlingException"
        assert error["Error"]["Message"] == (
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
        )
        assert error["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "1"
        # It is on record.
        trail = server.client("cloudtrail")
        named = [{"AttributeKey": "EventName", "AttributeValue": "CreateKey"}]
        events = trail.lookup_events(LookupAttributes=named)["Events"]
        assert any("ThrottlingException" in event["CloudTrailEvent"] for event in events)
    finally:
        server.stop()


@pytest.mark.parametrize(
    "flags",
    [
        ("--allow", "10.0.0.1/8"),
        ("--allow", "nowhere=10.0.0.0/8"),
        ("--allow", ""),
        ("--listeners", "a b=http://127.0.0.1:1"),
        ("--trusted-proxies", "proxy.example"),
        ("--tls-client-ca", "http=/ca.pem"),
        ("--tls-client-ca", "/nowhere/ca.pem"),
    ],
)
def test_settings_that_may_mean_something_else_are_refused(tmp_path, flags):
    with pytest.raises(RuntimeError, match="the server ended with 2"):
        Server(tmp_path, *flags).start()
