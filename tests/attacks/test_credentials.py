"""What each service answers whose credentials are not good, in its own words."""

import datetime
import json
import secrets
from dataclasses import dataclass

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from raw import Connection, Query
from strongroom import ACCOUNT

FORM = "application/x-www-form-urlencoded"
SERVICES = {
    "s3": ("GET", "/", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, b""),
    "kms": ("POST", "/", {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.ListKeys"}, b"{}"),
    "cloudtrail": (
        "POST",
        "/",
        {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.DescribeTrails"},
        b"{}",
    ),
    "iam": ("POST", "/", {"Content-Type": FORM}, b"Action=ListUsers&Version=2010-05-08"),
    "sts": ("POST", "/", {"Content-Type": FORM}, b"Action=GetCallerIdentity&Version=2011-06-15"),
}
NAMESPACES = {"iam": b"https://iam.amazonaws.com/doc/2010-05-08/", "sts": b"https://sts.amazonaws.com/doc/2011-06-15/"}
UNKNOWN = ((403, "InvalidAccessKeyId"), (400, "UnrecognizedClientException"), (403, "InvalidClientTokenId"))
# Of S3, of the services that speak JSON, of those that speak the query protocol: service models and "Common errors" of their references.
TABLE = {
    "unknown key": UNKNOWN,
    "inactive key": UNKNOWN,
    "no token": UNKNOWN,
    "wrong secret": ((403, "SignatureDoesNotMatch"), (400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch")),
    "garbage token": ((400, "InvalidToken"), (400, "UnrecognizedClientException"), (403, "InvalidClientTokenId")),
    "token of a long-term key": ((400, "InvalidToken"), (400, "UnrecognizedClientException"), (403, "InvalidClientTokenId")),
    "skewed clock": ((403, "RequestTimeTooSkewed"), (400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch")),
    "nobody": ((403, "AccessDenied"), (400, "MissingAuthenticationTokenException"), (403, "MissingAuthenticationToken")),
}


@dataclass
class Keys:
    """Credentials of every kind."""

    good: Credentials
    session: Credentials
    inactive: Credentials


@pytest.fixture(scope="module")
def keys(server):
    iam, sts = server.client("iam"), server.client("sts")
    name = "credentials-" + secrets.token_hex(6)
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    session = sts.get_session_token()["Credentials"]
    return Keys(
        Credentials(server.access_key_id, server.secret_access_key),
        Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]),
        Credentials(key["AccessKeyId"], key["SecretAccessKey"]),
    )


def bad(keys: Keys, case: str) -> Credentials | None:
    good, session = keys.good, keys.session
    return {
        "unknown key": Credentials("SRNOBODY000000000000", "x" * 40),
        "inactive key": keys.inactive,
        "no token": Credentials(session.access_key, session.secret_key),
        "wrong secret": Credentials(good.access_key, "x" * 40),
        "garbage token": Credentials(session.access_key, session.secret_key, "garbage"),
        "token of a long-term key": Credentials(good.access_key, good.secret_key, session.token),
        "skewed clock": good,
        "nobody": None,
    }[case]


def send(server, service: str, credentials: Credentials | None):
    connection = Connection(server)
    method, path, headers, body = SERVICES[service]
    request = AWSRequest(method, connection.base + path, headers={"Host": connection.host, **headers}, data=body)
    request.context["payload_signing_enabled"] = service != "s3"
    if credentials:
        (S3SigV4Auth if service == "s3" else SigV4Auth)(credentials, service, "us-east-1").add_auth(request)
    return connection.send(method, path, dict(request.headers.items()), body)


def code(answer) -> str:
    return json.loads(answer.body)["__type"] if answer.body.startswith(b"{") else answer.code


@pytest.mark.parametrize("case", TABLE)
@pytest.mark.parametrize("service", SERVICES)
def test_the_answer_to_bad_credentials(server, keys, service, case, monkeypatch):
    if case == "skewed clock":
        late = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(minutes=20)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: late)
    answer = send(server, service, bad(keys, case))
    s3, json_, query = TABLE[case]
    assert (answer.status, code(answer)) == (s3 if service == "s3" else json_ if service in ("kms", "cloudtrail") else query), answer.body
    if service in NAMESPACES:
        assert NAMESPACES[service] in answer.body
    # Neither who there is nor what they have is told.
    assert keys.session.token.encode() not in answer.body and ACCOUNT.encode() not in answer.body


def test_good_credentials_are_taken(server, keys):
    for service in SERVICES:
        assert send(server, service, keys.good).status == 200


@pytest.mark.parametrize(
    "query, host, namespace",
    [
        ("Action=ListUsers&Version=2010-05-08", None, "iam"),
        ("Action=GetCallerIdentity&Version=2011-06-15", None, "sts"),
        ("Action=ListUsers", "iam.amazonaws.com", "iam"),
        ("Action=ListUsers", "sts.amazonaws.com", "sts"),
        ("Action=AssumeRoleWithWebIdentity&Version=2010-05-08", None, "iam"),
    ],
)
def test_whoever_does_not_sign_is_answered_by_the_service_that_was_meant(server, query, host, namespace):
    connection = Connection(server)
    headers = {"Host": host or connection.host}
    for answer in (
        connection.send("POST", "/", headers | {"Content-Type": FORM}, query.encode()),
        connection.send("GET", "/?" + query, headers),
    ):
        assert (answer.status, answer.code) == (403, "MissingAuthenticationToken")
        assert NAMESPACES[namespace] in answer.body


def test_no_secret_of_a_request_is_in_its_error(server):
    iam, sts = Query(server, "iam"), Query(server, "sts")
    serial = {"SerialNumber": f"arn:aws:iam::{ACCOUNT}:mfa/a"}
    codes = {"UserName": "a", **serial, "AuthenticationCode1": "48151a", "AuthenticationCode2": "4815162342"}
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/a", "RoleSessionName": "name"}
    for answer in (
        iam.call("EnableMFADevice", codes),
        iam.call("ResyncMFADevice", codes),
        iam.call("ChangePassword", {"OldPassword": "4815" * 50, "NewPassword": ""}),
        iam.call("UpdateLoginProfile", {"UserName": "a", "Password": "4815" * 50}),
        sts.call("GetSessionToken", serial | {"TokenCode": "48151a"}, "2011-06-15"),
        sts.call("AssumeRole", role | serial | {"TokenCode": "4815162342"}, "2011-06-15"),
        sts.call("AssumeRoleWithWebIdentity", role | {"WebIdentityToken": "481"}, "2011-06-15"),
        sts.call("AssumeRoleWithWebIdentity", role | {"WebIdentityToken": "4815" * 6000}, "2011-06-15"),
    ):
        assert answer.code in ("ValidationError", "NotImplemented") and b"481" not in answer.body.split(b"<RequestId>")[0], answer.body
