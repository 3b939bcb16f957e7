"""AssumeRoleWithWebIdentity against a small issuer: tokens that are taken, all those that are not, and an issuer that is ill."""

import hashlib
import hmac
import json
import secrets
import ssl
import time

import boto3
import botocore.config
import pytest
import requests
from botocore import UNSIGNED
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from oidc_issuer import Issuer, encoded
from people import People, allow, deny, document
from strongroom import ACCOUNT, REGION
from test_sts_sessions import refused, session

HOST, PATH = "idp.example.com", "/realms/one"
URL = HOST + PATH


class World(People):
    """The server, an issuer that it trusts by its authority, one that it knows by a thumbprint, and one that is nobody's."""

    def __init__(self, folder):
        self.issuer = Issuer(folder / "issuer", HOST, PATH).start()
        self.pinned = Issuer(folder / "pinned", "pinned.example.com").start()
        self.sick = Issuer(folder / "sick", "sick.example.com").start()
        routes = ",".join(issuer.route() for issuer in (self.issuer, self.pinned, self.sick))
        super().__init__(folder, "--oidc-ca-certificates", str(self.issuer.authority.pem), "--oidc-routes", routes)
        self.provider = self.register(self.issuer, "a" * 40)
        self.sts = boto3.client(
            "sts",
            region_name=REGION,
            endpoint_url=self.server.https,
            verify=self.server.ca_bundle(),
            config=botocore.config.Config(signature_version=UNSIGNED, retries={"max_attempts": 1}),
        )

    def register(self, issuer, *thumbprints) -> str:
        more = {"ThumbprintList": list(thumbprints)} if thumbprints else {}
        return self.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["sts.amazonaws.com", "app"], **more)["OpenIDConnectProviderArn"]

    def role(self, *statements, provider: str | None = None, actions="sts:AssumeRoleWithWebIdentity", condition=None) -> str:
        trust = {"Effect": "Allow", "Principal": {"Federated": provider or self.provider}, "Action": actions}
        name = "role-" + secrets.token_hex(6)
        trust = document(trust | ({"Condition": condition} if condition else {}))
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return arn

    def assume(self, arn: str, token: str, **more):
        return self.sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="job", WebIdentityToken=token, **more)

    def refused(self, code: str, arn: str, token: str, text: str = "", **more) -> None:
        refused(self.assume, code, text, arn=arn, token=token, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("oidc"))
    yield world
    world.server.stop()


@pytest.mark.parametrize("curve", [False, True], ids=["RS256", "ES256"])
def test_whoever_the_issuer_vouches_for_gets_a_session(world, curve):
    bucket = world.bucket()
    condition = {"StringEquals": {f"{URL}:aud": "sts.amazonaws.com"}, "StringLike": {f"{URL}:sub": "repo:team/*"}}
    arn = world.role(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/${{{URL}:sub}}/*"), condition=condition)
    answer = world.assume(arn, world.issuer.token(curve), DurationSeconds=900)
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"], answer["Provider"]) == ("repo:team/project", "sts.amazonaws.com", world.provider)
    own = f"arn:aws:sts::{ACCOUNT}:assumed-role/{arn.rsplit('/', 1)[1]}/job"
    assert answer["AssumedRoleUser"]["Arn"] == own
    assert session(world, answer["Credentials"], "sts").get_caller_identity()["Arn"] == own
    # The claims are the session's condition keys, and variables.
    s3 = session(world, answer["Credentials"], "s3")
    s3.put_object(Bucket=bucket, Key="repo:team/project/k", Body=b"")
    refused(s3.put_object, "AccessDenied", Bucket=bucket, Key="repo:team/other/k", Body=b"")
    world.refused("AccessDenied", arn, world.issuer.token(curve, sub="repo:stranger/project"), "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    world.refused("AccessDenied", arn, world.issuer.token(curve, aud="app"))


def test_a_federated_provider_is_a_condition_key(world):
    arn = world.role(allow("s3:*", "*"), deny("s3:*", "*", Condition={"StringNotEquals": {"aws:FederatedProvider": world.provider}}))
    session(world, world.assume(arn, world.issuer.token())["Credentials"], "s3").list_buckets()


def test_session_policies_and_tags_of_a_web_identity(world):
    bucket = world.bucket()
    tags = {"https://aws.amazon.com/tags": {"principal_tags": {"Team": ["red"]}, "transitive_tag_keys": ["Team"]}}
    untagged = world.role(allow("s3:*", "*"))
    world.refused("AccessDenied", untagged, world.issuer.token(**tags), "sts:TagSession")
    arn = world.role(
        allow("s3:PutObject", f"arn:aws:s3:::{bucket}/${{aws:PrincipalTag/Team}}/*"),
        actions=["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
    )
    answer = world.assume(arn, world.issuer.token(**tags), Policy=document(allow("s3:PutObject", "*")))
    assert answer["PackedPolicySize"] > 0
    s3 = session(world, answer["Credentials"], "s3")
    s3.put_object(Bucket=bucket, Key="red/k", Body=b"")
    refused(s3.put_object, "AccessDenied", Bucket=bucket, Key="blue/k", Body=b"")
    world.refused("MalformedPolicyDocument", arn, world.issuer.token(), Policy="{}")
    source = {"https://aws.amazon.com/source_identity": "alice"}
    world.refused("AccessDenied", untagged, world.issuer.token(**source))
    named = world.role(actions=["sts:AssumeRoleWithWebIdentity", "sts:SetSourceIdentity"])
    assert world.assume(named, world.issuer.token(**source))["SourceIdentity"] == "alice"


def test_forged_tokens(world):
    arn = world.role(allow("*", "*"))
    issuer, claims = world.issuer, world.issuer.claims()
    world.assume(arn, issuer.token())
    stranger = rsa.generate_private_key(65537, 2048)
    numbers = issuer.keys[issuer.key_id].public_key().public_numbers()
    public = json.dumps(issuer.public(issuer.key_id, issuer.keys[issuer.key_id])).encode()

    def shared(secret: bytes, algorithm: str = "HS256") -> str:
        signed = f"{encoded({'alg': algorithm, 'kid': issuer.key_id})}.{encoded(claims)}"
        return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"

    header, payload, signature = issuer.token().split(".")
    forged = {
        "none": f"{encoded({'alg': 'none'})}.{encoded(claims)}.",
        "none, with a signature": f"{encoded({'alg': 'none'})}.{payload}.{signature}",
        "a public key as a secret": shared(public),
        "a modulus as a secret": shared(numbers.n.to_bytes(256)),
        "nobody's key": issuer.token(key=stranger),
        "nobody's key, told along": issuer.token(key=stranger, header={"jwk": Issuer.public("own", stranger), "kid": "own"}),
        "an unknown key": issuer.token(header={"kid": "unknown"}),
        "a key of another type": issuer.token(header={"kid": issuer.key_id + "-ec"}),
        "another algorithm": issuer.token(header={"alg": "RS512"}),
        "a changed payload": f"{header}.{encoded(claims | {'sub': 'root'})}.{signature}",
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "four parts": f"{header}.{payload}.{signature}.{signature}",
        "padding": f"{header}.{payload}.{signature}==",
        "no base64": f"{header}.{payload}.***",
        "no JSON": f"{header}.{encoded(b'nothing')}.{signature}",
        "an extension": issuer.token(header={"crit": ["exp"]}),
        "a claim twice": f"{header}.{encoded(json.dumps(claims)[:-1].encode() + b', ' + json.dumps(claims)[1:].encode())}.{signature}",
        "no token": "nothing",
        "the longest": "a" * 20_000,
    }
    for name, token in forged.items():
        try:
            world.assume(arn, token)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidIdentityToken", (name, error)
        else:
            raise AssertionError(name)
    refused(world.assume, "ValidationError", arn=arn, token="a" * 20_001)


def test_claims_that_do_not_fit(world):
    arn, issuer, now = world.role(allow("*", "*")), world.issuer, int(time.time())
    for changes, code, text in [
        ({"exp": now - 1}, "ExpiredTokenException", "Token expired: current date/time"),
        ({"exp": None}, "InvalidIdentityToken", "Missing a required claim: exp"),
        ({"iat": None}, "InvalidIdentityToken", "Missing a required claim: iat"),
        ({"sub": None}, "InvalidIdentityToken", "Missing a required claim: sub"),
        ({"aud": None}, "InvalidIdentityToken", "Missing a required claim: aud"),
        ({"iss": None}, "InvalidIdentityToken", "Missing a required claim: iss"),
        ({"aud": "somebody"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"azp": "somebody"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"iat": now + 3600}, "InvalidIdentityToken", ""),
        ({"nbf": now + 3600}, "InvalidIdentityToken", ""),
        ({"iss": "https://idp.example.com/realms/two"}, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://"),
        ({"iss": "http://" + URL}, "InvalidIdentityToken", "No OpenIDConnect provider"),
        ({"sub": "a" * 256}, "IDPRejectedClaim", ""),
    ]:
        world.refused(code, arn, issuer.token(**changes), text)
    for changes in [{"aud": ["other", "app"]}, {"azp": "app"}, {"exp": now + 100.5}, {"nbf": None}]:
        world.assume(arn, issuer.token(**changes))


def test_roles_that_do_not_trust_the_provider(world):
    token = world.issuer.token()
    world.refused("AccessDenied", f"arn:aws:iam::{ACCOUNT}:role/none", token, "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    world.refused("AccessDenied", world.role(provider=f"arn:aws:iam::{ACCOUNT}:oidc-provider/other.example.com"), token)
    world.refused("AccessDenied", world.role(actions="sts:AssumeRole"), token)
    theirs = world.other.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Federated": world.provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    arn = theirs.create_role(RoleName="theirs", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    world.refused("InvalidIdentityToken", arn, token, "No OpenIDConnect provider found in your account")
    world.refused("ValidationError", world.role(), token, DurationSeconds=3601)
    world.refused("ValidationError", world.role(), token, ProviderId="www.amazon.com")


def test_a_rotated_key_is_found_and_the_former_is_not(world):
    arn, before = world.role(allow("*", "*")), world.issuer.token()
    world.assume(arn, before)
    asked = len(world.issuer.asked)
    world.assume(arn, world.issuer.token())
    assert len(world.issuer.asked) == asked, "keys are remembered"
    world.issuer.rotate()
    deadline = time.monotonic() + 30
    while True:
        # An issuer is left alone for ten seconds after it was asked.
        try:
            world.assume(arn, world.issuer.token())
            break
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(1)
    world.refused("InvalidIdentityToken", arn, before, "Couldn't retrieve verification key")


def test_an_issuer_by_its_thumbprint_alone(world):
    issuer = world.pinned
    provider = world.register(issuer, "b" * 40)
    arn = world.role(allow("*", "*"), provider=provider)
    world.refused("IDPCommunicationError", arn, issuer.token())
    # The server's certificate alone is shown, and so is what IAM takes if none is given.
    leaf = hashlib.sha1(issuer_certificate(issuer)).hexdigest()
    world.iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=["b" * 40, leaf])
    world.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    provider = world.register(issuer)
    assert world.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)["ThumbprintList"] == [leaf]
    world.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    world.refused("InvalidIdentityToken", arn, issuer.token(), "No OpenIDConnect provider")


def issuer_certificate(issuer) -> bytes:
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", issuer.port)))


@pytest.mark.parametrize(
    "fault,code",
    [
        ("unknown-status", "InvalidIdentityToken"),
        ("not-json", "InvalidIdentityToken"),
        ("wrong-issuer", "InvalidIdentityToken"),
        ("plain-keys", "InvalidIdentityToken"),
        ("no-keys", "InvalidIdentityToken"),
        ("huge", "IDPCommunicationError"),
        ("hang", "IDPCommunicationError"),
    ],
)
def test_an_issuer_that_is_ill(tmp_path, fault, code):
    issuer = Issuer(tmp_path / "issuer", HOST).start()
    issuer.faults = {fault}
    people = People(tmp_path, "--oidc-ca-certificates", str(issuer.authority.pem), "--oidc-routes", issuer.route())
    provider = people.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["a" * 40])["OpenIDConnectProviderArn"]
    trust = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithWebIdentity"}
    arn = people.iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    sts = people.server.client("sts", secure=True)
    started = time.monotonic()
    refused(sts.assume_role_with_web_identity, code, RoleArn=arn, RoleSessionName="job", WebIdentityToken=issuer.token())
    assert time.monotonic() - started < 7
    people.server.stop()
    issuer.stop()


def test_private_networks_are_for_the_operator_to_open(world):
    """An issuer that says that its keys are on this machine, where no route leads."""
    hidden = Issuer(world.server.folder / "hidden", "hidden.example.com").start()
    issuer = world.issuer
    path, url = issuer.path, issuer.url
    # Another provider each time, for one that gave no keys is left alone for a while.
    for number, host in enumerate(("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]")):
        issuer.path, issuer.url = f"/{number}", f"https://{issuer.host}/{number}"
        issuer.jwks_uri = f"https://{host}:{hidden.port}/keys"
        arn = world.role(provider=world.register(issuer, "a" * 40))
        world.refused("IDPCommunicationError", arn, issuer.token())
        assert issuer.asked[-1].startswith(f"/{number}/.well-known")
    assert hidden.asked == [] and world.server.log.read_text().count("is no address of the public internet") == 4
    issuer.path, issuer.url, issuer.jwks_uri = path, url, None


def test_a_stranger_does_not_fill_the_audit_log(tmp_path):
    people = People(tmp_path)
    try:
        arn = f"arn:aws:iam::{ACCOUNT}:role/some"
        form = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleArn": arn, "RoleSessionName": "job", "WebIdentityToken": "none"}
        with requests.Session() as stranger:
            answers = [stranger.post(people.server.http, data=form) for _ in range(160)]
        throttled = [answer for answer in answers if "<Code>Throttling</Code>" in answer.text]
        assert 30 <= len(throttled) <= 60 and answers.index(throttled[0]) >= 100
        assert {answer.status_code for answer in throttled} == {400} and all(int(answer.headers["Retry-After"]) >= 1 for answer in throttled)
        # Whoever signs is not held up, from the same address.
        assert people.server.client("sts").get_caller_identity()["Account"] == ACCOUNT
    finally:
        people.server.stop()
