"""What is taken away is gone from the very next request on: on the connection that has just been served, and under eight callers at once.

A request may be answered either way while the change is on its way. One that begins after the change was answered must be refused.
"""

import concurrent.futures
import datetime
import secrets
import threading
import time

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from people import OTHER_ACCOUNT, ROOT, People, allow, deny, document, of
from strongroom import ACCOUNT
from wrapping import Importer, external

DENIED = ("AccessDenied", "AccessDeniedException")
# Of credentials that are nobody's any more, as each service has it.
UNKNOWN = ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidToken")
DISABLED = ("DisabledException", "KMS.DisabledException")
INVALID_STATE = ("KMSInvalidStateException", "KMS.KMSInvalidStateException")
THREADS = 8
ALL_OF_S3 = allow("s3:*", "*")


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("revocations"), "--block-public-access", "off")
    bundle = people.server.ca_bundle()
    people.server.ca_bundle = lambda: bundle
    yield people
    people.server.stop()


class Stage:
    """What a case needs, made anew for each."""

    def __init__(self, people: People):
        self.people, self.iam, self.kms, self.s3 = people, people.iam, people.kms, people.s3
        self.bucket = people.bucket()
        self.s3.put_object(Bucket=self.bucket, Key="key", Body=b"body", Tagging="open=yes")

    def name(self) -> str:
        return "name-" + secrets.token_hex(6)

    def client(self, service: str, credentials):
        """A client by an access key, or by the credentials of a session."""
        config = Config(max_pool_connections=THREADS + 1)
        if isinstance(credentials, tuple):
            return self.people.server.client(service, True, credentials, config=config)
        keys = credentials["AccessKeyId"], credentials["SecretAccessKey"]
        return self.people.server.client(service, True, keys, aws_session_token=credentials["SessionToken"], config=config)

    def user(self, *statements):
        """A user and its clients."""
        user = self.people.user(*statements)
        user.s3 = self.client("s3", user.keys)
        user.kms = self.client("kms", user.keys)
        return user

    def reading(self, s3):
        """A call that reads the object."""
        return lambda: s3.get_object(Bucket=self.bucket, Key="key")["Body"].read()

    def managed(self, *statements) -> str:
        return self.iam.create_policy(PolicyName=self.name(), PolicyDocument=document(*statements))["Policy"]["Arn"]

    def role(self, *statements):
        """A role that the account trusts; its name, its ARN and a session's credentials."""
        name, trust = self.name(), document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return name, arn, self.session(arn)

    def session(self, arn: str):
        sts = self.client("sts", self.user(allow("sts:AssumeRole", "*")).keys)
        return sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]

    def key(self, *statements) -> str:
        """A key whose policy is the account's, or these statements besides root's power to change it."""
        policy = {}
        if statements:
            policy = {"Policy": document(of(ROOT, allow("kms:PutKeyPolicy", "*")), *statements)}
        return self.kms.create_key(BypassPolicyLockoutSafetyCheck=True, **policy)["KeyMetadata"]["Arn"]

    def encrypt_bucket(self, key: str, bucket_key: bool) -> None:
        """The bucket's objects lie under this key from now on."""
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}, "BucketKeyEnabled": bucket_key}
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        self.s3.put_object(Bucket=self.bucket, Key="key", Body=b"body")

    def puts(self, s3):
        """A call that writes an object."""
        return lambda: s3.put_object(Bucket=self.bucket, Key=secrets.token_hex(4), Body=b"body")


# Each case: what somebody does again and again, what takes it from him, and what he is told then.


def access_key_deactivated(stage):
    user = stage.user(ALL_OF_S3)
    return stage.reading(user.s3), lambda: stage.iam.update_access_key(UserName=user.name, AccessKeyId=user.keys[0], Status="Inactive"), UNKNOWN


def access_key_deleted(stage):
    user = stage.user(ALL_OF_S3)
    return stage.reading(user.s3), lambda: stage.iam.delete_access_key(UserName=user.name, AccessKeyId=user.keys[0]), UNKNOWN


def user_deleted(stage):
    """Its last session: the access key is gone already, which sessions of GetSessionToken outlive."""
    user = stage.user()
    stage.people.policy(stage.bucket, of(user.arn, allow("s3:GetObject", "BUCKET/*")))
    session = stage.client("sts", user.keys).get_session_token()["Credentials"]
    stage.iam.delete_access_key(UserName=user.name, AccessKeyId=user.keys[0])
    return stage.reading(stage.client("s3", session)), lambda: stage.iam.delete_user(UserName=user.name), UNKNOWN


def user_deleted_under_a_federated_session(stage):
    user = stage.user()
    stage.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(allow("*", "*")))
    session = stage.client("sts", user.keys).get_federation_token(Name="name", Policy=document(ALL_OF_S3))["Credentials"]
    stage.people.policy(stage.bucket, of(f"arn:aws:sts::{ACCOUNT}:federated-user/name", allow("s3:GetObject", "BUCKET/*")))
    stage.iam.delete_access_key(UserName=user.name, AccessKeyId=user.keys[0])
    stage.iam.delete_user_policy(UserName=user.name, PolicyName="own")
    return stage.reading(stage.client("s3", session)), lambda: stage.iam.delete_user(UserName=user.name), UNKNOWN


def inline_policy_deleted(stage):
    user = stage.user(ALL_OF_S3)
    return stage.reading(user.s3), lambda: stage.iam.delete_user_policy(UserName=user.name, PolicyName="own"), DENIED


def inline_policy_changed(stage):
    user = stage.user(ALL_OF_S3)
    text = document(ALL_OF_S3, deny("s3:GetObject", "*"))
    return stage.reading(user.s3), lambda: stage.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=text), DENIED


def inline_policy_of_the_user_behind_a_session_deleted(stage):
    user = stage.user(ALL_OF_S3)
    session = stage.client("sts", user.keys).get_session_token()["Credentials"]
    call = stage.reading(stage.client("s3", session))
    return call, lambda: stage.iam.delete_user_policy(UserName=user.name, PolicyName="own"), DENIED


def inline_policy_of_the_user_behind_a_federated_session_deleted(stage):
    user = stage.user(allow("*", "*"))
    session = stage.client("sts", user.keys).get_federation_token(Name="name", Policy=document(ALL_OF_S3))["Credentials"]
    call = stage.reading(stage.client("s3", session))
    return call, lambda: stage.iam.delete_user_policy(UserName=user.name, PolicyName="own"), DENIED


def managed_policy_detached(stage):
    user, policy = stage.user(), stage.managed(ALL_OF_S3)
    stage.iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
    return stage.reading(user.s3), lambda: stage.iam.detach_user_policy(UserName=user.name, PolicyArn=policy), DENIED


def default_version_switched(stage):
    user, policy = stage.user(), stage.managed(ALL_OF_S3)
    stage.iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
    stage.iam.create_policy_version(PolicyArn=policy, PolicyDocument=document(deny("*", "*")))
    return stage.reading(user.s3), lambda: stage.iam.set_default_policy_version(PolicyArn=policy, VersionId="v2"), DENIED


def new_default_version(stage):
    user, policy = stage.user(), stage.managed(ALL_OF_S3)
    stage.iam.attach_user_policy(UserName=user.name, PolicyArn=policy)
    text = document(allow("s3:List*", "*"))
    return stage.reading(user.s3), lambda: stage.iam.create_policy_version(PolicyArn=policy, PolicyDocument=text, SetAsDefault=True), DENIED


def denying_policy_attached(stage):
    user, policy = stage.user(ALL_OF_S3), stage.managed(deny("*", "*"))
    return stage.reading(user.s3), lambda: stage.iam.attach_user_policy(UserName=user.name, PolicyArn=policy), DENIED


def in_a_group(stage):
    user, group = stage.user(), stage.name()
    stage.iam.create_group(GroupName=group)
    stage.iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=document(ALL_OF_S3))
    stage.iam.add_user_to_group(UserName=user.name, GroupName=group)
    return user, group


def group_membership_removed(stage):
    user, group = in_a_group(stage)
    return stage.reading(user.s3), lambda: stage.iam.remove_user_from_group(UserName=user.name, GroupName=group), DENIED


def group_policy_deleted(stage):
    user, group = in_a_group(stage)
    return stage.reading(user.s3), lambda: stage.iam.delete_group_policy(GroupName=group, PolicyName="own"), DENIED


def group_joined_that_denies(stage):
    user, group = stage.user(ALL_OF_S3), stage.name()
    stage.iam.create_group(GroupName=group)
    stage.iam.put_group_policy(GroupName=group, PolicyName="own", PolicyDocument=document(deny("s3:*", "*")))
    return stage.reading(user.s3), lambda: stage.iam.add_user_to_group(UserName=user.name, GroupName=group), DENIED


def boundary_set(stage):
    user, policy = stage.user(ALL_OF_S3), stage.managed(allow("s3:List*", "*"))
    return stage.reading(user.s3), lambda: stage.iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=policy), DENIED


def boundary_narrowed(stage):
    user, policy = stage.user(ALL_OF_S3), stage.managed(ALL_OF_S3)
    stage.iam.put_user_permissions_boundary(UserName=user.name, PermissionsBoundary=policy)
    text = document(allow("s3:List*", "*"))
    return stage.reading(user.s3), lambda: stage.iam.create_policy_version(PolicyArn=policy, PolicyDocument=text, SetAsDefault=True), DENIED


def users_tag_taken(stage):
    user = stage.user(ALL_OF_S3 | {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}}})
    stage.iam.tag_user(UserName=user.name, Tags=[{"Key": "team", "Value": "red"}])
    return stage.reading(user.s3), lambda: stage.iam.untag_user(UserName=user.name, TagKeys=["team"]), DENIED


def role_deleted(stage):
    name, arn, session = stage.role()
    stage.people.policy(stage.bucket, of(arn, allow("s3:GetObject", "BUCKET/*")))
    return stage.reading(stage.client("s3", session)), lambda: stage.iam.delete_role(RoleName=name), UNKNOWN


def role_made_anew(stage):
    """A role of the same name is another role."""
    name, arn, session = stage.role()
    stage.people.policy(stage.bucket, of(arn, allow("s3:GetObject", "BUCKET/*")))
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})

    def again():
        stage.iam.delete_role(RoleName=name)
        stage.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        stage.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(ALL_OF_S3))

    return stage.reading(stage.client("s3", session)), again, UNKNOWN


def role_policy_deleted(stage):
    name, _, session = stage.role(ALL_OF_S3)
    return stage.reading(stage.client("s3", session)), lambda: stage.iam.delete_role_policy(RoleName=name, PolicyName="own"), DENIED


def role_boundary_set(stage):
    name, _, session = stage.role(ALL_OF_S3)
    policy = stage.managed(allow("s3:List*", "*"))
    return stage.reading(stage.client("s3", session)), lambda: stage.iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy), DENIED


def role_sessions_revoked(stage):
    """As the console does it: "AWSRevokeOlderSessions". A session from after that is good."""
    name, arn, session = stage.role(ALL_OF_S3)
    time.sleep(1.1)

    def revoke():
        before = {"DateLessThan": {"aws:TokenIssueTime": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}
        text = document(deny("*", "*", Condition=before))
        stage.iam.put_role_policy(RoleName=name, PolicyName="AWSRevokeOlderSessions", PolicyDocument=text)
        time.sleep(0.1)
        stage.reading(stage.client("s3", stage.session(arn)))()

    return stage.reading(stage.client("s3", session)), revoke, DENIED


def trust_policy_changed(stage):
    name, arn, _ = stage.role(ALL_OF_S3)
    sts = stage.client("sts", stage.user(allow("sts:AssumeRole", "*")).keys)
    trust = document({"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}, "Action": "sts:AssumeRole"})
    return (
        lambda: sts.assume_role(RoleArn=arn, RoleSessionName="session"),
        lambda: stage.iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust),
        DENIED,
    )


def bucket_policy_deleted(stage):
    user = stage.user()
    stage.people.policy(stage.bucket, of(user.arn, allow("s3:GetObject", "BUCKET/*")))
    return stage.reading(user.s3), lambda: stage.s3.delete_bucket_policy(Bucket=stage.bucket), DENIED


def bucket_policy_that_denies(stage):
    user = stage.user(ALL_OF_S3)
    statement = of(user.arn, deny("s3:GetObject", "BUCKET/*"))
    return stage.reading(user.s3), lambda: stage.people.policy(stage.bucket, statement), DENIED


def bucket_policy_of_another_account_deleted(stage):
    user = stage.people.user(ALL_OF_S3, other=True)
    stage.people.policy(stage.bucket, of(user.arn, allow("s3:GetObject", "BUCKET/*")))
    s3 = stage.client("s3", user.keys)
    return stage.reading(s3), lambda: stage.s3.delete_bucket_policy(Bucket=stage.bucket), DENIED


def public_access_blocked(stage):
    stage.people.policy(stage.bucket, allow("s3:GetObject", "BUCKET/*", Principal="*"))
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    return (
        stage.reading(stage.people.nobody),
        lambda: stage.s3.put_public_access_block(Bucket=stage.bucket, PublicAccessBlockConfiguration=block),
        DENIED,
    )


def public_access_blocked_for_other_accounts(stage):
    user = stage.people.user(ALL_OF_S3, other=True)
    stage.people.policy(stage.bucket, allow("s3:GetObject", "BUCKET/*", Principal="*"))
    block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy"), False) | {"RestrictPublicBuckets": True}
    return (
        stage.reading(stage.client("s3", user.keys)),
        lambda: stage.s3.put_public_access_block(Bucket=stage.bucket, PublicAccessBlockConfiguration=block),
        DENIED,
    )


def objects_tag_changed(stage):
    user = stage.user(ALL_OF_S3 | {"Condition": {"StringEquals": {"s3:ExistingObjectTag/open": "yes"}}})
    return stage.reading(user.s3), lambda: stage.s3.delete_object_tagging(Bucket=stage.bucket, Key="key"), DENIED


# Keys.


def key_disabled(stage):
    user, key = stage.user(allow("kms:*", "*")), stage.key()
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.disable_key(KeyId=key), DISABLED


def key_scheduled_for_deletion(stage):
    user, key = stage.user(allow("kms:*", "*")), stage.key()
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.schedule_key_deletion(KeyId=key), INVALID_STATE


def imported_material_deleted(stage):
    user, key = stage.user(allow(["s3:*", "kms:*"], "*")), external(stage.kms)
    Importer(stage.kms, key).take(secrets.token_bytes(32))
    stage.encrypt_bucket(stage.kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"], bucket_key=True)
    return stage.reading(user.s3), lambda: stage.kms.delete_imported_key_material(KeyId=key), INVALID_STATE


def key_policy_changed(stage):
    user = stage.user()
    key = stage.key(of(user.arn, allow("kms:Encrypt", "*")))
    text = document(of(ROOT, allow("kms:*", "*")))
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.put_key_policy(KeyId=key, Policy=text), DENIED


def key_policy_that_denies(stage):
    user, key = stage.user(allow("kms:*", "*")), stage.key()
    text = document(of(ROOT, allow("kms:*", "*")), of(user.arn, deny("kms:Encrypt", "*")))
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.put_key_policy(KeyId=key, Policy=text), DENIED


def granted(stage):
    user, key = stage.user(), stage.key()
    # The user as one who may retire it, by a client of his own.
    grant = stage.kms.create_grant(KeyId=key, GranteePrincipal=user.arn, RetiringPrincipal=user.arn, Operations=["Encrypt"])
    return user, key, grant["GrantId"]


def grant_revoked(stage):
    user, key, grant = granted(stage)
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.revoke_grant(KeyId=key, GrantId=grant), DENIED


def grant_retired(stage):
    user, key, grant = granted(stage)
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: user.kms.retire_grant(KeyId=key, GrantId=grant), DENIED


def alias_moved(stage):
    key, other, alias = stage.key(), stage.key(), "alias/" + stage.name()
    user = stage.user(allow("kms:*", key))
    stage.kms.create_alias(AliasName=alias, TargetKeyId=key)
    return lambda: user.kms.encrypt(KeyId=alias, Plaintext=b"text"), lambda: stage.kms.update_alias(AliasName=alias, TargetKeyId=other), DENIED


def alias_that_a_policy_asks_for_deleted(stage):
    key, alias = stage.key(), "alias/" + stage.name()
    user = stage.user(allow("kms:*", "*", Condition={"ForAnyValue:StringEquals": {"kms:ResourceAliases": alias}}))
    stage.kms.create_alias(AliasName=alias, TargetKeyId=key)
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.delete_alias(AliasName=alias), DENIED


def keys_tag_taken(stage):
    key = stage.key()
    user = stage.user(allow("kms:*", "*", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}}))
    stage.kms.tag_resource(KeyId=key, Tags=[{"TagKey": "team", "TagValue": "red"}])
    return lambda: user.kms.encrypt(KeyId=key, Plaintext=b"text"), lambda: stage.kms.untag_resource(KeyId=key, TagKeys=["team"]), DENIED


# Objects under keys, with a data key each and with a warm Bucket Key.


def of_objects(act: str, bucket_key: bool):
    """Cases of one call on a bucket whose objects lie under a key."""

    def start(stage):
        user, key = stage.user(allow(["s3:*", "kms:*"], "*")), stage.key()
        stage.encrypt_bucket(key, bucket_key)
        return user, key, (stage.reading if act == "get" else stage.puts)(user.s3)

    def key_of_the_bucket_disabled(stage):
        _, key, call = start(stage)
        return call, lambda: stage.kms.disable_key(KeyId=key), DISABLED

    def key_of_the_bucket_scheduled_for_deletion(stage):
        _, key, call = start(stage)
        return call, lambda: stage.kms.schedule_key_deletion(KeyId=key), INVALID_STATE

    def policy_of_the_buckets_key_changed(stage):
        user, key, call = start(stage)
        text = document(of(ROOT, allow("kms:*", "*")), of(user.arn, deny(["kms:Decrypt", "kms:GenerateDataKey"], "*")))
        return call, lambda: stage.kms.put_key_policy(KeyId=key, Policy=text), DENIED

    def right_to_use_the_buckets_key_taken(stage):
        user, _, call = start(stage)
        text = document(ALL_OF_S3)
        return call, lambda: stage.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=text), DENIED

    def grant_on_the_buckets_key_revoked(stage):
        user, key = stage.user(ALL_OF_S3), stage.key()
        stage.encrypt_bucket(key, bucket_key)
        operations = ["Decrypt", "GenerateDataKey"]
        grant = stage.kms.create_grant(KeyId=key, GranteePrincipal=user.arn, Operations=operations)["GrantId"]
        call = (stage.reading if act == "get" else stage.puts)(user.s3)
        return call, lambda: stage.kms.revoke_grant(KeyId=key, GrantId=grant), DENIED

    cases = (
        key_of_the_bucket_disabled,
        key_of_the_bucket_scheduled_for_deletion,
        policy_of_the_buckets_key_changed,
        right_to_use_the_buckets_key_taken,
        grant_on_the_buckets_key_revoked,
    )
    return {f"{case.__name__}-{act}-{'bucket key' if bucket_key else 'own data keys'}": case for case in cases}


PLAIN = (
    *(access_key_deactivated, access_key_deleted, user_deleted, user_deleted_under_a_federated_session),
    *(inline_policy_deleted, inline_policy_changed, inline_policy_of_the_user_behind_a_session_deleted),
    *(inline_policy_of_the_user_behind_a_federated_session_deleted, managed_policy_detached, default_version_switched),
    *(new_default_version, denying_policy_attached, group_membership_removed, group_policy_deleted, group_joined_that_denies),
    *(boundary_set, boundary_narrowed, users_tag_taken, role_deleted, role_made_anew, role_policy_deleted, role_boundary_set),
    *(role_sessions_revoked, trust_policy_changed, bucket_policy_deleted, bucket_policy_that_denies),
    *(bucket_policy_of_another_account_deleted, public_access_blocked, public_access_blocked_for_other_accounts),
    *(objects_tag_changed, key_disabled, key_scheduled_for_deletion, imported_material_deleted, key_policy_changed),
    *(key_policy_that_denies, grant_revoked, grant_retired, alias_moved, alias_that_a_policy_asks_for_deleted, keys_tag_taken),
)
CASES = {case.__name__: case for case in PLAIN}
CASES |= of_objects("get", False) | of_objects("put", False) | of_objects("get", True) | of_objects("put", True)


def outcome(call) -> str:
    """The error's code; nothing: it succeeded."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


@pytest.mark.parametrize("case", CASES)
def test_the_next_request_of_the_same_connection_is_refused(people, case):
    call, revoke, codes = CASES[case](Stage(people))
    for _ in range(3):
        assert outcome(call) == ""
    revoke()
    for _ in range(3):
        assert outcome(call) in codes


@pytest.mark.parametrize("case", CASES)
def test_no_request_that_begins_after_the_answer_succeeds(people, case):
    call, revoke, codes = CASES[case](Stage(people))
    done, seen = threading.Event(), []

    def go_on():
        while not done.is_set():
            started = time.monotonic()
            seen.append((started, outcome(call)))

    with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
        running = [threads.submit(go_on) for _ in range(THREADS)]
        try:
            while len(seen) < 3 * THREADS:
                time.sleep(0.005)
            revoke()
            answered = time.monotonic()
            enough = len(seen) + 4 * THREADS
            while len(seen) < enough:
                time.sleep(0.005)
        finally:
            done.set()
        for one in running:
            one.result()
    before = [code for started, code in seen if started < answered]
    after = [code for started, code in seen if started > answered]
    assert "" in before and set(before) <= {"", *codes}, set(before)
    assert after and set(after) <= set(codes), set(after)
