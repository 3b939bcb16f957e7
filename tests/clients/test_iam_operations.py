"""Every operation of IAM that is built is called by a real client somewhere in the tests, with success."""

import re

import pytest

import recorder
import service_model
from strongroom import ROOT

TABLE = (ROOT / "crates/gateway/src/iam/operations.rs").read_text()
BUILT = re.findall(r"::(\w+)Request,", TABLE.split("built![")[1].split("];")[0])


def test_what_is_built_is_in_the_model():
    assert BUILT and set(BUILT) <= set(service_model.requests(service_model.model("iam")))


def test_errors_have_the_statuses_of_the_models():
    """The gateway's table of statuses against `httpStatusCode` of IAM and STS."""
    source = (ROOT / "crates/gateway/src/query_protocol/error.rs").read_text()
    rows = re.findall(r"\(\s*StatusCode::(\w+),\s*&\[(.*?)\]", source.split("const STATUSES")[1], re.DOTALL)
    numbers = {"FORBIDDEN": 403, "NOT_FOUND": 404, "CONFLICT": 409, "GONE": 410, "INTERNAL_SERVER_ERROR": 500}
    statuses = {code: numbers[row] for row, codes in rows if row in numbers for code in re.findall(r'"(\w+)"', codes)}
    for service in ("iam", "sts"):
        for shape in service_model.model(service)["shapes"].values():
            error = shape.get("error", {})
            if "httpStatusCode" in error:
                assert statuses.get(error["code"], 400) == error["httpStatusCode"], error


# What the server never has: nobody gets one, but everybody may list them (test_iam_never.py).
NEVER = {name for name in re.findall(r"never::(\w+)Request,", TABLE) if not name.startswith("List") or name.endswith("Tags")}


@pytest.mark.after_all_others
def test_every_built_operation_has_succeeded_for_a_real_client(whole_run):
    """`conftest` moves this test to the end of the run, and leaves it out of runs of some tests alone."""
    assert sorted(set(BUILT) - NEVER - recorder.succeeded["iam"]) == []
