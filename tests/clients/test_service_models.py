"""The tables that requests are checked by are what the newest botocore knows."""

import pytest

import service_model
from strongroom import ROOT


@pytest.mark.parametrize("service", service_model.SERVICES)
def test_the_table_is_the_newest_service_model(service):
    path = service_model.FOLDER / f"{service}.rs"
    assert path.read_text() == service_model.table(service), "python tests/service_model.py"


def test_the_server_knows_every_operation_of_kms():
    """Those of the model and no others."""
    listed = (ROOT / "crates/gateway/src/kms/operations.rs").read_text().split("operations! {\n")[1].split("\n}\n")[0]
    known = list(service_model.requests(service_model.model("kms")))
    assert [line.strip(" ;").split(":")[0] for line in listed.splitlines()] == known
