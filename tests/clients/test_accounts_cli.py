"""`strongroom account`: accounts by the operator's hand."""

import json
import secrets

import pytest
from botocore.exceptions import ClientError


def account(server, *arguments, fails=False):
    answer = server.run("account", *arguments)
    assert (answer.returncode != 0) == fails, answer.stderr
    return answer.stderr if fails else answer.stdout


def test_an_account_from_its_making_to_its_end(own_server):
    server = own_server
    made = json.loads(account(server, "create", "team red", "--json"))
    keys = (made["access_key_id"], made["secret_access_key"])
    sts = server.client("sts", secure=True, credentials=keys)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{made['account']}:root"
    listed = json.loads(account(server, "list", "--json"))["accounts"]
    assert [one["name"] for one in listed if one["id"] == made["account"]] == ["team red"]
    assert made["secret_access_key"] not in account(server, "list")

    second = json.loads(account(server, "access-key", "create", made["account"], "--json"))
    more = (second["access_key_id"], second["secret_access_key"])
    server.client("sts", secure=True, credentials=more).get_caller_identity()
    account(server, "access-key", "delete", made["account"], second["access_key_id"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        server.client("sts", secure=True, credentials=more).get_caller_identity()

    # It is not deleted while it owns anything.
    s3, kms = server.client("s3", secure=True, credentials=keys), server.client("kms", secure=True, credentials=keys)
    bucket = "bucket-" + secrets.token_hex(8)
    s3.create_bucket(Bucket=bucket)
    assert bucket in account(server, "delete", made["account"], fails=True)
    sts.get_caller_identity()
    kms.describe_key(KeyId="alias/aws/s3")
    s3.delete_bucket(Bucket=bucket)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    assert key in account(server, "delete", made["account"], fails=True)

    empty = json.loads(account(server, "create", "empty", "--id", "123412341234", "--json"))
    keys = (empty["access_key_id"], empty["secret_access_key"])
    iam = server.client("iam", secure=True, credentials=keys)
    iam.create_user(UserName="u")
    account(server, "delete", "123412341234")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        iam.list_users()
    assert "123412341234" not in account(server, "list")


def test_what_is_no_account(own_server):
    account(own_server, "create", "x", "--id", "000000000000", fails=True)
    account(own_server, "create", "x", "--id", "1234", fails=True)
    account(own_server, "delete", "999999999999", fails=True)
    home = json.loads(account(own_server, "list", "--json"))["accounts"][0]["id"]
    account(own_server, "delete", home, fails=True)
    account(own_server, "create", "x", "--id", home, fails=True)


def test_the_server_need_not_run(own_server):
    own_server.stop()
    made = json.loads(account(own_server, "create", "offline", "--json"))
    own_server.start()
    keys = (made["access_key_id"], made["secret_access_key"])
    own_server.client("sts", secure=True, credentials=keys).get_caller_identity()
