"""Every built operation of IAM against everything that the service model forbids.

What must be answered is worked out from the newest botocore, by a second implementation of AWS's rules (`model_rules`).
"""

import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

import pytest

from model_rules import Rules, put
from raw import Query
from strongroom import ROOT

TABLE = (ROOT / "crates/gateway/src/iam/operations.rs").read_text()
BUILT = re.findall(r"::(\w+)Request,", TABLE.split("built![")[1].split("];")[0])

# Longer bodies are not read (docs/operations.md).
BODY_LIMIT = 256 * 1024

# A good value of each shape whose pattern or length asks for more than a letter.
GOOD = {
    "accessKeyIdType": "AKIAIOSFODNN7EXAMPLE",
    "accountAliasType": "bad-input",
    "ActionNameType": "iam:GetUser",
    "arnType": "arn:aws:iam::000011112222:policy/bad-input",
    "authenticationCodeType": "123456",
    "ContextKeyNameType": "aws:userid",
    "pathPrefixType": "/",
    "pathType": "/",
    "policyPathType": "/",
    "policyVersionIdType": "v1",
    "ResourceNameType": "arn:aws:s3:::bucket",
    "ResourceHandlingOptionType": "EC2-Classic",
    "serialNumberType": "arn:aws:iam::000011112222:mfa/bad-input",
    "thumbprintType": "a" * 40,
}
RULES = Rules("iam", GOOD)


@pytest.fixture(scope="module")
def connection(server):
    return Query(server)


def members(value, path: str = "") -> dict[str, str]:
    """A request's members as the form has them."""
    match value:
        case None:
            return {}
        case dict():
            items = [(f"{path}.{name}" if path else name, of) for name, of in value.items()]
        case []:
            return {path: ""}
        case list():
            items = [(f"{path}.member.{number}", of) for number, of in enumerate(value, 1)]
        case bool():
            return {path: str(value).lower()}
        case _:
            return {path: str(value)}
    found = {name: text for name, of in items for name, text in members(of, name).items()}
    # A structure without members is its name alone.
    return found or ({path: ""} if path else {})


def error(connection: Query, operation: str, form: dict[str, str]) -> tuple[int, str, str | None]:
    answer = connection.call(operation, form)
    assert answer.status != 200, form
    found = ElementTree.fromstring(answer.body)[0]
    return answer.status, found[1].text, found[2].text if len(found) > 2 else None


def rows(operation: str):
    """Requests that are good but for one thing."""
    name = RULES.requests[operation]
    base = RULES.good(name)
    for place, shape, request in RULES.places(name, base):
        yield from (put(request, place, value) for value in RULES.bad_values(shape))
        # Which a form says by leaving it out.
        yield put(request, place, None)


@pytest.mark.parametrize("operation", BUILT)
def test_the_service_models_constraints(connection, operation):
    name = RULES.requests[operation]
    for request in rows(operation):
        message = RULES.message(name, request)
        if message is None:
            continue
        form = members(request)
        if len(urllib.parse.urlencode(form)) > BODY_LIMIT - 100:
            assert error(connection, operation, form)[:2] == (413, "RequestEntityTooLarge")
            continue
        assert error(connection, operation, form) == (400, "ValidationError", message), str(form)[:500]


@pytest.mark.parametrize("operation", BUILT)
def test_members_of_another_kind(connection, operation):
    name = RULES.requests[operation]
    base = members(RULES.good(name))
    for member, of in RULES.shapes[name]["members"].items():
        rest = {other: text for other, text in base.items() if other.split(".")[0] != member}
        kind = RULES.shapes[of["shape"]]["type"]
        wrong = {"string": [f"{member}.member.1", f"{member}.x"], "integer": [member, f"{member}.member.1"], "boolean": [member], "list": [member, f"{member}.1", f"{member}.member.x"]}
        for path in wrong[kind]:
            assert error(connection, operation, rest | {path: "text"})[:2] == (400, "MalformedInput"), path
