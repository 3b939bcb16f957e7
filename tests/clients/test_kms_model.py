"""The table that KMS requests are checked by is what the newest botocore knows."""

import kms_model
from strongroom import ROOT


def test_the_table_is_the_newest_service_model():
    path = ROOT / "crates/keys/src/model/shapes.rs"
    assert path.read_text() == kms_model.table(kms_model.model()), "python tests/kms_model.py > crates/keys/src/model/shapes.rs"


def test_the_server_knows_every_operation():
    """Those of the model and no others."""
    listed = (ROOT / "crates/gateway/src/kms/operations.rs").read_text().split("operations! {\n")[1].split("\n}\n")[0]
    assert [line.strip(" ;").split(":")[0] for line in listed.splitlines()] == list(kms_model.requests(kms_model.model()))
