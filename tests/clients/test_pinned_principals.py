"""Policies of resources and grants remember whom they name, not the name: IAM User Guide, "AWS JSON policy elements: Principal".

"If you delete the user [or role], you break the relationship. The policy no longer applies, even if you recreate the user because the new user has a new
principal ID that does not match the ID stored in your trust policy."
"""

import json
import secrets

import pytest
from botocore.exceptions import ClientError

from people import OTHER_ACCOUNT, ROOT, People, Person, allow, deny, document, of
from strongroom import ACCOUNT, REGION

ADMINISTRATION = of(ROOT, allow(["kms:*KeyPolicy*", "kms:*Grant*", "kms:DescribeKey", "kms:ReplicateKey"], "*"))
CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("pinned"), "--regions", f"{REGION},eu-west-1")
    yield people
    people.server.stop()


def code(call, **arguments) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


class User:
    """A user without policies of its own."""

    prefix = "AIDA"

    def __init__(self, people):
        self.people, self.iam, self.name = people, people.iam, "pinned-" + secrets.token_hex(6)
        self.make()

    def make(self):
        made = self.iam.create_user(UserName=self.name)["User"]
        self.arn, self.id = made["Arn"], made["UserId"]
        self.key = self.iam.create_access_key(UserName=self.name)["AccessKey"]

    def client(self, service):
        keys = self.key["AccessKeyId"], self.key["SecretAccessKey"]
        return Person(self.people.server, self.name, self.arn, keys).client(service)

    def delete(self):
        self.iam.delete_access_key(UserName=self.name, AccessKeyId=self.key["AccessKeyId"])
        self.iam.delete_user(UserName=self.name)

    def rename(self):
        self.iam.update_user(UserName=self.name, NewUserName=self.name + "-new", NewPath="/new/")
        self.name += "-new"
        self.arn = f"arn:aws:iam::{ACCOUNT}:user/new/{self.name}"


class Role:
    """A role without policies, and a user who may assume it."""

    prefix = "AROA"

    def __init__(self, people):
        self.people, self.iam, self.name = people, people.iam, "pinned-" + secrets.token_hex(6)
        self.assumer = people.user(allow("sts:AssumeRole", "*"))
        self.make()

    def make(self):
        trust = document(of(ACCOUNT, {"Effect": "Allow", "Action": "sts:AssumeRole"}))
        made = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust)["Role"]
        self.arn, self.id = made["Arn"], made["RoleId"]

    def client(self, service):
        held = self.assumer.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="session")["Credentials"]
        keys = held["AccessKeyId"], held["SecretAccessKey"]
        return self.people.server.client(service, secure=True, credentials=keys, aws_session_token=held["SessionToken"])

    def delete(self):
        self.iam.delete_role(RoleName=self.name)


@pytest.fixture(params=[User, Role], ids=["user", "role"])
def somebody(request, people):
    return request.param(people)


def principals(policy: str) -> list:
    """Whom the statements of a policy name, the first of which is the administrators'."""
    return [(one.get("Principal") or one["NotPrincipal"])["AWS"] for one in json.loads(policy)["Statement"]]


# Made anew.


def test_a_bucket_policy_does_not_mean_the_next_of_the_name(people, somebody):
    bucket = people.bucket(of(somebody.arn, allow("s3:ListBucket", "BUCKET")))
    shown = lambda: principals(people.s3.get_bucket_policy(Bucket=bucket)["Policy"])
    assert code(somebody.client("s3").list_objects_v2, Bucket=bucket) == "ok"
    assert shown() == [somebody.arn]
    gone = somebody.id
    somebody.delete()
    assert gone.startswith(somebody.prefix) and shown() == [gone]
    somebody.make()
    assert somebody.id != gone
    assert code(somebody.client("s3").list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert shown() == [gone]
    # Named again, the new one is meant.
    people.policy(bucket, of(somebody.arn, allow("s3:ListBucket", "BUCKET")))
    assert code(somebody.client("s3").list_objects_v2, Bucket=bucket) == "ok"


def test_a_key_policy_does_not_mean_the_next_of_the_name(people, somebody):
    key = people.kms.create_key(Policy=document(ADMINISTRATION, of(somebody.arn, allow("kms:Encrypt", "*"))))
    key = key["KeyMetadata"]["Arn"]
    shown = lambda: principals(people.kms.get_key_policy(KeyId=key)["Policy"])[1:]
    assert code(somebody.client("kms").encrypt, KeyId=key, Plaintext=b"x") == "ok"
    assert shown() == [somebody.arn]
    gone = somebody.id
    somebody.delete()
    assert shown() == [gone]
    somebody.make()
    assert code(somebody.client("kms").encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    assert shown() == [gone]
    people.kms.put_key_policy(KeyId=key, Policy=document(ADMINISTRATION, of(somebody.arn, allow("kms:Encrypt", "*"))))
    assert code(somebody.client("kms").encrypt, KeyId=key, Plaintext=b"x") == "ok"


def test_whom_a_denial_spares_is_not_the_next_of_the_name(people):
    user = User(people)
    spared = {"NotPrincipal": {"AWS": [user.arn, ACCOUNT]}}
    bucket = people.bucket(of(user.arn, allow("s3:ListBucket", "BUCKET")), deny("s3:ListBucket", "BUCKET") | spared)
    assert code(user.client("s3").list_objects_v2, Bucket=bucket) == "ok"
    gone = user.id
    user.delete()
    user.make()
    policy = people.s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert principals(policy) == [gone, [gone, ROOT]]
    statement = of(user.arn, allow("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
    people.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(allow("s3:*", "*")))
    assert code(user.client("s3").list_objects_v2, Bucket=bucket) == "AccessDenied", "not the one that is spared"
    people.iam.delete_user_policy(UserName=user.name, PolicyName="own")
    # The text that is shown names who is gone, and is not taken again.
    assert code(people.s3.put_bucket_policy, Bucket=bucket, Policy=policy) == "MalformedPolicy"
    assert code(people.s3.put_bucket_policy, Bucket=bucket, Policy=document(statement)) == "ok"


def test_a_grant_is_not_to_the_next_of_the_name(people, somebody):
    key = people.kms.create_key(Policy=document(ADMINISTRATION))["KeyMetadata"]["Arn"]
    made = people.kms.create_grant(KeyId=key, GranteePrincipal=somebody.arn, Operations=["Encrypt"])
    listed = lambda **more: [one["GranteePrincipal"] for one in people.kms.list_grants(KeyId=key, **more)["Grants"]]
    assert code(somebody.client("kms").encrypt, KeyId=key, Plaintext=b"x") == "ok"
    assert listed() == listed(GranteePrincipal=somebody.arn) == [somebody.arn]
    gone, token = somebody.id, {"GrantTokens": [made["GrantToken"]]}
    somebody.delete()
    assert listed() == listed(GranteePrincipal=gone) == [gone]
    somebody.make()
    kms = somebody.client("kms")
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "AccessDeniedException"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x", **token) == "AccessDeniedException"
    assert listed(GranteePrincipal=somebody.arn) == []
    assert listed() == [gone]
    who = json.loads(people.server.run("who-can", "kms:Encrypt", key, "--json").stdout)["who-can"]
    assert somebody.arn not in [one["principal"] for one in who]


def test_who_may_retire_a_grant_is_not_the_next_of_the_name(people, somebody):
    key = people.kms.create_key()["KeyMetadata"]["Arn"]
    request = {"KeyId": key, "GranteePrincipal": ROOT, "RetiringPrincipal": somebody.arn, "Operations": ["Encrypt"]}
    first, second = (people.kms.create_grant(**request, Name=name)["GrantToken"] for name in ("a", "b"))
    retirable = lambda principal: people.kms.list_retirable_grants(RetiringPrincipal=principal)["Grants"]
    assert {one["RetiringPrincipal"] for one in retirable(somebody.arn)} == {somebody.arn}
    assert code(somebody.client("kms").retire_grant, GrantToken=first) == "ok"
    gone = somebody.id
    somebody.delete()
    somebody.make()
    assert code(somebody.client("kms").retire_grant, GrantToken=second) == "AccessDeniedException"
    assert retirable(somebody.arn) == []
    # Whose it was nobody knows any more, and so nobody is told what it may retire.
    with pytest.raises(ClientError) as refused:
        retirable(gone)
    assert refused.value.response["Error"]["Code"] == "InvalidArnException"


# Renamed.


def test_a_new_name_keeps_what_was_given(people):
    user = User(people)
    bucket = people.bucket(of(user.arn, allow("s3:ListBucket", "BUCKET")))
    key = people.kms.create_key(Policy=document(ADMINISTRATION, of(user.arn, allow("kms:Encrypt", "*"))))["KeyMetadata"]["Arn"]
    named = {"KeyId": key, "Operations": ["GenerateDataKey"], "Name": "grant"}
    grant = people.kms.create_grant(**named, GranteePrincipal=user.arn)["GrantId"]
    old = user.arn
    user.rename()
    assert old != user.arn
    kms = user.client("kms")
    assert code(user.client("s3").list_objects_v2, Bucket=bucket) == "ok"
    assert code(kms.encrypt, KeyId=key, Plaintext=b"x") == "ok"
    assert code(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == "ok"
    assert principals(people.s3.get_bucket_policy(Bucket=bucket)["Policy"]) == [user.arn]
    assert principals(people.kms.get_key_policy(KeyId=key)["Policy"])[1] == user.arn
    assert [one["GranteePrincipal"] for one in people.kms.list_grants(KeyId=key)["Grants"]] == [user.arn]
    assert people.kms.create_grant(**named, GranteePrincipal=user.arn)["GrantId"] == grant, "the same grant by the new name"
    # Who takes the old name is somebody else.
    people.iam.create_user(UserName=old.rsplit("/", 1)[1])
    assert people.kms.list_grants(KeyId=key, GranteePrincipal=old)["Grants"] == []
    assert people.kms.create_grant(**named, GranteePrincipal=old)["GrantId"] != grant


def test_a_replicas_policy_is_pinned_too(people, somebody):
    key = people.kms.create_key(MultiRegion=True, Policy=document(ADMINISTRATION))["KeyMetadata"]["Arn"]
    policy = document(ADMINISTRATION, of(somebody.arn, allow("kms:Encrypt", "*")))
    made = people.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1", Policy=policy)
    assert json.loads(made["ReplicaPolicy"]) == json.loads(policy)
    replica = people.server.client("kms", secure=True, region="eu-west-1")
    gone = somebody.id
    somebody.delete()
    somebody.make()
    assert principals(replica.get_key_policy(KeyId=made["ReplicaKeyMetadata"]["Arn"])["Policy"])[1] == gone


# Shown, and refused.


def test_an_account_is_shown_as_its_root(people):
    other = f"arn:aws:iam::{OTHER_ACCOUNT}:root"
    bucket = people.bucket(of([ACCOUNT, OTHER_ACCOUNT, other], allow("s3:ListBucket", "BUCKET")))
    assert principals(people.s3.get_bucket_policy(Bucket=bucket)["Policy"]) == [[ROOT, other, other]]
    key = people.kms.create_key(Policy=document(ADMINISTRATION, of(OTHER_ACCOUNT, allow("kms:Encrypt", "*"))))["KeyMetadata"]["Arn"]
    assert principals(people.kms.get_key_policy(KeyId=key)["Policy"]) == [ROOT, other]
    role = Role(people)
    assert principals(json.dumps(people.iam.get_role(RoleName=role.name)["Role"]["AssumeRolePolicyDocument"])) == [ROOT]


NOBODY = [
    ("AWS", f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all"),
    ("AWS", f"arn:aws:iam::{ACCOUNT}:role/nobody-at-all"),
    ("AWS", f"arn:aws:sts::{ACCOUNT}:assumed-role/nobody-at-all/session"),
    ("AWS", f"arn:aws:iam::{OTHER_ACCOUNT}:user/nobody-at-all"),
    ("AWS", "arn:aws:iam::121212121212:root"),
    ("AWS", "121212121212"),
    ("AWS", f"arn:aws-cn:iam::{ACCOUNT}:root"),
    ("AWS", "arn:aws:sts::121212121212:federated-user/bob"),
    ("AWS", "AIDAQQQQQQQQQQQQQQQQQ"),
    ("AWS", "AROAQQQQQQQQQQQQQQQQQ"),
    ("CanonicalUser", CANONICAL),
]


@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
@pytest.mark.parametrize("kind, name", NOBODY)
def test_policies_name_only_whom_there_is(people, kind, name, element):
    effect = allow if element == "Principal" else deny
    named = {element: {kind: [name]}}
    bucket = people.bucket()
    with pytest.raises(ClientError) as caught:
        policy = document(effect("s3:ListBucket", f"arn:aws:s3:::{bucket}") | named)
        people.s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    error = caught.value.response
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("MalformedPolicy", "Invalid principal in policy")
    assert error["Error"]["Detail"] == f'"{kind}" : "{name}"'
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert code(people.s3.get_bucket_policy, Bucket=bucket) == "NoSuchBucketPolicy"

    key = people.kms.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    policy = document(of(ROOT, allow("kms:*", "*")), effect("kms:Encrypt", "*") | named)
    for call, arguments in (
        (people.kms.create_key, {}),
        (people.kms.put_key_policy, {"KeyId": key}),
        (people.kms.replicate_key, {"KeyId": key, "ReplicaRegion": "eu-west-1"}),
    ):
        with pytest.raises(ClientError) as caught:
            call(Policy=policy, BypassPolicyLockoutSafetyCheck=True, **arguments)
        error = caught.value.response
        text = "Policy contains a statement with one or more invalid principals."
        assert (error["Error"]["Code"], error["Error"]["Message"]) == ("MalformedPolicyDocumentException", text)
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    people.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)


@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
@pytest.mark.parametrize("name", [name for kind, name in NOBODY if kind == "AWS"])
def test_grants_name_only_whom_there_is(people, grants_key, name, member):
    request = {"KeyId": grants_key, "Operations": ["Encrypt"], "GranteePrincipal": ROOT} | {member: name}
    with pytest.raises(ClientError) as caught:
        people.kms.create_grant(**request)
    error = caught.value.response
    named = f"arn:aws:iam::{name}:root" if name.isdigit() else name
    text = f"ARN does not refer to a valid principal: {named}"
    assert (error["Error"]["Code"], error["Error"]["Message"]) == ("InvalidArnException", text)
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert people.kms.list_grants(KeyId=grants_key)["Grants"] == []


@pytest.fixture(scope="module")
def grants_key(people):
    return people.kms.create_key()["KeyMetadata"]["Arn"]


def test_trust_names_no_canonical_user(people):
    trust = document(allow("sts:AssumeRole", "*") | {"Principal": {"CanonicalUser": CANONICAL}})
    trust = json.loads(trust)
    del trust["Statement"][0]["Resource"]
    name = "pinned-" + secrets.token_hex(6)
    assert code(people.iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(trust)) == "MalformedPolicyDocument"


def test_the_condition_keys_of_a_grant_are_the_arns_of_the_request(people):
    user, retiring = User(people), User(people)
    maker = people.user()
    condition = {"ArnEquals": {"kms:GranteePrincipal": user.arn}, "StringEquals": {"kms:RetiringPrincipal": retiring.arn}}
    policy = document(ADMINISTRATION, of(maker.arn, allow("kms:CreateGrant", "*", Condition=condition)))
    key = people.kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    kms, request = maker.client("kms"), {"KeyId": key, "Operations": ["Encrypt"]}
    assert code(kms.create_grant, **request, GranteePrincipal=user.arn, RetiringPrincipal=retiring.arn) == "ok"
    assert code(kms.create_grant, **request, GranteePrincipal=retiring.arn, RetiringPrincipal=retiring.arn) == "AccessDeniedException"
    # Who may not make a grant does not learn who exists.
    nobody = f"arn:aws:iam::{ACCOUNT}:user/nobody-at-all"
    assert code(kms.create_grant, **request, GranteePrincipal=nobody) == "AccessDeniedException"
    assert code(people.kms.create_grant, **request, GranteePrincipal=nobody, DryRun=True) == "InvalidArnException"
