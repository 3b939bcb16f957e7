"""boto3 against key policies, as several principals of two accounts."""

import json
import secrets
from itertools import product

import pytest
from botocore.exceptions import ClientError

from principals import Principals, arn
from refusals import refused
from strongroom import ACCOUNT, REGION


@pytest.fixture(scope="module")
def principals(tmp_path_factory):
    principals = Principals(tmp_path_factory.mktemp("policies"))
    yield principals
    principals.server.stop()


@pytest.fixture(scope="module")
def clients(principals):
    return {name: principals.client(name) for name in ("root", "alice", "bob", "other", "carol")}


@pytest.fixture
def key(clients):
    return clients["root"].create_key()["KeyMetadata"]


def statement(effect, principal, actions, **more):
    return {"Effect": effect, "Principal": principal, "Action": actions, "Resource": "*"} | more


ADMINISTRATION = statement("Allow", {"AWS": arn("root")}, ["kms:*KeyPolicy", "kms:*KeyPolicies", "kms:Describe*", "kms:List*"])


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [ADMINISTRATION, *statements]})


def message(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return error.value.response["Error"]["Message"]


def test_the_default_policy(clients, key):
    answer = clients["root"].get_key_policy(KeyId=key["KeyId"])
    assert answer["PolicyName"] == "default"
    assert json.loads(answer["Policy"]) == {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": arn("root")},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    assert clients["root"].list_key_policies(KeyId=key["KeyId"])["PolicyNames"] == ["default"]
    # Everybody of the account, nobody of another.
    for name, expected in (("root", None), ("alice", None), ("other", "AccessDeniedException"), ("carol", "AccessDeniedException")):
        if expected:
            assert refused(clients[name].encrypt, KeyId=key["Arn"], Plaintext=b"x") == expected
        else:
            clients[name].encrypt(KeyId=key["Arn"], Plaintext=b"x")


def test_a_policy_comes_back_as_it_was_put(clients, key):
    text = policy(statement("Allow", {"AWS": arn("alice")}, "kms:Encrypt", Sid="alice may encrypt"))
    clients["root"].put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=text)
    assert clients["root"].get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"] == text


def test_who_may_encrypt_by_which_policy(clients, key):
    """Policies by principals: one line of answers for each policy."""
    everyone, account, other = "*", {"AWS": ACCOUNT}, {"AWS": arn("other")}
    alice, carol = {"AWS": [arn("alice")]}, {"AWS": arn("carol")}
    table = (
        # root, alice, bob, other, carol
        ((), "-----"),
        ((("Allow", everyone),), "+++++"),
        ((("Allow", account),), "+++--"),
        ((("Allow", other),), "---++"),
        ((("Allow", alice),), "-+---"),
        ((("Allow", carol),), "----+"),
        ((("Allow", alice), ("Allow", carol)), "-+--+"),
        ((("Allow", account), ("Deny", alice)), "+-+--"),
        ((("Allow", everyone), ("Deny", account)), "---++"),
        ((("Allow", everyone), ("Deny", other)), "+++--"),
        ((("Deny", everyone), ("Allow", alice)), "-----"),
        ((("Allow", {"Service": "logs.amazonaws.com"}),), "-----"),
        ((("Allow", {"Service": "logs.amazonaws.com", "AWS": arn("bob")}),), "--+--"),
    )
    for statements, answers in table:
        text = policy(*(statement(effect, principal, "kms:Encrypt") for effect, principal in statements))
        clients["root"].put_key_policy(KeyId=key["KeyId"], Policy=text)
        found = ""
        for name in ("root", "alice", "bob", "other", "carol"):
            try:
                clients[name].encrypt(KeyId=key["Arn"], Plaintext=b"x")
                found += "+"
            except ClientError as error:
                assert error.response["Error"]["Code"] == "AccessDeniedException"
                found += "-"
        assert found == answers, text


def test_the_words_of_a_denial(clients, key):
    text = policy(statement("Deny", {"AWS": arn("bob")}, "kms:*"))
    clients["root"].put_key_policy(KeyId=key["KeyId"], Policy=text)
    start = "User: {} is not authorized to perform: kms:Encrypt on resource: " + key["Arn"]
    nothing = " because no resource-based policy allows the kms:Encrypt action"
    explicit = " with an explicit deny in a resource-based policy"
    for name, reason in (("root", nothing), ("alice", nothing), ("bob", explicit), ("carol", nothing)):
        assert message(clients[name].encrypt, KeyId=key["Arn"], Plaintext=b"x") == start.format(arn(name)) + reason


def test_conditions_on_the_encryption_context(clients, key):
    condition = {"StringEquals": {"kms:EncryptionContext:App": "payroll"}}
    text = policy(statement("Allow", {"AWS": arn("alice")}, ["kms:Encrypt", "kms:Decrypt"], Condition=condition))
    clients["root"].put_key_policy(KeyId=key["KeyId"], Policy=text)
    alice = clients["alice"]
    blob = alice.encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"App": "payroll"})["CiphertextBlob"]
    assert alice.decrypt(CiphertextBlob=blob, EncryptionContext={"App": "payroll"})["Plaintext"] == b"x"
    for wrong in ({}, {"App": "Payroll"}, {"Other": "payroll"}):
        assert refused(alice.encrypt, KeyId=key["Arn"], Plaintext=b"x", EncryptionContext=wrong) == "AccessDeniedException"


def test_other_accounts_manage_nothing(clients, key):
    text = policy(statement("Allow", "*", "kms:*"))
    clients["root"].put_key_policy(KeyId=key["KeyId"], Policy=text)
    other = clients["other"]
    blob = other.encrypt(KeyId=key["Arn"], Plaintext=b"x")["CiphertextBlob"]
    assert other.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert other.describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"] == ACCOUNT
    for call, arguments in (
        (other.disable_key, {}),
        (other.get_key_policy, {}),
        (other.put_key_policy, {"Policy": text}),
        (other.schedule_key_deletion, {}),
        (other.tag_resource, {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
        (other.list_resource_tags, {}),
    ):
        assert refused(call, KeyId=key["Arn"], **arguments) == "AccessDeniedException"


def test_locking_oneself_out(clients, key):
    alone = json.dumps({"Version": "2012-10-17", "Statement": [statement("Allow", {"AWS": arn("alice")}, "kms:*")]})
    text = "The new key policy will not allow you to update the key policy in the future."
    root = clients["root"]
    assert message(root.put_key_policy, KeyId=key["KeyId"], Policy=alone) == text
    assert message(root.create_key, Policy=alone) == text
    root.put_key_policy(KeyId=key["KeyId"], Policy=alone, BypassPolicyLockoutSafetyCheck=True)
    assert refused(root.describe_key, KeyId=key["KeyId"]) == "AccessDeniedException"
    clients["alice"].put_key_policy(KeyId=key["KeyId"], Policy=policy(json.loads(alone)["Statement"][0]))
    root.describe_key(KeyId=key["KeyId"])
    made = clients["alice"].create_key(Policy=alone)["KeyMetadata"]["KeyId"]
    assert refused(root.describe_key, KeyId=made) == "AccessDeniedException"


def test_malformed_policies(clients, key):
    root = clients["root"]
    good = statement("Allow", {"AWS": ACCOUNT}, "kms:*")
    for bad in (
        "not a real policy statement",
        "{}",
        json.dumps({"Version": "2020-01-01", "Statement": [good]}),
        json.dumps({"Version": "2012-10-17", "Statement": []}),
        json.dumps({"Version": "2012-10-17", "Statement": [good | {"Effect": "Maybe"}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [good | {"Unknown": 1}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [good | {"Principal": {"AWS": "arn:aws:iam::1:root"}}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [good | {"Condition": {"StringIs": {"a:b": "c"}}}]}),
        json.dumps({"Version": "2012-10-17", "Statement": [good | {"Sid": "a"}, good | {"Sid": "a"}]}),
    ):
        for call, arguments in ((root.put_key_policy, {"KeyId": key["KeyId"]}), (root.create_key, {})):
            assert refused(call, Policy=bad, **arguments) == "MalformedPolicyDocumentException", bad
    long = json.dumps({"Version": "2012-10-17", "Id": "x" * 32768, "Statement": [good]})
    assert refused(root.put_key_policy, KeyId=key["KeyId"], Policy=long) == "LimitExceededException"
    named = {"KeyId": key["KeyId"], "Policy": policy()}
    assert refused(root.put_key_policy, PolicyName="AWS_RAM", **named) == "ValidationException"
    assert refused(root.get_key_policy, KeyId=key["KeyId"], PolicyName="AWS_RAM") == "NotFoundException"


def test_the_policy_of_an_aws_managed_key(clients):
    root = clients["root"]
    managed = root.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["Arn"]
    text = json.loads(root.get_key_policy(KeyId=managed)["Policy"])
    condition = text["Statement"][0]["Condition"]["StringEquals"]
    assert condition == {"kms:CallerAccount": ACCOUNT, "kms:ViaService": f"s3.{REGION}.amazonaws.com"}
    assert refused(root.put_key_policy, KeyId=managed, Policy=policy()) == "AccessDeniedException"


def test_s3_uses_a_key_as_the_caller(principals, clients, key):
    """SSE-KMS needs the key's permission, which may be for S3 alone."""
    bucket = "policies-" + secrets.token_hex(6)
    s3 = {name: principals.client(name, "s3") for name in ("root", "alice", "bob")}
    s3["root"].create_bucket(Bucket=bucket)
    via = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    text = policy(statement("Allow", {"AWS": arn("alice")}, ["kms:GenerateDataKey", "kms:Decrypt"], Condition=via))
    clients["root"].put_key_policy(KeyId=key["KeyId"], Policy=text)
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["Arn"]}
    s3["alice"].put_object(Bucket=bucket, Key="k", Body=b"hello", **encryption)
    assert s3["alice"].get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"
    assert refused(clients["alice"].generate_data_key, KeyId=key["Arn"], KeySpec="AES_256") == "AccessDeniedException"
    for name, call in product(("bob", "root"), ("put", "get")):
        with pytest.raises(ClientError) as error:
            if call == "put":
                s3[name].put_object(Bucket=bucket, Key="k", Body=b"x", **encryption)
            else:
                s3[name].get_object(Bucket=bucket, Key="k")
        assert error.value.response["Error"]["Code"] == "AccessDenied"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
