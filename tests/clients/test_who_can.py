"""`strongroom who-can` says the same as IAM's simulator, and as what happens."""

import json
import secrets

import pytest
from botocore.exceptions import ClientError

import people
from people import allow, deny, document, of
from strongroom import ACCOUNT


@pytest.fixture(scope="module")
def cast(tmp_path_factory):
    cast = people.People(tmp_path_factory.mktemp("who-can"))
    yield cast
    cast.server.stop()


def who_can(cast, action, resource, *more):
    answer = cast.server.run("who-can", action, resource, "--json", *more)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)["who-can"]


def letting(found, principal):
    return [(one["source"], one["statement"]) for one in found if one["principal"] == principal]


class Role:
    """A role that the root user's account may assume, and a session of it."""

    def __init__(self, cast, *statements):
        name = "role-" + secrets.token_hex(6)
        trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
        self.arn = cast.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            cast.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        assumer = cast.user(allow("sts:AssumeRole", self.arn))
        session = assumer.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="session")["Credentials"]
        self.kms = cast.server.client(
            "kms",
            secure=True,
            credentials=(session["AccessKeyId"], session["SecretAccessKey"]),
            aws_session_token=session["SessionToken"],
        )


def decrypts(kms, blob, **more):
    try:
        kms.decrypt(CiphertextBlob=blob, **more)
        return True
    except ClientError as error:
        assert error.response["Error"]["Code"] == "AccessDeniedException", error
        return False


def bounded(cast, person, *statements):
    name = "boundary-" + secrets.token_hex(6)
    arn = cast.iam.create_policy(PolicyName=name, PolicyDocument=document(*statements))["Policy"]["Arn"]
    cast.iam.put_user_permissions_boundary(UserName=person.name, PermissionsBoundary=arn)


def test_who_may_decrypt(cast):
    key = cast.kms.create_key(Tags=[{"TagKey": "team", "TagValue": "red"}])["KeyMetadata"]["Arn"]
    alias = "alias/who-can-" + secrets.token_hex(4)
    cast.kms.create_alias(AliasName=alias, TargetKeyId=key)
    blob = cast.kms.encrypt(KeyId=key, Plaintext=b"1")["CiphertextBlob"]

    everything = cast.user(allow("*", "*"))
    this = cast.user(allow("kms:Decrypt", key))
    other = cast.user(allow("kms:Decrypt", key[:-4] + "0000"))
    nothing = cast.user()
    tagged = cast.user(allow("kms:*", "*", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}}))
    untagged = cast.user(allow("kms:*", "*", Condition={"StringEquals": {"aws:ResourceTag/team": "blue"}}))
    denied = cast.user(allow("*", "*"), deny("kms:Decrypt", "*"))
    within = cast.user(allow("*", "*"))
    bounded(cast, within, allow("kms:*", "*"))
    beyond = cast.user(allow("*", "*"))
    bounded(cast, beyond, allow("s3:*", "*"))
    named = cast.user()
    named_and_denied = cast.user(deny("kms:*", "*"))
    role, poor_role = Role(cast, allow("kms:Decrypt", key)), Role(cast)
    stranger = cast.user(allow("kms:*", "*"), other=True)
    policy = document(
        of(ACCOUNT, allow("kms:*", "*", Sid="Account")),
        of(named.arn, allow("kms:Decrypt", "*", Sid="Named")),
        of(named_and_denied.arn, allow("kms:Decrypt", "*", Sid="Named too")),
        of(people.OTHER_ACCOUNT, allow("kms:Decrypt", "*", Sid="Strangers")),
    )
    cast.kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)

    found = who_can(cast, "kms:Decrypt", key)
    assert who_can(cast, "kms:decrypt", alias) == found == who_can(cast, "kms:Decrypt", key.split("/")[1])
    users = [everything, this, other, nothing, tagged, untagged, denied, within, beyond, named, named_and_denied]
    callers = {person.arn: person.client("kms") for person in users}
    callers |= {role.arn: role.kms, poor_role.arn: poor_role.kms}
    allowed = set()
    for arn, kms in callers.items():
        may = bool(letting(found, arn))
        assert may == decrypts(kms, blob), arn
        simulated = cast.iam.simulate_principal_policy(
            PolicySourceArn=arn,
            ActionNames=["kms:Decrypt"],
            ResourceArns=[key],
            ResourcePolicy=policy,
            ResourceOwner=f"arn:aws:iam::{ACCOUNT}:root",
            ContextEntries=[
                {"ContextKeyName": "aws:ResourceTag/team", "ContextKeyValues": ["red"], "ContextKeyType": "string"}
            ],
        )["EvaluationResults"][0]["EvalDecision"]
        assert may == (simulated == "allowed"), (arn, simulated)
        allowed |= {arn} if may else set()
    assert allowed == {everything.arn, this.arn, tagged.arn, within.arn, named.arn, role.arn}
    assert letting(found, this.arn) == [(f"user/{this.name}/own", "0")]
    assert letting(found, named.arn) == [("resource policy", "Named")]
    assert letting(found, people.ROOT) == [("resource policy", "Account")]
    # Of the other account's callers those that their own account lets.
    assert letting(found, stranger.arn) and decrypts(stranger.client("kms"), blob)
    assert letting(found, cast.other.arn) and decrypts(cast.other.client("kms"), blob)

    # What no other account can ever do, whatever the key policy says.
    assert not letting(who_can(cast, "kms:ScheduleKeyDeletion", key), cast.other.arn)


def test_circumstances_that_are_told(cast):
    key = cast.kms.create_key()["KeyMetadata"]["Arn"]
    own, other = "s3.us-east-1.amazonaws.com", "ssm.us-east-1.amazonaws.com"
    through = cast.user(allow("kms:Decrypt", key, Condition={"StringEquals": {"kms:ViaService": [own]}}))
    teams = cast.user(
        allow("kms:Decrypt", key, Condition={"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["a", "b"]},
                                             "Null": {"kms:EncryptionContextKeys": "false"}})
    )

    def may(person, *context):
        given = [part for pair in context for part in ("--context", "=".join(pair))]
        found = bool(letting(who_can(cast, "kms:Decrypt", key, *given), person.arn))
        names = {name for name, _ in context}
        entries = [
            {"ContextKeyName": name, "ContextKeyType": "stringList", "ContextKeyValues": [v for n, v in context if n == name]}
            for name in names
        ]
        simulated = cast.iam.simulate_principal_policy(
            PolicySourceArn=person.arn, ActionNames=["kms:Decrypt"], ResourceArns=[key], ContextEntries=entries
        )["EvaluationResults"][0]["EvalDecision"]
        assert found == (simulated == "allowed"), (found, simulated, context)
        return found

    assert not may(through)
    assert may(through, ("kms:ViaService", own))
    assert may(through, ("KMS:viaservice", own))
    assert not may(through, ("kms:ViaService", other))
    keys = "kms:EncryptionContextKeys"
    assert may(teams, (keys, "b"))
    assert may(teams, (keys, "b"), (keys, "a"))
    assert not may(teams, (keys, "b"), (keys, "c"))
    # What follows from the resource is as it is.
    spec = cast.user(allow("kms:Decrypt", key, Condition={"StringEquals": {"kms:KeySpec": "RSA_2048"}}))
    assert not letting(who_can(cast, "kms:Decrypt", key, "--context", "kms:KeySpec=RSA_2048"), spec.arn)

    refused = cast.server.run("who-can", "kms:Decrypt", key, "--context", "ViaService")
    assert refused.returncode == 2 and "aws:SourceIp" in refused.stderr


def test_grants(cast):
    key = cast.kms.create_key()["KeyMetadata"]["Arn"]
    context = {"team": "red"}
    blob = cast.kms.encrypt(KeyId=key, Plaintext=b"1", EncryptionContext=context)["CiphertextBlob"]
    person, denied, role, nobody = cast.user(), cast.user(deny("kms:Decrypt", "*")), Role(cast), cast.user()

    def grant(arn, **more):
        return cast.kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Decrypt"], **more)["GrantId"]

    constrained = grant(person.arn, Constraints={"EncryptionContextSubset": context})
    grant(denied.arn)
    of_role = grant(role.arn)
    account = json.loads(cast.server.run("account", "create", "far", "--json").stdout)["account"]
    far = f"arn:aws:iam::{account}:root"
    elsewhere = grant(far)
    assert cast.server.run("account", "delete", account).returncode == 0
    found = who_can(cast, "kms:Decrypt", key)
    assert letting(found, person.arn) == [
        ("grant", f'{constrained} with EncryptionContextSubset {{"team":"red"}}')
    ]
    assert letting(found, role.arn) == [("grant", of_role)]
    assert [one for one in found if one["elsewhere"]] == [
        {
            "principal": far,
            "source": "grant",
            "statement": elsewhere,
            "elsewhere": True,
        }
    ]
    callers = [(one.arn, one.client("kms")) for one in (person, denied, nobody)] + [(role.arn, role.kms)]
    for arn, kms in callers:
        assert bool(letting(found, arn)) == decrypts(kms, blob, EncryptionContext=context), arn
    assert not letting(who_can(cast, "kms:Encrypt", key), person.arn)
    lines = cast.server.run("who-can", "kms:Decrypt", key).stdout.splitlines()
    assert f"{role.arn}  by grant {of_role}" in lines


def test_buckets(cast):
    person, nobody = cast.user(allow("s3:GetObject", "*")), cast.user()
    bucket = cast.bucket(of(nobody.arn, allow("s3:GetObject", "BUCKET/open/*", Sid="Open")))

    def readers(key):
        return {one["principal"] for one in who_can(cast, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")}

    for key in ("open/k", "closed/k"):
        cast.s3.put_object(Bucket=bucket, Key=key, Body=b"1")
        for somebody in (person, nobody):
            try:
                somebody.s3.get_object(Bucket=bucket, Key=key)
                assert somebody.arn in readers(key)
            except ClientError:
                assert somebody.arn not in readers(key)
    assert nobody.arn in readers("open/k") and nobody.arn not in readers("closed/k")
    assert cast.other.arn not in readers("open/k")
    public = cast.bucket(people.of_everyone(allow("s3:GetObject", "BUCKET/*")), public=True)
    assert letting(who_can(cast, "s3:GetObject", f"arn:aws:s3:::{public}/k"), "*") == [("resource policy", "0")]
    cast.s3.put_public_access_block(
        Bucket=public,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": False,
            "IgnorePublicAcls": False,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": True,
        },
    )
    assert not letting(who_can(cast, "s3:GetObject", f"arn:aws:s3:::{public}/k"), "*")


@pytest.mark.parametrize(
    "question",
    [
        ("kms:Decrypt", "alias/nobody-has-this"),
        ("kms:NoSuchAction", "alias/aws/s3"),
        ("s3:GetObject", "arn:aws:s3:::no-such-bucket-at-all/k"),
        ("s3:GetObject", "bucket"),
        ("ec2:RunInstances", "*"),
    ],
)
def test_what_cannot_be_told_is_refused(cast, question):
    answer = cast.server.run("who-can", *question)
    assert answer.returncode == 2 and answer.stderr.startswith("strongroom: ") and not answer.stdout
