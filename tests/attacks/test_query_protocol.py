"""The query protocol by hand: forms, queries, versions, and what no SDK would send."""

import re
import secrets
import xml.etree.ElementTree as ElementTree

import pytest

from raw import Query
from strongroom import ACCOUNT

NAMESPACE = "{https://iam.amazonaws.com/doc/2010-05-08/}"


@pytest.fixture
def query(server):
    return Query(server)


def told(answer) -> tuple[int, str, str | None]:
    """Status, code and message of an error, whose whole shape is checked."""
    root = ElementTree.fromstring(answer.body)
    assert root.tag.endswith("}ErrorResponse") and [re.sub("{.*}", "", part.tag) for part in root] == ["Error", "RequestId"]
    parts = {re.sub("{.*}", "", part.tag): part.text for part in root[0]}
    assert parts["Type"] == ("Receiver" if answer.status >= 500 else "Sender")
    assert root[1].text == answer.headers["x-amzn-requestid"] and answer.headers["content-type"] == "text/xml"
    return answer.status, parts["Code"], parts.get("Message")


def test_an_answer_is_in_the_services_namespace(query):
    answer = query.call("GetAccountSummary")
    root = ElementTree.fromstring(answer.body)
    assert (answer.status, root.tag) == (200, NAMESPACE + "GetAccountSummaryResponse")
    assert root[0].tag == NAMESPACE + "GetAccountSummaryResult" and root[1][0].tag == NAMESPACE + "RequestId"
    assert root[0][0][0].tag == NAMESPACE + "entry" and [part.tag for part in root[0][0][0]] == [NAMESPACE + "key", NAMESPACE + "value"]


def test_an_operation_without_answer_has_no_result(query):
    name = "name-" + secrets.token_hex(6)
    assert b"<CreateGroupResult><Group>" in query.call("CreateGroup", {"GroupName": name}).body
    answer = query.call("DeleteGroup", {"GroupName": name})
    assert answer.status == 200 and [part.tag for part in ElementTree.fromstring(answer.body)] == [NAMESPACE + "ResponseMetadata"]


def test_members_may_stand_in_the_query(query):
    assert query.get("Action=ListUsers&Version=2010-05-08&MaxItems=1").status == 200
    assert query.post(b"MaxItems=1", "Action=ListUsers&Version=2010-05-08").status == 200
    assert told(query.post(b"Action=ListUsers", "Action=ListUsers&Version=2010-05-08"))[:2] == (400, "MalformedInput")


@pytest.mark.parametrize(
    "form, action, version",
    [
        (b"Action=Frobnicate&Version=2010-05-08", "Frobnicate", "2010-05-08"),
        (b"Action=listUsers&Version=2010-05-08", "listUsers", "2010-05-08"),
        (b"Action=GetCallerIdentity&Version=2011-06-15", "GetCallerIdentity", "2011-06-15"),
        (b"Action=ListUsers&Version=2010-05-09", "ListUsers", "2010-05-09"),
        (b"Action=ListUsers", "ListUsers", "NO_VERSION_SPECIFIED"),
        (b"Version=2010-05-08", "NO_ACTION_SPECIFIED", "2010-05-08"),
        (b"", "NO_ACTION_SPECIFIED", "NO_VERSION_SPECIFIED"),
    ],
)
def test_what_is_no_operation(query, form, action, version):
    assert told(query.post(form)) == (400, "InvalidAction", f"Could not find operation {action} for version {version}")


def test_what_is_not_built_says_so(query):
    assert told(query.call("CreateInstanceProfile", {"InstanceProfileName": "a"}))[:2] == (501, "NotImplemented")


@pytest.mark.parametrize(
    "members",
    [
        b"UserName=%zz",
        b"UserName=%ff",
        b"UserName=\xff",
        b"UserName=a&UserName=b",
        b"UserName.member.1=a",
        b"UserName=a&Tags.member.0.Key=a",
        b"UserName=a&Tags.member.01.Key=a",
        b"UserName=a&Tags.member.99999999999.Key=a",
        b"UserName=a&Tags.1.Key=a",
        b"UserName=a&Tags=a",
        b"UserName=a&Tags=&Tags.member.1.Key=a",
        b"UserName=a&" + b"x=&" * 10_000,
    ],
)
def test_what_is_no_form(query, members):
    assert told(query.post(b"Action=CreateUser&Version=2010-05-08&" + members))[:2] == (400, "MalformedInput")


def test_numbers_and_booleans_are_no_texts(query):
    assert told(query.call("ListUsers", {"MaxItems": "many"}))[:2] == (400, "MalformedInput")
    assert told(query.call("ListPolicies", {"OnlyAttached": "maybe"}))[:2] == (400, "MalformedInput")
    assert told(query.call("ListUsers", {"MaxItems": "99999999999999999999"}))[:2] == (400, "ValidationError")


def test_indices_take_no_memory(query):
    name = "name-" + secrets.token_hex(6)
    tags = {"Tags.member.4294967295.Key": "a", "Tags.member.4294967295.Value": "b"}
    assert query.call("CreateUser", {"UserName": name} | tags).status == 200
    assert query.call("DeleteUser", {"UserName": name}).status == 200


def test_a_long_body_is_not_read(query):
    assert told(query.post(b"Action=ListUsers&Version=2010-05-08&x=" + b"x" * 256 * 1024))[:2] == (413, "RequestEntityTooLarge")


def test_control_characters_of_a_client_break_no_document(query):
    status, code, message = told(query.call("TagUser", {"UserName": "a", "Tags.member.1.Key": "\x00\x0b<&>\r", "Tags.member.1.Value": ""}))
    assert (status, code) == (400, "ValidationError")
    assert message.startswith("1 validation error detected: Value '\ufffd\ufffd<&>\r' at 'tags.1.member.key' failed to satisfy constraint:")


@pytest.mark.parametrize("region", ["", "us-east-1", "eu-central-1", "aws-global"])
def test_any_region_will_do(server, region):
    assert Query(server, region=region).call("ListUsers").status == 200
    answer = Query(server, "sts", region).call("GetCallerIdentity", version="2011-06-15")
    assert answer.status == 200 and f"<Account>{ACCOUNT}</Account>".encode() in answer.body


def test_a_wrong_signature_is_told_in_xml(server):
    server_like = type("Other", (), {"http": server.http, "access_key_id": server.access_key_id, "secret_access_key": "wrong"})
    assert told(Query(server_like).call("ListUsers"))[:2] == (403, "SignatureDoesNotMatch")
    server_like.access_key_id = "AKIAIOSFODNN7EXAMPLE"
    assert told(Query(server_like).call("ListUsers")) == (403, "InvalidClientTokenId", "The security token included in the request is invalid.")


def test_without_a_signature_there_is_no_iam(query):
    form = b"Action=ListUsers&Version=2010-05-08"
    answer = query.send("POST", "/", {"Host": query.host, "Content-Type": "application/x-www-form-urlencoded"}, form)
    assert told(answer)[:2] == (403, "MissingAuthenticationToken")
