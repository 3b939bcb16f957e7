"""Managed policies, roles, permissions boundaries and the simulator, by real clients."""

import json
import secrets

import botocore.exceptions
import pytest

from strongroom import ACCOUNT


def document(action="s3:ListAllMyBuckets", resource="*", **more) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]})


TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]})


def error(call, **arguments) -> tuple[str, int]:
    """Code and status of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call(**arguments)
    return raised.value.response["Error"]["Code"], raised.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def name():
    return "name-" + secrets.token_hex(6)


@pytest.fixture
def policy(iam, name):
    arn = iam.create_policy(PolicyName=name, PolicyDocument=document(), Description="for tests", Tags=[{"Key": "a", "Value": "b"}])["Policy"]["Arn"]
    yield arn
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


def test_a_policy_and_its_versions(iam, policy, name):
    assert policy == f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    shown = iam.get_policy(PolicyArn=policy)["Policy"]
    assert (shown["DefaultVersionId"], shown["AttachmentCount"], shown["Description"]) == ("v1", 0, "for tests")
    assert error(iam.create_policy, PolicyName=name, PolicyDocument=document()) == ("EntityAlreadyExists", 409)
    second = iam.create_policy_version(PolicyArn=policy, PolicyDocument=document("s3:*"))["PolicyVersion"]
    assert (second["VersionId"], second["IsDefaultVersion"]) == ("v2", False)
    iam.set_default_policy_version(PolicyArn=policy, VersionId="v2")
    assert iam.get_policy_version(PolicyArn=policy, VersionId="v2")["PolicyVersion"]["Document"] == json.loads(document("s3:*"))
    assert error(iam.delete_policy_version, PolicyArn=policy, VersionId="v2") == ("DeleteConflict", 409)
    for _ in range(3):
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=document())
    assert error(iam.create_policy_version, PolicyArn=policy, PolicyDocument=document()) == ("LimitExceeded", 409)
    assert policy in [found["Arn"] for page in iam.get_paginator("list_policies").paginate(Scope="Local") for found in page["Policies"]]
    assert "arn:aws:iam::aws:policy/AdministratorAccess" in [
        found["Arn"] for page in iam.get_paginator("list_policies").paginate(Scope="AWS") for found in page["Policies"]
    ]


def test_tags_of_policies_and_roles(iam, policy, name):
    iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_policy(PolicyArn=policy, TagKeys=["a"])
    assert iam.list_policy_tags(PolicyArn=policy)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "a", "Value": "b"}])
    iam.tag_role(RoleName=name, Tags=[{"Key": "c", "Value": "d"}])
    iam.untag_role(RoleName=name, TagKeys=["a"])
    assert iam.list_role_tags(RoleName=name)["Tags"] == [{"Key": "c", "Value": "d"}]
    iam.delete_role(RoleName=name)


def test_attachments(iam, policy, name):
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    for kind in ("user", "group", "role"):
        owner = {f"{kind.capitalize()}Name": name}
        getattr(iam, f"attach_{kind}_policy")(**owner, PolicyArn=policy)
        attached = getattr(iam, f"list_attached_{kind}_policies")(**owner)["AttachedPolicies"]
        assert attached == [{"PolicyName": name, "PolicyArn": policy}]
    entities = iam.list_entities_for_policy(PolicyArn=policy)
    assert [entities["PolicyUsers"][0]["UserName"], entities["PolicyGroups"][0]["GroupName"], entities["PolicyRoles"][0]["RoleName"]] == [name] * 3
    assert error(iam.delete_policy, PolicyArn=policy) == ("DeleteConflict", 409)
    for kind in ("user", "group", "role"):
        owner = {f"{kind.capitalize()}Name": name}
        getattr(iam, f"detach_{kind}_policy")(**owner, PolicyArn=policy)
        assert error(getattr(iam, f"detach_{kind}_policy"), **owner, PolicyArn=policy) == ("NoSuchEntity", 404)
        getattr(iam, f"delete_{kind}")(**owner)


def test_a_role_from_its_making_to_its_end(iam, name):
    role = iam.create_role(RoleName=name, Path="/a/b/", AssumeRolePolicyDocument=TRUST, MaxSessionDuration=7200, Description="x")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/a/b/{name}" and role["RoleId"].startswith("AROA")
    iam.update_role(RoleName=name, MaxSessionDuration=3600)
    assert iam.update_role_description(RoleName=name, Description="y")["Role"]["Description"] == "y"
    other = json.loads(TRUST)
    other["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": "42"}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(other))
    shown = iam.get_role(RoleName=name)["Role"]
    other["Statement"][0]["Principal"] = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert (shown["MaxSessionDuration"], shown["AssumeRolePolicyDocument"]) == (3600, other)
    assert name in [role["RoleName"] for role in iam.list_roles(PathPrefix="/a/")["Roles"]]
    assert error(iam.create_role, RoleName=name + "2", AssumeRolePolicyDocument=document()) == ("MalformedPolicyDocument", 400)
    iam.delete_role(RoleName=name)
    assert error(iam.get_role, RoleName=name) == ("NoSuchEntity", 404)


def test_permissions_boundaries(iam, server, policy, name):
    iam.create_user(UserName=name, PermissionsBoundary=policy)
    assert iam.get_user(UserName=name)["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=document("*"))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = server.client("iam", credentials=(key["AccessKeyId"], key["SecretAccessKey"]))
    assert error(own.list_users) == ("AccessDenied", 403)
    iam.delete_user_permissions_boundary(UserName=name)
    own.list_users()
    iam.put_user_permissions_boundary(UserName=name, PermissionsBoundary=policy)
    assert error(own.list_users) == ("AccessDenied", 403)
    iam.delete_user_permissions_boundary(UserName=name)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName=name, PolicyName="all")
    iam.delete_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)
    assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == policy
    iam.delete_role_permissions_boundary(RoleName=name)
    iam.delete_role(RoleName=name)


def test_the_simulator(iam, name):
    results = iam.simulate_custom_policy(PolicyInputList=[document("s3:Get*", "arn:aws:s3:::a/*")], ActionNames=["s3:GetObject", "s3:PutObject"], ResourceArns=["arn:aws:s3:::a/b"])["EvaluationResults"]
    assert [result["EvalDecision"] for result in results] == ["allowed", "implicitDeny"]
    context = [{"ContextKeyName": "aws:PrincipalTag/team", "ContextKeyType": "string", "ContextKeyValues": ["red"]}]
    asks = document(Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}})
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[asks])["ContextKeyNames"] == ["aws:PrincipalTag/team"]
    results = iam.simulate_custom_policy(PolicyInputList=[asks], ActionNames=["s3:ListAllMyBuckets"], ContextEntries=context)["EvaluationResults"]
    assert results[0]["EvalDecision"] == "allowed"
    user = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document("kms:*"))
    results = iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=["kms:Decrypt", "s3:GetObject"])["EvaluationResults"]
    assert [result["EvalDecision"] for result in results] == ["allowed", "implicitDeny"]
    assert iam.get_context_keys_for_principal_policy(PolicySourceArn=user)["ContextKeyNames"] == []
    iam.delete_user_policy(UserName=name, PolicyName="p")
    iam.delete_user(UserName=name)
