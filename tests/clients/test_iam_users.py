"""Users, groups, access keys, their tags and inline policies, by real clients."""

import json
import secrets
import subprocess
import sys
from pathlib import Path

import botocore.exceptions
import pytest

from strongroom import ACCOUNT

EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


def error(call, **arguments) -> tuple[str, int]:
    """Code and status of a call that must fail."""
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call(**arguments)
    return raised.value.response["Error"]["Code"], raised.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def name():
    return "Name-" + secrets.token_hex(6)


def test_a_user_from_its_making_to_its_end(iam, name):
    tags = [{"Key": "team", "Value": "größe 日本"}, {"Key": "empty", "Value": ""}]
    user = iam.create_user(UserName=name, Path="/division/", Tags=tags)["User"]
    assert user["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/division/{name}"
    assert user["UserId"].startswith("AIDA") and user["Path"] == "/division/" and user["CreateDate"].tzinfo
    shown = iam.get_user(UserName=name)["User"]
    assert shown["UserId"] == user["UserId"] and sorted(shown["Tags"], key=lambda tag: tag["Key"]) == sorted(tags, key=lambda tag: tag["Key"])
    assert error(iam.create_user, UserName=name.lower()) == ("EntityAlreadyExists", 409)
    iam.update_user(UserName=name, NewUserName=name + "2", NewPath="/")
    assert error(iam.get_user, UserName=name) == ("NoSuchEntity", 404)
    iam.tag_user(UserName=name + "2", Tags=[{"Key": "more", "Value": "1"}])
    iam.untag_user(UserName=name + "2", TagKeys=["team", "empty"])
    assert iam.list_user_tags(UserName=name + "2")["Tags"] == [{"Key": "more", "Value": "1"}]
    iam.delete_user(UserName=name + "2")
    assert error(iam.delete_user, UserName=name + "2") == ("NoSuchEntity", 404)


def test_lists_come_in_pages(iam, name):
    names = [f"{name}-{number}" for number in range(5)]
    for one in names:
        iam.create_user(UserName=one, Path=f"/{name}/")
        iam.create_group(GroupName=one, Path=f"/{name}/")
    pages = list(iam.get_paginator("list_users").paginate(PathPrefix=f"/{name}/", PaginationConfig={"PageSize": 2}))
    assert [user["UserName"] for page in pages for user in page["Users"]] == names and len(pages) == 3
    pages = list(iam.get_paginator("list_groups").paginate(PathPrefix=f"/{name}/", PaginationConfig={"PageSize": 4}))
    assert [group["GroupName"] for page in pages for group in page["Groups"]] == names
    for one in names:
        iam.delete_user(UserName=one)
        iam.delete_group(GroupName=one)
    assert iam.list_users(PathPrefix=f"/{name}/")["Users"] == []


def test_a_group_and_who_is_in_it(iam, name):
    group = iam.create_group(GroupName=name)["Group"]
    assert group["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/{name}" and group["GroupId"].startswith("AGPA")
    iam.create_user(UserName=name)
    iam.add_user_to_group(GroupName=name, UserName=name)
    assert [user["UserName"] for user in iam.get_group(GroupName=name)["Users"]] == [name]
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName=name)["Groups"]] == [name]
    assert error(iam.delete_group, GroupName=name) == ("DeleteConflict", 409)
    assert error(iam.delete_user, UserName=name) == ("DeleteConflict", 409)
    iam.update_group(GroupName=name, NewGroupName=name + "2")
    iam.remove_user_from_group(GroupName=name + "2", UserName=name)
    iam.delete_user(UserName=name)
    iam.delete_group(GroupName=name + "2")


def test_access_keys_work_until_they_do_not(iam, server, name):
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    assert key["Status"] == "Active" and len(key["AccessKeyId"]) == 20 and len(key["SecretAccessKey"]) == 40
    own = server.client("iam", secure=True, credentials=(key["AccessKeyId"], key["SecretAccessKey"]))
    # Without a name, operations are about the caller.
    assert own.get_user()["User"]["UserName"] == name
    assert [found["AccessKeyId"] for found in own.list_access_keys()["AccessKeyMetadata"]] == [key["AccessKeyId"]]
    assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["UserName"] == name
    second = own.create_access_key()["AccessKey"]
    assert error(own.create_access_key) == ("LimitExceeded", 409)
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert error(own.get_user) == ("InvalidClientTokenId", 403)
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Active")
    assert own.get_user()["User"]["UserName"] == name
    for one in (key, second):
        iam.delete_access_key(UserName=name, AccessKeyId=one["AccessKeyId"])
    assert error(own.get_user) == ("InvalidClientTokenId", 403)
    iam.delete_user_policy(UserName=name, PolicyName="all")
    iam.delete_user(UserName=name)


def test_inline_policies(iam, name):
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]})
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    for kind in ("user", "group", "role"):
        owner = {f"{kind.capitalize()}Name": name}
        getattr(iam, f"put_{kind}_policy")(**owner, PolicyName="p", PolicyDocument=EVERYTHING)
        shown = getattr(iam, f"get_{kind}_policy")(**owner, PolicyName="p")
        assert shown["PolicyDocument"] == json.loads(EVERYTHING) and shown["PolicyName"] == "p"
        assert getattr(iam, f"list_{kind}_policies")(**owner)["PolicyNames"] == ["p"]
        assert error(getattr(iam, f"put_{kind}_policy"), **owner, PolicyName="p", PolicyDocument="{") == ("MalformedPolicyDocument", 400)
        assert error(getattr(iam, f"delete_{kind}"), **owner) == ("DeleteConflict", 409)
        getattr(iam, f"delete_{kind}_policy")(**owner, PolicyName="p")
        assert error(getattr(iam, f"get_{kind}_policy"), **owner, PolicyName="p") == ("NoSuchEntity", 404)
        getattr(iam, f"delete_{kind}")(**owner)


def test_who_is_allowed_nothing_is_told_what_it_lacks(iam, server, name):
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    own = server.client("iam", credentials=(key["AccessKeyId"], key["SecretAccessKey"]))
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        own.create_user(UserName=name + "2")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    told = raised.value.response["Error"]
    assert told["Code"] == "AccessDenied" and told["Type"] == "Sender"
    me = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert told["Message"] == (
        f"User: {me} is not authorized to perform: iam:CreateUser on resource: {me}2 because no identity-based policy allows the iam:CreateUser action"
    )
    # Bad requests are told before anything is decided, as on AWS.
    assert error(own.get_user, UserName="a/b") == ("ValidationError", 400)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


def test_account_aliases_and_summaries(iam):
    iam.create_account_alias(AccountAlias="strongroom-tests")
    assert iam.list_account_aliases()["AccountAliases"] == ["strongroom-tests"]
    assert iam.get_account_summary()["SummaryMap"]["Users"] >= 0
    assert "UserDetailList" in iam.get_account_authorization_details()
    iam.delete_account_alias(AccountAlias="strongroom-tests")
    assert error(iam.create_account_alias, AccountAlias="double--hyphen") == ("ValidationError", 400)


def test_the_command_line(server, name):
    program, environment = Path(sys.executable).parent / "aws", server.environment_of_clients()

    def aws(*arguments):
        command = [program, "iam", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout else {}

    user = aws("create-user", "--user-name", name, "--tags", "Key=a,Value=b c@d")
    assert user["User"]["Tags"] == [{"Key": "a", "Value": "b c@d"}]
    aws("put-user-policy", "--user-name", name, "--policy-name", "p", "--policy-document", EVERYTHING)
    assert aws("list-user-policies", "--user-name", name) == {"PolicyNames": ["p"]}
    aws("delete-user-policy", "--user-name", name, "--policy-name", "p")
    aws("delete-user", "--user-name", name)
