"""Every operation of the newest KMS model is called by a real client somewhere in the tests, with success."""

import botocore.session
import pytest

import recorder

# Operations that the server does not have yet. One that is answered has to leave the list.
ABSENT: set[str] = {
    "ConnectCustomKeyStore",
    "CreateCustomKeyStore",
    "CreateGrant",
    "DeleteCustomKeyStore",
    "DeleteImportedKeyMaterial",
    "DescribeCustomKeyStores",
    "DisableKeyRotation",
    "DisconnectCustomKeyStore",
    "EnableKeyRotation",
    "GetKeyLastUsage",
    "GetKeyPolicy",
    "GetKeyRotationStatus",
    "GetParametersForImport",
    "ImportKeyMaterial",
    "ListGrants",
    "ListKeyPolicies",
    "ListRetirableGrants",
    "PutKeyPolicy",
    "ReplicateKey",
    "RetireGrant",
    "RevokeGrant",
    "UpdateCustomKeyStore",
    "UpdatePrimaryRegion",
}


@pytest.mark.after_all_others
def test_every_operation_has_succeeded_for_a_real_client(whole_run):
    """`conftest` moves this test to the end of the run, and leaves it out of runs of some tests alone."""
    model = set(botocore.session.get_session().get_service_model("kms").operation_names)
    assert len(model) >= 56
    assert sorted(model - recorder.succeeded - ABSENT) == []
    assert sorted(ABSENT & recorder.succeeded) == [], "these are there now: take them off the list"
