"""Every record against the fields that CloudTrail documents, and those that only some records have."""

import json
import re
import secrets
import time
from datetime import UTC

import botocore.exceptions
import botocore.session
import pytest

from cloudtrail import FAST, Trail, wait
from people import OTHER_ACCOUNT, People
from strongroom import ACCOUNT, REGION
from test_kms_import import import_into

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("fields"), *FAST)
    yield people
    people.server.stop()


@pytest.fixture(scope="module")
def trail(people):
    return Trail(people.server, "fields", RecursiveLogging=False)


def events(client, key, value):
    return client.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])["Events"]


def records(people, name, key):
    found = [json.loads(event["CloudTrailEvent"]) for event in events(people.server.client("cloudtrail", secure=True), "EventName", name)]
    return [record for record in found if key in json.dumps(record)]


def test_a_rotation_is_a_service_event(people, trail):
    key = people.kms.create_key()["KeyMetadata"]
    people.kms.rotate_key_on_demand(KeyId=key["KeyId"])
    now = people.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"]
    [record] = wait(lambda: records(people, "RotateKey", key["KeyId"]))
    assert re.fullmatch(UUID, record.pop("eventID")) and re.fullmatch(TIME, record.pop("eventTime"))
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
        "eventSource": "kms.amazonaws.com",
        "eventName": "RotateKey",
        "awsRegion": REGION,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": False,
        "resources": [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": key["Arn"]}],
        "eventType": "AwsServiceEvent",
        "managementEvent": True,
        "recipientAccountId": ACCOUNT,
        "serviceEventDetails": {
            "rotationType": "ON_DEMAND",
            "keyOrigin": "AWS_KMS",
            "previousKeyMaterialId": key["CurrentKeyMaterialId"],
            "currentKeyMaterialId": now,
            "keyId": key["KeyId"],
        },
        "eventCategory": "Management",
    }
    [asked] = records(people, "RotateKeyOnDemand", key["KeyId"])
    assert asked["eventType"] == "AwsApiCall"
    trail.wait_for(lambda r: r["eventName"] == "RotateKey" and r["serviceEventDetails"]["keyId"] == key["KeyId"])


def test_expired_material_is_a_service_event_of_its_account(people):
    kms = people.other.client("kms")
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]
    over = {"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": int(time.time()) + 3}
    material = import_into(kms, key["KeyId"], secrets.token_bytes(32), **over)["KeyMaterialId"]
    wait(lambda: kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingImport")
    found = wait(lambda: events(people.other.client("cloudtrail"), "EventName", "DeleteExpiredKeyMaterial"))
    record = json.loads(found[0]["CloudTrailEvent"])
    assert record["serviceEventDetails"] == {"keyMaterialId": material, "keyId": key["KeyId"]}
    assert record["userIdentity"] == {"accountId": OTHER_ACCOUNT, "invokedBy": "AWS Internal"}
    assert found[0]["Resources"] == [{"ResourceType": "AWS::KMS::Key", "ResourceName": key["Arn"]}]
    assert records(people, "DeleteExpiredKeyMaterial", key["KeyId"]) == []


def test_a_kill_neither_loses_nor_doubles_a_service_event(people):
    key = people.kms.create_key()["KeyMetadata"]["KeyId"]
    for _ in range(4):
        people.kms.rotate_key_on_demand(KeyId=key)
        people.server.kill()
        people.server.start()
    found = wait(lambda: (r := records(people, "RotateKey", key)) and len(r) >= 4 and r)
    assert len(found) == 4 and len({record["serviceEventDetails"]["currentKeyMaterialId"] for record in found}) == 4


def test_uses_of_keys_name_their_materials(people):
    kms = people.kms
    one, two = (kms.create_key()["KeyMetadata"] for _ in range(2))
    source, destination = one["CurrentKeyMaterialId"], two["CurrentKeyMaterialId"]
    blob = kms.encrypt(KeyId=one["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob)
    kms.generate_data_key(KeyId=one["KeyId"], KeySpec="AES_256")
    kms.generate_data_key_without_plaintext(KeyId=one["KeyId"], KeySpec="AES_256")
    kms.generate_data_key_pair(KeyId=one["KeyId"], KeyPairSpec="ECC_NIST_P256")
    for name in ["Encrypt", "Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair"]:
        [record] = records(people, name, one["KeyId"])
        assert record["additionalEventData"] == {"keyMaterialId": source}, name
    kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=two["KeyId"])
    [record] = records(people, "ReEncrypt", one["KeyId"])
    assert record["additionalEventData"] == {"sourceKeyMaterialId": source, "destinationKeyMaterialId": destination}
    assert [resource["ARN"] for resource in record["resources"]] == [one["Arn"], two["Arn"]]
    # From a key to itself, which has another material by now.
    kms.rotate_key_on_demand(KeyId=two["KeyId"])
    blob = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=two["KeyId"])["CiphertextBlob"]
    kms.rotate_key_on_demand(KeyId=two["KeyId"])
    again = kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=two["KeyId"])
    record = records(people, "ReEncrypt", two["KeyId"])[0]
    assert record["additionalEventData"] == {
        "sourceKeyMaterialId": again["SourceKeyMaterialId"],
        "destinationKeyMaterialId": again["DestinationKeyMaterialId"],
    }
    assert again["SourceKeyMaterialId"] != again["DestinationKeyMaterialId"]
    # Signing has one material that never changes; a refusal has used none.
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.sign(KeyId=signing, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
    kms.disable_key(KeyId=one["KeyId"])
    with pytest.raises(botocore.exceptions.ClientError):
        kms.encrypt(KeyId=one["KeyId"], Plaintext=b"x")
    assert "additionalEventData" not in records(people, "Sign", signing)[0]
    assert "additionalEventData" not in records(people, "Encrypt", one["KeyId"])[0]


def test_what_s3_asks_of_kms_names_its_material(people):
    key, bucket = people.kms.create_key()["KeyMetadata"], people.bucket()
    people.s3.put_object(Bucket=bucket, Key="a", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key["KeyId"])
    people.s3.get_object(Bucket=bucket, Key="a")
    for name in ["GenerateDataKey", "Decrypt"]:
        [record] = records(people, name, key["KeyId"])
        assert record["additionalEventData"] == {"keyMaterialId": key["CurrentKeyMaterialId"]}


def test_sessions_and_what_is_made_are_found_by_all_their_names(people):
    name, cloudtrail = "found-" + secrets.token_hex(4), people.server.client("cloudtrail", secure=True)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = people.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    person = people.user({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    session = person.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName=name + "-session")
    session_arn, session_id = session["AssumedRoleUser"]["Arn"], session["AssumedRoleUser"]["AssumedRoleId"]
    [event] = events(cloudtrail, "ResourceName", session_arn)
    assert event["EventName"] == "AssumeRole"
    assert {(resource["ResourceType"], resource["ResourceName"]) for resource in event["Resources"]} == {
        ("AWS::IAM::Role", role["Arn"]),
        ("AWS::IAM::AccessKey", session["Credentials"]["AccessKeyId"]),
        ("AWS::STS::AssumedRole", session_arn),
        ("AWS::STS::AssumedRole", session_id),
        ("AWS::STS::AssumedRole", name + "-session"),
    }
    assert event["EventId"] in {found["EventId"] for found in events(cloudtrail, "ResourceType", "AWS::STS::AssumedRole")}
    for found_by in [role["Arn"], role["RoleId"], name]:
        assert "CreateRole" in {found["EventName"] for found in events(cloudtrail, "ResourceName", found_by)}, found_by
    access_key = person.keys[0]
    assert {found["EventName"] for found in events(cloudtrail, "ResourceName", access_key)} == {"CreateAccessKey"}
    assert {"CreateUser", "PutUserPolicy"} <= {found["EventName"] for found in events(cloudtrail, "ResourceName", person.name)}
    document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    policy = people.iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]
    assert [found["EventName"] for found in events(cloudtrail, "ResourceName", policy["Arn"])] == ["CreatePolicy"]


def test_a_status_has_all_members_of_the_model_that_can_be(people, trail):
    wait(lambda: "LatestDeliveryTime" in trail.cloudtrail.get_trail_status(Name=trail.name))
    status = trail.cloudtrail.get_trail_status(Name=trail.name)
    never = {"LatestNotificationError", "LatestNotificationTime", "LatestCloudWatchLogsDeliveryError"}
    never |= {"LatestCloudWatchLogsDeliveryTime", "LatestDeliveryError", "LatestDigestDeliveryError"}
    maybe = {"StopLoggingTime", "LatestDigestDeliveryTime"}
    members = set(botocore.session.get_session().get_service_model("cloudtrail").shape_for("GetTrailStatusResponse").members)
    assert members - never - maybe <= set(status) - {"ResponseMetadata"} <= members - never
    assert (status["LatestNotificationAttemptTime"], status["LatestNotificationAttemptSucceeded"]) == ("", "")
    for name in ["LatestDeliveryAttemptTime", "LatestDeliveryAttemptSucceeded", "TimeLoggingStarted"]:
        assert re.fullmatch(TIME, status[name]), name
    assert status["TimeLoggingStarted"] == status["StartLoggingTime"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert status["TimeLoggingStopped"] == ""
    fresh = Trail(people.server, "fresh", logging=False)
    silent = fresh.cloudtrail.get_trail_status(Name="fresh")
    texts = {name for name, value in silent.items() if value == ""}
    assert len(texts) == 6 and silent["IsLogging"] is False


def test_both_accounts_are_told_of_what_one_does_with_what_is_the_others(people):
    key = people.kms.create_key()["KeyMetadata"]
    statement = {"Effect": "Allow", "Principal": {"AWS": [ACCOUNT, OTHER_ACCOUNT]}, "Action": "kms:*", "Resource": "*"}
    people.kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    bucket = people.bucket()
    statement = {"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}, "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}"}
    people.s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    people.other.client("kms").encrypt(KeyId=key["Arn"], Plaintext=b"x")
    people.other.s3.get_bucket_versioning(Bucket=bucket)
    there = people.other.client("cloudtrail")
    for name, named in [("Encrypt", key["Arn"]), ("GetBucketVersioning", bucket)]:
        [own] = records(people, name, named)
        [theirs] = [r for r in (json.loads(e["CloudTrailEvent"]) for e in events(there, "EventName", name)) if named in json.dumps(r)]
        assert own["sharedEventID"] == theirs["sharedEventID"] and own["eventID"] != theirs["eventID"]
        assert (own["recipientAccountId"], theirs["recipientAccountId"]) == (ACCOUNT, OTHER_ACCOUNT)
        assert set(own["userIdentity"]) == {"type", "principalId", "accountId"}
        assert own["userIdentity"]["type"] == "AWSAccount" and theirs["userIdentity"]["type"] == "Root"


STRING, FLAG, MEMBERS = str, bool, (dict, type(None))
# Of every record, whatever it tells.
ALWAYS = {
    "eventVersion": r"1\.11",
    "userIdentity": dict,
    "eventTime": TIME,
    "eventSource": r"(kms|s3|iam|sts|cloudtrail)\.amazonaws\.com",
    "eventName": r"[A-Z]\w+",
    "awsRegion": REGION,
    "sourceIPAddress": STRING,
    "requestParameters": MEMBERS,
    "responseElements": MEMBERS,
    "eventID": UUID,
    "readOnly": FLAG,
    "eventType": "AwsApiCall|AwsServiceEvent",
    "managementEvent": FLAG,
    "recipientAccountId": r"\d{12}",
    "eventCategory": "Management|Data",
}
# Of those that have it.
SOMETIMES = {
    "userAgent": STRING,
    "errorCode": r"\w+",
    "errorMessage": STRING,
    "additionalEventData": dict,
    "requestID": rf"{UUID}|[0-9A-F]{{16}}",
    "apiVersion": r"\d{4}-\d\d-\d\d",
    "resources": list,
    "sharedEventID": UUID,
    "serviceEventDetails": dict,
    "vpcEndpointId": STRING,
    "vpcEndpointAccountId": r"\d{12}",
    "tlsDetails": dict,
}
SIGNED = {"principalId", "arn", "accountId", "accessKeyId"}
# What `userIdentity` has by its type: always, and sometimes.
IDENTITIES = {
    "Root": (SIGNED, {"invokedBy", "sessionContext"}),
    "IAMUser": (SIGNED | {"userName"}, {"invokedBy", "sessionContext"}),
    "AssumedRole": (SIGNED | {"sessionContext"}, {"invokedBy"}),
    "AWSAccount": ({"principalId", "accountId"}, set()),
    "AWSService": ({"invokedBy"}, set()),
    None: ({"accountId", "invokedBy"}, set()),
}


def test_every_record_has_the_documented_fields_and_no_others(people, trail):
    bucket = people.bucket()
    people.s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    person = people.user()
    for call in [person.client("kms").list_keys, person.client("iam").list_users, person.s3.list_buckets]:
        with pytest.raises(botocore.exceptions.ClientError):
            call()
    person.client("sts").get_caller_identity()
    seen = []
    for client in [people.server.client("cloudtrail", secure=True), people.other.client("cloudtrail")]:
        for page in client.get_paginator("lookup_events").paginate():
            seen += [json.loads(event["CloudTrailEvent"]) for event in page["Events"]]
    seen += trail.records()
    kinds = {record["eventSource"].split(".")[0] for record in seen} | {record["eventType"] for record in seen}
    kinds |= {record["userIdentity"].get("type") for record in seen}
    assert kinds >= {"kms", "s3", "iam", "sts", "cloudtrail", "Root", "IAMUser"}
    for record in seen:
        assert ALWAYS.keys() <= record.keys() <= ALWAYS.keys() | SOMETIMES.keys(), record
        for name, value in record.items():
            wanted = (ALWAYS | SOMETIMES)[name]
            fits = re.fullmatch(wanted, value) if isinstance(wanted, str) else isinstance(value, wanted)
            assert fits, (name, record)
        identity, service = record["userIdentity"], record["eventType"] == "AwsServiceEvent"
        always, sometimes = IDENTITIES[identity.get("type")]
        assert always <= identity.keys() - {"type"} <= always | sometimes, record
        assert service == ("type" not in identity) == ("requestID" not in record), record
        assert ("errorCode" in record) >= ("errorMessage" in record)
        assert record.get("errorCode") != "AccessDeniedException"
        if "errorCode" in record:
            assert record["responseElements"] is None
        assert record["managementEvent"] == (record["eventCategory"] == "Management")
        assert ("apiVersion" in record) == (record["eventSource"] in ("iam.amazonaws.com", "sts.amazonaws.com")), record
        for resource in record.get("resources", []):
            assert {"ARN"} < set(resource) | {"type"} <= {"ARN", "accountId", "type"}, record
        if "tlsDetails" in record:
            assert set(record["tlsDetails"]) == {"tlsVersion", "cipherSuite", "clientProvidedHostHeader", "keyExchange"}, record
    denied = {record["eventSource"] for record in seen if record.get("errorCode") == "AccessDenied"}
    assert denied >= {"kms.amazonaws.com", "iam.amazonaws.com", "s3.amazonaws.com"}
