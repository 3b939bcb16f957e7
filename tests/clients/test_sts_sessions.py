"""STS by boto3: every way to a session, what it may do, and how it ends."""

import base64
import json
import secrets
import time

import boto3
import botocore.config
import pytest
import requests
from botocore.exceptions import ClientError

from people import People, allow, deny, document
from strongroom import ACCOUNT
from test_iam_mfa import code

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
ANY = ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"]


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("sts"))
    yield people
    people.server.stop()


def trust(principal: str = ROOT, actions=ANY, **more) -> dict:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions} | more


def role(people, *statements, trusting: dict | None = None, iam=None, **more) -> str:
    """A new role with one inline policy: its ARN."""
    name = "role-" + secrets.token_hex(6)
    iam = iam or people.iam
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trusting or trust()), **more)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
    return arn


def session(people, credentials: dict, service: str):
    keys = (credentials["AccessKeyId"], credentials["SecretAccessKey"])
    configuration = botocore.config.Config(signature_version="s3v4" if service == "s3" else None)
    token = credentials["SessionToken"]
    return people.server.client(service, secure=True, credentials=keys, aws_session_token=token, config=configuration)


def unchecked(person):
    """A client that leaves it to the server to refuse parameters."""
    return person.server.client("sts", secure=True, credentials=person.keys, config=botocore.config.Config(parameter_validation=False))


def refused(call, code: str, text: str = "", **arguments) -> None:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    answer = error.value.response["Error"]
    assert answer["Code"] == code and text in answer["Message"], answer


@pytest.fixture
def alice(people):
    return people.user(allow("sts:*", "*"))


def test_everybody_may_ask_who_it_is(people):
    nobody = people.user(deny("*", "*"))
    answer = nobody.client("sts").get_caller_identity()
    assert (answer["Account"], answer["Arn"]) == (ACCOUNT, nobody.arn)
    assert people.server.client("sts").get_caller_identity()["Arn"] == ROOT


def test_a_role_session_uses_s3_and_kms(people, alice):
    bucket = people.bucket()
    people.s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    key = people.kms.create_key()["KeyMetadata"]["Arn"]
    arn = role(people, allow("s3:GetObject", f"arn:aws:s3:::{bucket}/*"), allow(["kms:Encrypt", "kms:Decrypt"], key))
    answer = alice.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", DurationSeconds=900)
    credentials, name = answer["Credentials"], arn.rsplit("/", 1)[1]
    assert credentials["AccessKeyId"].startswith("SRAS") and len(credentials["SecretAccessKey"]) == 40
    assert len(credentials["SessionToken"]) == answer["SessionTokenSize"] < 1024 and "PackedPolicySize" not in answer
    assert abs(credentials["Expiration"].timestamp() - time.time() - 900) < 30
    own = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/work"
    assert answer["AssumedRoleUser"]["Arn"] == own
    who = session(people, credentials, "sts").get_caller_identity()
    assert (who["Arn"], who["UserId"]) == (own, answer["AssumedRoleUser"]["AssumedRoleId"])
    s3, kms = session(people, credentials, "s3"), session(people, credentials, "kms")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"text"
    refused(s3.put_object, "AccessDenied", "no identity-based policy allows", Bucket=bucket, Key="k", Body=b"")
    blob = kms.encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"secret"
    refused(kms.disable_key, "AccessDeniedException", KeyId=key)
    # Presigned, with the token in the query.
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"})
    assert "X-Amz-Security-Token" in url
    assert requests.get(url, verify=people.server.ca_bundle()).content == b"text"
    assert requests.get(url.replace("X-Amz-Security-Token=", "X-Amz-Security-Token=A"), verify=people.server.ca_bundle()).status_code == 400


def test_tokens_that_are_not_the_sessions(people, alice):
    sts = alice.client("sts")
    one, two = (sts.assume_role(RoleArn=role(people, allow("*", "*")), RoleSessionName="work")["Credentials"] for _ in "ab")
    altered = one["SessionToken"][:-1] + ("A" if one["SessionToken"][-1] != "A" else "B")
    for token in [altered, two["SessionToken"], one["SessionToken"][1:], "A" * 5000, "no token"]:
        refused(session(people, one | {"SessionToken": token}, "s3").list_buckets, "InvalidToken")
        refused(session(people, one | {"SessionToken": token}, "kms").list_keys, "UnrecognizedClientException")
        refused(session(people, one | {"SessionToken": token}, "sts").get_caller_identity, "InvalidClientTokenId")
        refused(session(people, one | {"SessionToken": token}, "iam").list_users, "InvalidClientTokenId")
    without = people.server.client("s3", secure=True, credentials=(one["AccessKeyId"], one["SecretAccessKey"]))
    refused(without.list_buckets, "InvalidAccessKeyId")
    # A long-term key with somebody's token.
    mixed = one | dict(zip(("AccessKeyId", "SecretAccessKey"), alice.keys))
    refused(session(people, mixed, "sts").get_caller_identity, "InvalidClientTokenId")


def test_what_the_role_trusts(people, alice):
    sts = alice.client("sts")
    external = role(people, trusting=trust(Condition={"StringEquals": {"sts:ExternalId": "agreed-upon"}}))
    refused(sts.assume_role, "AccessDenied", "sts:AssumeRole", RoleArn=external, RoleSessionName="work")
    refused(sts.assume_role, "AccessDenied", RoleArn=external, RoleSessionName="work", ExternalId="guessed")
    assert sts.assume_role(RoleArn=external, RoleSessionName="work", ExternalId="agreed-upon")
    named = role(people, trusting=trust(Condition={"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}))
    refused(sts.assume_role, "AccessDenied", RoleArn=named, RoleSessionName="somebody")
    assert sts.assume_role(RoleArn=named, RoleSessionName=alice.name)
    nobody = people.user()
    plain = role(people)
    refused(nobody.client("sts").assume_role, "AccessDenied", nobody.arn, RoleArn=plain, RoleSessionName="work")
    assert nobody.client("sts").assume_role(RoleArn=role(people, trusting=trust(nobody.arn)), RoleSessionName="work")
    refused(sts.assume_role, "AccessDenied", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/none", RoleSessionName="work")
    refused(people.server.client("sts").assume_role, "AccessDenied", "Roles may not be assumed by root accounts.", RoleArn=plain, RoleSessionName="work")
    for bad in ["x", "a b", "a" * 65]:
        refused(unchecked(alice).assume_role, "ValidationError", RoleArn=plain, RoleSessionName=bad)
    refused(sts.assume_role, "ValidationError", RoleArn="arn:aws:s3:::bucket-of-mine", RoleSessionName="work")


def test_roles_of_other_accounts(people, alice):
    theirs = people.other.client("iam")
    trusting = {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}
    arn = role(people, allow("s3:*", "*"), trusting=trusting, iam=theirs)
    answer = alice.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")
    assert session(people, answer["Credentials"], "sts").get_caller_identity()["Account"] == arn.split(":")[4]
    refused(people.user(allow("s3:*", "*")).client("sts").assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="work")
    closed = role(people, allow("s3:*", "*"), trusting=trusting | {"Principal": {"AWS": people.other.arn}}, iam=theirs)
    refused(alice.client("sts").assume_role, "AccessDenied", RoleArn=closed, RoleSessionName="work")


def test_durations_and_chains(people, alice):
    sts = alice.client("sts")
    long = role(people, allow("sts:*", "*"), MaxSessionDuration=7200)
    short = role(people, allow("sts:*", "*"))
    refused(sts.assume_role, "ValidationError", "MaxSessionDuration", RoleArn=short, RoleSessionName="work", DurationSeconds=3601)
    refused(unchecked(alice).assume_role, "ValidationError", RoleArn=short, RoleSessionName="work", DurationSeconds=899)
    answer = sts.assume_role(
        RoleArn=long,
        RoleSessionName="work",
        DurationSeconds=7200,
        Tags=[{"Key": "Team", "Value": "red"}, {"Key": "Cost", "Value": "7"}],
        TransitiveTagKeys=["Team"],
        SourceIdentity="alice",
    )
    assert answer["PackedPolicySize"] > 0 and answer["SourceIdentity"] == "alice"
    chained = session(people, answer["Credentials"], "sts")
    refused(chained.assume_role, "ValidationError", "role chaining", RoleArn=long, RoleSessionName="next", DurationSeconds=3601)
    tagged = trust(Condition={"StringEquals": {"aws:RequestTag/Team": "red", "sts:SourceIdentity": "alice"}, "Null": {"aws:RequestTag/Cost": "true"}})
    second = chained.assume_role(RoleArn=role(people, trusting=tagged), RoleSessionName="next")
    assert second["SourceIdentity"] == "alice"
    refused(chained.assume_role, "AccessDenied", RoleArn=short, RoleSessionName="next", SourceIdentity="eve")
    refused(chained.assume_role, "ValidationError", RoleArn=short, RoleSessionName="next", Tags=[{"Key": "team", "Value": "blue"}])
    refused(chained.get_session_token, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    refused(chained.get_federation_token, "AccessDenied", "Cannot call GetFederationToken with session credentials", Name="eve")


def test_tags_need_a_permission_of_their_own_and_are_principal_tags(people, alice):
    plain = role(people, trusting=trust(actions="sts:AssumeRole"))
    tags = [{"Key": "Team", "Value": "red"}]
    refused(alice.client("sts").assume_role, "AccessDenied", "sts:TagSession", RoleArn=plain, RoleSessionName="work", Tags=tags)
    refused(alice.client("sts").assume_role, "AccessDenied", "sts:SetSourceIdentity", RoleArn=plain, RoleSessionName="work", SourceIdentity="al")
    bucket = people.bucket()
    by_team = allow("s3:PutObject", f"arn:aws:s3:::{bucket}/${{aws:PrincipalTag/Team}}/*")
    arn = role(people, by_team, Tags=[{"Key": "team", "Value": "green"}])
    for passed, own, other in [(tags, "red", "green"), ([], "green", "red")]:
        credentials = alice.client("sts").assume_role(RoleArn=arn, RoleSessionName="work", Tags=passed)["Credentials"]
        s3 = session(people, credentials, "s3")
        s3.put_object(Bucket=bucket, Key=f"{own}/k", Body=b"")
        refused(s3.put_object, "AccessDenied", Bucket=bucket, Key=f"{other}/k", Body=b"")
    for bad in [[{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}], [{"Key": "aws:x", "Value": "1"}]]:
        refused(alice.client("sts").assume_role, "ValidationError", RoleArn=arn, RoleSessionName="work", Tags=bad)
    refused(alice.client("sts").assume_role, "ValidationError", RoleArn=arn, RoleSessionName="work", TransitiveTagKeys=["none"])
    large = [{"Key": f"k{number}", "Value": secrets.token_hex(128)} for number in range(50)]
    refused(alice.client("sts").assume_role, "PackedPolicyTooLarge", RoleArn=arn, RoleSessionName="work", Tags=large)


def test_session_policies(people, alice):
    bucket = people.bucket()
    people.s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    arn = role(people, allow("s3:*", "*"))
    sts = alice.client("sts")
    get = document(allow("s3:GetObject", "*"))
    for passed in [{"Policy": get}, {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"}]}]:
        s3 = session(people, sts.assume_role(RoleArn=arn, RoleSessionName="work", **passed)["Credentials"], "s3")
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"text"
        refused(s3.delete_object, "AccessDenied", "no session policy allows", Bucket=bucket, Key="k")
    more = session(people, sts.assume_role(RoleArn=arn, RoleSessionName="work", Policy=document(allow("*", "*")))["Credentials"], "kms")
    refused(more.create_key, "AccessDeniedException")
    own = people.iam.create_policy(PolicyName="limit-" + secrets.token_hex(4), PolicyDocument=get)["Policy"]["Arn"]
    credentials = sts.assume_role(RoleArn=arn, RoleSessionName="work", PolicyArns=[{"arn": own}])["Credentials"]
    assert session(people, credentials, "s3").get_object(Bucket=bucket, Key="k")
    people.iam.delete_policy(PolicyArn=own)
    # Nobody knows any more what it would have denied. What was deleted is another entity: the cache of credentials forgets the account.
    refused(session(people, credentials, "s3").get_object, "AccessDenied", Bucket=bucket, Key="k")
    refused(sts.assume_role, "ValidationError", RoleArn=arn, RoleSessionName="work", PolicyArns=[{"arn": own}])
    refused(sts.assume_role, "MalformedPolicyDocument", RoleArn=arn, RoleSessionName="work", Policy='{"Version": "2012-10-17"}')
    refused(sts.assume_role, "ValidationError", RoleArn=arn, RoleSessionName="work", PolicyArns=[{"arn": own}] * 11)


def test_sessions_are_revoked_at_once(people, alice):
    arn = role(people, allow("s3:*", "*"))
    name = arn.rsplit("/", 1)[1]
    credentials = alice.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]
    s3 = session(people, credentials, "s3")
    s3.list_buckets()
    time.sleep(1.1)
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    older = deny("*", "*", Condition={"DateLessThan": {"aws:TokenIssueTime": now}})
    people.iam.put_role_policy(RoleName=name, PolicyName="AWSRevokeOlderSessions", PolicyDocument=document(older))
    refused(s3.list_buckets, "AccessDenied", "explicit deny")
    time.sleep(1.1)
    fresh = alice.client("sts").assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]
    session(people, fresh, "s3").list_buckets()
    for policy in ["own", "AWSRevokeOlderSessions"]:
        people.iam.delete_role_policy(RoleName=name, PolicyName=policy)
    people.iam.delete_role(RoleName=name)
    refused(session(people, fresh, "s3").list_buckets, "InvalidToken")
    people.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust()))
    refused(session(people, fresh, "s3").list_buckets, "InvalidToken")


def test_session_tokens_of_users(people):
    bob = people.user(allow("*", "*"))
    credentials = bob.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    sts = session(people, credentials, "sts")
    assert sts.get_caller_identity()["Arn"] == bob.arn
    session(people, credentials, "s3").list_buckets()
    refused(session(people, credentials, "iam").list_users, "InvalidClientTokenId")
    refused(sts.get_session_token, "AccessDenied", "Cannot call GetSessionToken with session credentials")
    refused(sts.get_federation_token, "AccessDenied", Name="eve")
    refused(sts.decode_authorization_message, "AccessDenied", EncodedMessage="x")
    assert sts.assume_role(RoleArn=role(people), RoleSessionName="work")
    root = people.server.client("sts").get_session_token(DurationSeconds=129_600)["Credentials"]
    assert root["Expiration"].timestamp() - time.time() <= 3600
    assert session(people, root, "sts").get_caller_identity()["Arn"] == ROOT
    padded = bob.client("sts").get_session_token(MinimumSessionTokenSize=3000)
    assert padded["SessionTokenSize"] == len(padded["Credentials"]["SessionToken"]) in (3000, 3001)
    assert session(people, padded["Credentials"], "sts").get_caller_identity()["Arn"] == bob.arn


def test_mfa_is_seen_by_policies(people):
    protected = allow("s3:ListAllMyBuckets", "*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    bob = people.user(allow(["sts:AssumeRole", "iam:ListUsers"], "*"), protected)
    device = people.iam.create_virtual_mfa_device(VirtualMFADeviceName=bob.name)["VirtualMFADevice"]
    serial, seed = device["SerialNumber"], base64.b32decode(device["Base32StringSeed"])
    step = int(time.time()) // 30
    people.iam.enable_mfa_device(UserName=bob.name, SerialNumber=serial, AuthenticationCode1=code(seed, step - 2), AuthenticationCode2=code(seed, step - 1))
    sts = bob.client("sts")
    refused(sts.get_session_token, "AccessDenied", "must provide both", SerialNumber=serial)
    refused(sts.get_session_token, "AccessDenied", "MultiFactorAuthentication failed", SerialNumber=serial, TokenCode=f"{(int(code(seed, step)) + 1) % 10**6:06}")
    credentials = sts.get_session_token(SerialNumber=serial, TokenCode=code(seed, int(time.time()) // 30))["Credentials"]
    refused(bob.s3.list_buckets, "AccessDenied")
    session(people, credentials, "s3").list_buckets()
    session(people, credentials, "iam").list_users()
    # A code is good for once.
    refused(sts.get_session_token, "AccessDenied", SerialNumber=serial, TokenCode=code(seed, int(time.time()) // 30))
    arn = role(people, protected, trusting=trust(Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    refused(sts.assume_role, "AccessDenied", RoleArn=arn, RoleSessionName="work")
    by_session = session(people, credentials, "sts").assume_role(RoleArn=arn, RoleSessionName="work")["Credentials"]
    refused(session(people, by_session, "s3").list_buckets, "AccessDenied")
    assert sts.assume_role(RoleArn=arn, RoleSessionName="work", SerialNumber=serial, TokenCode=code(seed, int(time.time()) // 30 + 1))


def test_federated_users(people):
    bucket = people.bucket()
    bob = people.user(allow(["sts:GetFederationToken", "sts:TagSession", "s3:GetObject", "s3:PutObject"], "*"))
    sts = bob.client("sts")
    answer = sts.get_federation_token(Name="eve", Policy=document(allow("s3:*", "*")), Tags=[{"Key": "a", "Value": "b"}])
    arn = f"arn:aws:sts::{ACCOUNT}:federated-user/eve"
    assert answer["FederatedUser"] == {"FederatedUserId": f"{ACCOUNT}:eve", "Arn": arn} and answer["PackedPolicySize"] > 0
    s3 = session(people, answer["Credentials"], "s3")
    s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    refused(s3.delete_object, "AccessDenied", Bucket=bucket, Key="k")
    own = session(people, answer["Credentials"], "sts")
    assert own.get_caller_identity()["Arn"] == arn
    refused(own.assume_role, "AccessDenied", "session credentials", RoleArn=role(people), RoleSessionName="work")
    refused(session(people, answer["Credentials"], "iam").list_users, "InvalidClientTokenId")
    # Without session policies only resources' policies let it do anything.
    bare = session(people, sts.get_federation_token(Name="eve")["Credentials"], "s3")
    refused(bare.get_object, "AccessDenied", Bucket=bucket, Key="k")
    people.policy(bucket, {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:GetObject", "Resource": "BUCKET/*"})
    assert bare.get_object(Bucket=bucket, Key="k")["Body"].read() == b"text"
    refused(people.user(allow("s3:*", "*")).client("sts").get_federation_token, "AccessDenied", "sts:GetFederationToken", Name="eve")
    refused(unchecked(bob).get_federation_token, "ValidationError", Name="e")


def test_authorization_messages(people, alice):
    bucket = people.bucket()
    bob = people.user(deny("s3:GetObject", "*", Sid="NoReading"), allow("sts:DecodeAuthorizationMessage", "*"))
    with pytest.raises(ClientError) as error:
        bob.s3.get_object(Bucket=bucket, Key="k")
    headers = error.value.response["ResponseMetadata"]["HTTPHeaders"]
    message = headers["x-strongroom-authorization-message"]
    decoded = json.loads(bob.client("sts").decode_authorization_message(EncodedMessage=message)["DecodedMessage"])
    assert decoded["explicitDeny"] and not decoded["allowed"]
    assert decoded["matchedStatements"]["items"][0]["statementId"] == "NoReading"
    assert decoded["context"]["action"] == "s3:GetObject" and decoded["context"]["resource"] == f"arn:aws:s3:::{bucket}/k"
    keys = {item["key"]: item["values"]["items"][0]["value"] for item in decoded["context"]["conditions"]["items"]}
    assert keys["aws:username"] == bob.name and keys["aws:SecureTransport"] == "true"
    assert alice.client("sts").decode_authorization_message(EncodedMessage=message)
    refused(people.user().client("sts").decode_authorization_message, "AccessDenied", EncodedMessage=message)
    for account, text in [(people.other, message), (alice, message[1:]), (alice, "nonsense")]:
        refused(account.client("sts").decode_authorization_message, "InvalidAuthorizationMessageException", EncodedMessage=text)
    # Others are not told.
    with pytest.raises(ClientError) as error:
        people.other.s3.get_object(Bucket=bucket, Key="k")
    assert "x-strongroom-authorization-message" not in error.value.response["ResponseMetadata"]["HTTPHeaders"]


def test_access_keys_tell_their_account(people, alice):
    sts = alice.client("sts")
    credentials = sts.get_session_token()["Credentials"]
    for key in [alice.keys[0], credentials["AccessKeyId"], people.server.access_key_id]:
        assert sts.get_access_key_info(AccessKeyId=key)["Account"] == ACCOUNT
    assert sts.get_access_key_info(AccessKeyId=people.other_keys[0])["Account"] != ACCOUNT
    refused(sts.get_access_key_info, "ValidationError", AccessKeyId="SRAKAAAAAAAAAAAAAAAA")
    refused(people.user().client("sts").get_access_key_info, "AccessDenied", AccessKeyId=alice.keys[0])


def test_what_is_not_built_says_so(people, alice):
    sts = alice.client("sts")
    refused(sts.assume_root, "NotImplemented", TargetPrincipal=ACCOUNT, TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"})
    refused(sts.get_web_identity_token, "NotImplemented", Audience=["a"], SigningAlgorithm="RS256")
    refused(sts.get_delegated_access_token, "NotImplemented", TradeInToken="x")
    refused(sts.assume_role_with_saml, "NotImplemented", RoleArn=role(people), PrincipalArn=role(people), SAMLAssertion="PHg+")
    refused(sts.assume_role, "ValidationError", RoleArn=role(people), RoleSessionName="work", ProvidedContexts=[{"ProviderArn": role(people), "ContextAssertion": "abcd"}])


def test_the_endpoint_takes_any_region_and_presigned_requests(people, alice):
    for region in ["us-east-1", "eu-west-3"]:
        client = boto3.client(
            "sts",
            region_name=region,
            endpoint_url=people.server.https,
            verify=people.server.ca_bundle(),
            aws_access_key_id=alice.keys[0],
            aws_secret_access_key=alice.keys[1],
        )
        assert client.get_caller_identity()["Arn"] == alice.arn
    # As EKS and HashiCorp Vault prove who somebody is.
    url = alice.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    answer = requests.get(url, verify=people.server.ca_bundle())
    assert answer.status_code == 200 and alice.arn in answer.text
    assert requests.get(url.replace("GetCallerIdentity", "GetSessionToken"), verify=people.server.ca_bundle()).status_code == 403
    unsigned = requests.post(people.server.https, data={"Action": "GetCallerIdentity", "Version": "2011-06-15"}, verify=people.server.ca_bundle())
    assert unsigned.status_code == 403 and "MissingAuthenticationToken" in unsigned.text
