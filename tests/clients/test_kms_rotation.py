"""boto3 against KMS: rotation. What time does to it is tested where time can be turned, in `crates/keys/tests`."""

import datetime

import botocore.config
import pytest

from refusals import refused


@pytest.fixture
def key(kms):
    return kms.create_key()["KeyMetadata"]["KeyId"]


def test_the_period(server, kms, key):
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"] is False and "RotationPeriodInDays" not in status
    kms.enable_key_rotation(KeyId=key)
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    for days in (90, 2560):
        kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=days)
        status = kms.get_key_rotation_status(KeyId=key)
        left = status["NextRotationDate"] - datetime.datetime.now(datetime.UTC)
        assert abs(left - datetime.timedelta(days=days)) < datetime.timedelta(minutes=1)
        assert status["RotationPeriodInDays"] == days
        assert "OnDemandRotationStartDate" not in status
    unchecked = server.client("kms", config=botocore.config.Config(parameter_validation=False))
    for days in (89, 2561, 0):
        assert refused(unchecked.enable_key_rotation, KeyId=key, RotationPeriodInDays=days) == "ValidationException"
    kms.disable_key_rotation(KeyId=key)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False


def test_states_and_kinds(kms, key):
    kms.enable_key_rotation(KeyId=key)
    kms.disable_key(KeyId=key)
    for call in (kms.enable_key_rotation, kms.disable_key_rotation, kms.rotate_key_on_demand):
        assert refused(call, KeyId=key) == "DisabledException"
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    for call in (kms.enable_key_rotation, kms.disable_key_rotation, kms.rotate_key_on_demand):
        assert refused(call, KeyId=key) == "KMSInvalidStateException"
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    hmac = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    # There is nothing to disable, and AWS does not mind.
    kms.disable_key_rotation(KeyId=hmac)
    for call in (kms.enable_key_rotation, kms.get_key_rotation_status, kms.rotate_key_on_demand):
        assert refused(call, KeyId=hmac) == "UnsupportedOperationException"


def test_an_aws_managed_key_rotates_every_year(kms, s3, bucket):
    s3.put_object(Bucket=bucket, Key="x", Body=b"x", ServerSideEncryption="aws:kms")
    key = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
    status = kms.get_key_rotation_status(KeyId=key)
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 365)
    assert status["NextRotationDate"] > datetime.datetime.now(datetime.UTC)
    assert refused(kms.disable_key_rotation, KeyId=key) == "AccessDeniedException"


def test_on_demand_rotations_are_listed_in_pages(kms, key):
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    planned = kms.get_key_rotation_status(KeyId=key)["NextRotationDate"]
    sealed = []
    for number in range(25):
        sealed.append(kms.encrypt(KeyId=key, Plaintext=str(number).encode())["CiphertextBlob"])
        assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == key
    assert refused(kms.rotate_key_on_demand, KeyId=key) == "LimitExceededException"
    assert kms.get_key_rotation_status(KeyId=key)["NextRotationDate"] == planned
    pages = kms.get_paginator("list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 7})
    entries = [entry for page in pages for entry in page["Rotations"]]
    assert len(entries) == 25 and {entry["RotationType"] for entry in entries} == {"ON_DEMAND"}
    assert [entry["KeyMaterialState"] for entry in entries] == ["NON_CURRENT"] * 24 + ["CURRENT"]
    for number, blob in enumerate(sealed):
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == str(number).encode()
