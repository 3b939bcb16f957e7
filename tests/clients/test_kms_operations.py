"""Every operation of the newest KMS model is called by a real client somewhere in the tests, with success."""

import botocore.session
import pytest

import recorder


@pytest.mark.after_all_others
def test_every_operation_has_succeeded_for_a_real_client(whole_run):
    """`conftest` moves this test to the end of the run, and leaves it out of runs of some tests alone."""
    model = set(botocore.session.get_session().get_service_model("kms").operation_names)
    assert len(model) >= 56
    assert sorted(model - recorder.succeeded["kms"]) == []
