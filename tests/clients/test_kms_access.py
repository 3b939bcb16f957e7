"""Key policies and grants: what boto3 stores, lists and takes back."""

import json
import secrets

import pytest

from refusals import refused
from strongroom import ACCOUNT

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture
def someone(iam):
    """A role that is there, and nobody in it."""
    name = "someone-" + secrets.token_hex(4)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}]}
    return iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]


def test_the_default_policy_and_another(kms, key):
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    answer = kms.get_key_policy(KeyId=key, PolicyName="default")
    assert answer["PolicyName"] == "default"
    policy = json.loads(answer["Policy"])
    (statement,) = policy["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Allow", {"AWS": ROOT}, "kms:*")
    policy["Statement"].append(
        {"Sid": "someone", "Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:Decrypt", "Resource": "*"}
    )
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"]) == policy


def test_policies_that_are_refused(kms, key):
    assert refused(kms.put_key_policy, KeyId=key, Policy="no JSON") == "MalformedPolicyDocumentException"
    nobody = {"Version": "2012-10-17", "Statement": []}
    lockout = nobody | {
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:Decrypt", "Resource": "*"}]
    }
    for policy in (nobody, lockout):
        assert refused(kms.put_key_policy, KeyId=key, Policy=json.dumps(policy)) == "MalformedPolicyDocumentException"
    kms.put_key_policy(KeyId=key, Policy=json.dumps(lockout), BypassPolicyLockoutSafetyCheck=True)


def test_the_life_of_a_grant(kms, key, someone):
    context = {"EncryptionContextSubset": {"tenant": "blue"}}
    request = {"KeyId": key, "GranteePrincipal": someone, "RetiringPrincipal": ROOT, "Name": secrets.token_hex(4)}
    request |= {"Operations": ["Encrypt", "Decrypt", "DescribeKey"], "Constraints": context}
    made = kms.create_grant(**request)
    assert kms.create_grant(**request)["GrantId"] == made["GrantId"], "a name makes it idempotent"
    (grant,) = kms.list_grants(KeyId=key)["Grants"]
    assert (grant["GrantId"], grant["Name"], grant["Constraints"]) == (made["GrantId"], request["Name"], context)
    assert sorted(grant["Operations"]) == sorted(request["Operations"])
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"tenant": "blue"}, GrantTokens=[made["GrantToken"]])
    assert sealed["KeyId"].endswith(key)

    pages = kms.get_paginator("list_grants").paginate(KeyId=key, PaginationConfig={"PageSize": 1})
    assert [entry["GrantId"] for page in pages for entry in page["Grants"]] == [made["GrantId"]]
    listed = kms.list_retirable_grants(RetiringPrincipal=ROOT, Limit=100)["Grants"]
    assert made["GrantId"] in [entry["GrantId"] for entry in listed]
    kms.retire_grant(GrantToken=made["GrantToken"])
    assert kms.list_grants(KeyId=key)["Grants"] == []

    second = kms.create_grant(KeyId=key, GranteePrincipal=someone, Operations=["GenerateDataKey"])
    kms.revoke_grant(KeyId=key, GrantId=second["GrantId"])
    assert refused(kms.revoke_grant, KeyId=key, GrantId=second["GrantId"]) == "NotFoundException"


def test_a_grant_that_the_key_cannot_honour(kms, key, someone):
    """A symmetric key does not sign."""
    assert refused(kms.create_grant, KeyId=key, GranteePrincipal=someone, Operations=["Sign"]) == "ValidationException"
