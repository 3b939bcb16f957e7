"""What records say: the linked pair of an SSE-KMS GetObject, identities, what is shown of requests, and what never is."""

import base64
import json
import os
import re
import secrets

import boto3
import botocore.config
import botocore.exceptions
import botocore.session
import pytest
import requests

from cloudtrail import FAST, Trail
from strongroom import ACCOUNT, REGION, ROOT, Server

AUDIT = ROOT / "docs/audit.md"
OTHER_REGION = "eu-central-1"
EVERY_OBJECT = [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    options = ["--regions", f"{REGION},{OTHER_REGION}", "--blocked-encryption-types", "NONE"]
    server = Server(tmp_path_factory.mktemp("records"), *FAST, *options).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def trail(server):
    trail = Trail(server, "records", logging=False, RecursiveLogging=False)
    trail.cloudtrail.put_event_selectors(TrailName=trail.name, EventSelectors=EVERY_OBJECT)
    trail.cloudtrail.start_logging(Name=trail.name)
    return trail


def role_session(server):
    """Clients of a role's session."""
    iam, sts = server.client("iam", secure=True), server.client("sts", secure=True)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    name = "reader-" + secrets.token_hex(3)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "kms:Decrypt"], "Resource": "*"}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    iam.create_user(UserName=name)
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [assume]}))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    sts = server.client("sts", secure=True, credentials=(key["AccessKeyId"], key["SecretAccessKey"]))
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{name}", RoleSessionName="the-session")["Credentials"]

    def client(service):
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=server.https,
            verify=server.ca_bundle(),
            aws_access_key_id=got["AccessKeyId"],
            aws_secret_access_key=got["SecretAccessKey"],
            aws_session_token=got["SessionToken"],
        )

    return name, got, client


@pytest.fixture(scope="module")
def pair(server, trail):
    """The data event of a GetObject and the KMS event that belongs to it."""
    s3, kms = server.client("s3", secure=True), server.client("kms", secure=True)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    bucket = "documents-" + secrets.token_hex(4)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="report.pdf", Body=b"x" * 100, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    name, credentials, client = role_session(server)
    client("s3").get_object(Bucket=bucket, Key="report.pdf")["Body"].read()
    data = trail.wait_for(lambda record: record["eventName"] == "GetObject" and record["requestParameters"]["bucketName"] == bucket)
    used = trail.wait_for(lambda record: record["eventName"] == "Decrypt" and record["resources"][0]["ARN"] == key)
    return data, used, {"bucket": bucket, "key": key, "role": name, "credentials": credentials}


def test_one_get_object_leaves_the_linked_pair(pair):
    data, used, facts = pair
    object_arn = f"arn:aws:s3:::{facts['bucket']}/report.pdf"
    assert (data["eventCategory"], data["managementEvent"], data["readOnly"]) == ("Data", False, True)
    assert data["resources"] == [
        {"type": "AWS::S3::Object", "ARN": object_arn},
        {"accountId": ACCOUNT, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{facts['bucket']}"},
    ]
    assert data["additionalEventData"]["SSEApplied"] == "SSE_KMS"
    assert data["additionalEventData"]["bytesTransferredOut"] == 100
    assert data["tlsDetails"]["tlsVersion"] == "TLSv1.3"
    # The same identity, by S3 in its name, with the object in the encryption context.
    identity = data["userIdentity"]
    assert identity["type"] == "AssumedRole" and identity["arn"].endswith(f":assumed-role/{facts['role']}/the-session")
    assert identity["sessionContext"]["sessionIssuer"]["userName"] == facts["role"]
    assert used["userIdentity"] == identity | {"invokedBy": "fas.s3.amazonaws.com"}
    assert (used["sourceIPAddress"], used["userAgent"]) == ("fas.s3.amazonaws.com",) * 2
    assert used["requestParameters"] == {
        "encryptionContext": {"aws:s3:arn": object_arn},
        "encryptionAlgorithm": "SYMMETRIC_DEFAULT",
    }
    assert (used["eventCategory"], used["responseElements"]) == ("Management", None)
    assert used["eventTime"] == data["eventTime"]
    # Both carry the request's identifier, S3's being the first half of KMS's but for the UUID's version.
    compact = used["requestID"].replace("-", "").upper()
    assert compact[:12] + compact[13:16] == data["requestID"][:12] + data["requestID"][13:]


def test_the_documentation_shows_the_pair_with_these_fields(pair):
    """`WRITE_DOCS=1` writes the examples of docs/audit.md anew."""
    data, used, _ = pair
    text = AUDIT.read_text()
    blocks = re.findall(r"```json\n(.*?)```", text, re.S)
    if os.environ.get("WRITE_DOCS"):
        for block, record in zip(blocks, [data, used], strict=True):
            text = text.replace(block, json.dumps(record, indent=2) + "\n")
        AUDIT.write_text(text)
        blocks = re.findall(r"```json\n(.*?)```", text, re.S)
    for block, record in zip(blocks, [data, used], strict=True):
        assert names(json.loads(block)) == names(record)
    table = text.split("## Fields")[1].split("\n## ")[0]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, re.M))
    assert set(data) | set(used) <= listed


def names(value, path=""):
    """The names of all members, wherever they stand."""
    if isinstance(value, dict):
        return {path + name for name in value} | {inner for name in value for inner in names(value[name], path + name + ".")}
    if isinstance(value, list):
        return {inner for item in value for inner in names(item, path + "[].")}
    return set()


def lookup(server, key, value, **options):
    client = server.client("cloudtrail", secure=True, **options)
    attributes = [{"AttributeKey": key, "AttributeValue": value}]
    return client.lookup_events(LookupAttributes=attributes)["Events"]


def records(server, name, **options):
    return [json.loads(event["CloudTrailEvent"]) for event in lookup(server, "EventName", name, **options)]


def key_resource(arn):
    return {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}


def test_events_are_found_by_every_attribute(server, pair):
    _, used, facts = pair
    for key, value in [
        ("EventId", used["eventID"]),
        ("EventName", "Decrypt"),
        ("ReadOnly", "true"),
        ("Username", "the-session"),
        ("ResourceType", "AWS::KMS::Key"),
        ("ResourceName", facts["key"]),
        ("EventSource", "kms.amazonaws.com"),
        ("AccessKeyId", facts["credentials"]["AccessKeyId"]),
    ]:
        found = {event["EventId"]: event for event in lookup(server, key, value)}
        assert used["eventID"] in found, key
        event = found[used["eventID"]]
        assert (event["EventName"], event["ReadOnly"], event["Username"]) == ("Decrypt", "true", "the-session")
        assert event["Resources"] == [{"ResourceType": "AWS::KMS::Key", "ResourceName": facts["key"]}]
        assert json.loads(event["CloudTrailEvent"]) == used
    assert not lookup(server, "EventName", "GetObject"), "data events are for trails alone"


def test_pages_of_events_follow_each_other(server, pair):
    client = server.client("cloudtrail", secure=True)
    whole = [event["EventId"] for event in client.lookup_events()["Events"]]
    assert 20 < len(whole) <= 50
    attributes = [{"AttributeKey": "EventSource", "AttributeValue": "kms.amazonaws.com"}]
    for options in [{}, {"LookupAttributes": attributes}, {"StartTime": 1}]:
        pages = client.get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 2, "MaxItems": 9}, **options)
        paged = [event["EventId"] for page in pages for event in page["Events"]]
        assert len(paged) == len(set(paged)) > 2, "more than a page, and none twice"
    for options, code in [
        ({"NextToken": "bogus"}, "InvalidNextTokenException"),
        ({"StartTime": 2_000_000_000, "EndTime": 1}, "InvalidTimeRangeException"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            client.lookup_events(**options)
        assert caught.value.response["Error"]["Code"] == code
    assert client.lookup_events(EventCategory="insight")["Events"] == []


def test_secrets_are_in_no_record(server, trail, pair):
    kms, s3, iam = (server.client(name, secure=True) for name in ("kms", "s3", "iam"))
    secret, context = secrets.token_bytes(32), {"Purpose": "shown"}
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=secret, EncryptionContext=context)["CiphertextBlob"]
    kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)
    shown = next(r for r in records(server, "Encrypt") if r["requestParameters"]["keyId"] == key)
    assert shown["requestParameters"] == {"keyId": key, "encryptionContext": context, "encryptionAlgorithm": "SYMMETRIC_DEFAULT"}
    assert shown["responseElements"] is None
    bucket = "secrets-" + secrets.token_hex(4)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="sse-c", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey=secret, Metadata={"private": "metadatum"})
    iam.create_user(UserName="secretive")
    made = iam.create_access_key(UserName="secretive")["AccessKey"]
    put = trail.wait_for(lambda r: r["eventName"] == "PutObject" and r["requestParameters"]["key"] == "sse-c")
    assert put["additionalEventData"]["SSEApplied"] == "SSE_C"
    created = trail.wait_for(lambda r: r["eventName"] == "CreateAccessKey" and r["requestParameters"] == {"userName": "secretive"})
    assert created["responseElements"]["accessKey"]["accessKeyId"] == made["AccessKeyId"]
    assume = trail.wait_for(lambda r: r["eventName"] == "AssumeRole")
    assert set(assume["responseElements"]["credentials"]) == {"accessKeyId", "expiration"}
    everything = json.dumps(trail.records())
    _, _, facts = pair
    for hidden in [
        base64.b64encode(secret).decode(),
        base64.b64encode(blob).decode(),
        made["SecretAccessKey"],
        facts["credentials"]["SecretAccessKey"],
        facts["credentials"]["SessionToken"],
        server.secret_access_key,
        "metadatum",
        "customer-key",
        "X-Amz-Signature",
    ]:
        assert hidden not in everything


def test_refusals_are_recorded(server, trail, pair):
    _, _, client = role_session(server)
    with pytest.raises(botocore.exceptions.ClientError):
        client("kms").list_keys()
    with pytest.raises(botocore.exceptions.ClientError):
        client("s3").list_buckets()
    for name in ["ListKeys", "ListBuckets"]:
        denied = next(r for r in records(server, name) if r.get("errorCode"))
        assert denied["errorCode"] == "AccessDenied" and "is not authorized to perform" in denied["errorMessage"]
        assert denied["responseElements"] is None


def test_what_kms_changes_is_told_with_the_key(server):
    kms = server.client("kms", secure=True)
    made = kms.create_key(Description="told", Tags=[{"TagKey": "A", "TagValue": "b"}])["KeyMetadata"]
    alias = "alias/" + secrets.token_hex(4)
    kms.create_alias(AliasName=alias, TargetKeyId=made["KeyId"])
    kms.delete_alias(AliasName=alias)
    kms.schedule_key_deletion(KeyId=made["KeyId"], PendingWindowInDays=7)
    created = next(r for r in records(server, "CreateKey") if r["responseElements"]["keyMetadata"]["keyId"] == made["KeyId"])
    assert created["requestParameters"] == {
        "description": "told",
        "tags": [{"tagKey": "A", "tagValue": "b"}],
        "origin": "AWS_KMS",
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "keySpec": "SYMMETRIC_DEFAULT",
        "keyUsage": "ENCRYPT_DECRYPT",
    }
    assert created["resources"] == [key_resource(made["Arn"])]
    assert "CreateKey" in {event["EventName"] for event in lookup(server, "ResourceName", made["Arn"])}
    assert re.fullmatch(r"\w{3} \d+, \d{4}, \d+:\d\d:\d\d [AP]M", created["responseElements"]["keyMetadata"]["creationDate"])
    aliased = next(r for r in records(server, "CreateAlias") if r["requestParameters"]["aliasName"] == alias)
    assert aliased["responseElements"] == {"keyId": made["Arn"]}
    assert made["Arn"] in {resource["ARN"] for resource in aliased["resources"]}
    deleted = next(r for r in records(server, "DeleteAlias") if r["requestParameters"]["aliasName"] == alias)
    assert deleted["responseElements"] == {"keyId": made["Arn"]}
    assert deleted["resources"] == [key_resource(f"arn:aws:kms:{REGION}:{ACCOUNT}:{alias}"), key_resource(made["Arn"])]
    scheduled = next(r for r in records(server, "ScheduleKeyDeletion") if r["requestParameters"]["keyId"] == made["KeyId"])
    assert scheduled["responseElements"]["keyState"] == "PendingDeletion" and scheduled["readOnly"] is False


def test_whoever_retires_a_grant_tells_the_keys_owner(server):
    """By its token and by its id, in the key's account and in another one."""
    made = json.loads(server.run("account", "create", "retirers", "--json", check=True).stdout)
    other, root = made["account"], (made["access_key_id"], made["secret_access_key"])
    server.client("iam", secure=True, credentials=root).create_user(UserName="retirer")
    access = server.client("iam", secure=True, credentials=root).create_access_key(UserName="retirer")["AccessKey"]
    theirs = (access["AccessKeyId"], access["SecretAccessKey"])
    kms = server.client("kms", secure=True)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    arn = f"arn:aws:iam::{other}:user/retirer"

    def granted():
        return kms.create_grant(KeyId=key, GranteePrincipal=arn, RetiringPrincipal=arn, Operations=["Decrypt"])

    def told(grant, **options):
        found = records(server, "RetireGrant", **options)
        return [record for record in found if record.get("additionalEventData") == {"grantId": grant["GrantId"]}]

    for by_token in [True, False]:
        for credentials in [None, theirs]:
            grant = granted()
            named = {"GrantToken": grant["GrantToken"]} if by_token else {"KeyId": key, "GrantId": grant["GrantId"]}
            shown = None if by_token else {"keyId": key, "grantId": grant["GrantId"]}
            server.client("kms", secure=True, credentials=credentials).retire_grant(**named)
            [owners] = told(grant)
            everybody = [owners]
            if credentials:
                [callers] = told(grant, credentials=root)
                assert (owners["recipientAccountId"], callers["recipientAccountId"]) == (ACCOUNT, other)
                assert owners["sharedEventID"] == callers["sharedEventID"]
                everybody.append(callers)
            for record in everybody:
                assert record["resources"] == [key_resource(key)]
                assert (record["requestParameters"], record["responseElements"]) == (shown, None)
    assert grant["GrantToken"] not in json.dumps(everybody)
    refused = granted()
    server.client("iam", secure=True, credentials=root).create_user(UserName="nobody")
    access = server.client("iam", secure=True, credentials=root).create_access_key(UserName="nobody")["AccessKey"]
    nobody = server.client("kms", secure=True, credentials=(access["AccessKeyId"], access["SecretAccessKey"]))
    with pytest.raises(botocore.exceptions.ClientError):
        nobody.retire_grant(GrantToken=refused["GrantToken"])
    [record] = [record for record in records(server, "RetireGrant", credentials=root) if record.get("errorCode")]
    assert "resources" not in record and "additionalEventData" not in record
    assert not [record for record in records(server, "RetireGrant") if record.get("errorCode")]


def test_what_is_done_in_another_region_is_told_there(server):
    kms = server.client("kms", secure=True)
    key = kms.create_key(MultiRegion=True, Description="mrk")["KeyMetadata"]
    replica = kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=OTHER_REGION, Description="there")["ReplicaKeyMetadata"]
    kms.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=OTHER_REGION)
    [replicated] = records(server, "ReplicateKey")
    assert replicated["resources"] == [key_resource(key["Arn"])]
    assert replicated["requestParameters"]["bypassPolicyLockoutSafetyCheck"] is False
    assert not records(server, "ReplicateKey", region=OTHER_REGION)
    [created] = records(server, "CreateKey", region=OTHER_REGION)
    assert (created["awsRegion"], created["requestID"]) == (OTHER_REGION, replicated["requestID"])
    assert created["eventID"] != replicated["eventID"]
    assert created["responseElements"]["keyMetadata"] == replicated["responseElements"]["replicaKeyMetadata"]
    assert created["resources"] == [key_resource(replica["Arn"])]
    [here], [there] = (records(server, "UpdatePrimaryRegion", region=region) for region in (REGION, OTHER_REGION))
    assert (here["awsRegion"], there["awsRegion"]) == (REGION, OTHER_REGION)
    for record, arn in [(here, key["Arn"]), (there, replica["Arn"])]:
        assert record["requestParameters"] == {"keyId": key["KeyId"], "primaryRegion": OTHER_REGION}
        assert (record["responseElements"], record["resources"]) == ({"keyId": arn}, [key_resource(arn)])
    with pytest.raises(botocore.exceptions.ClientError):
        kms.update_primary_region(KeyId=key["KeyId"], PrimaryRegion=OTHER_REGION)
    assert len(records(server, "UpdatePrimaryRegion", region=OTHER_REGION)) == 1, "a refusal is told in the Region that was asked"


def test_failed_signatures_leave_no_record(server):
    before = len(records(server, "ListAliases"))
    with pytest.raises(botocore.exceptions.ClientError):
        server.client("kms", secure=True, credentials=(server.access_key_id, "wrong" * 8)).list_aliases()
    assert len(records(server, "ListAliases")) == before


def test_presigned_requests_and_configurations(server, trail, pair):
    s3 = server.client("s3", secure=True, config=botocore.config.Config(signature_version="s3v4"))
    _, _, facts = pair
    url = s3.generate_presigned_url("get_object", Params={"Bucket": facts["bucket"], "Key": "report.pdf"})
    assert requests.get(url, verify=server.ca_bundle(), timeout=30).status_code == 200
    data = trail.wait_for(lambda r: r["eventName"] == "GetObject" and r["additionalEventData"].get("AuthenticationMethod") == "QueryString")
    assert "X-Amz-Signature" not in data["requestParameters"] and data["requestParameters"]["key"] == "report.pdf"
    tagging = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]}
    s3.put_bucket_tagging(Bucket=facts["bucket"], Tagging=tagging)
    told = records(server, "PutBucketTagging")[0]["requestParameters"]
    assert told["Tagging"]["TagSet"]["Tag"] == tagging["TagSet"] and told["bucketName"] == facts["bucket"]


@pytest.mark.parametrize(("source", "services"), [("kms.rs", ["kms"]), ("others.rs", ["iam", "sts"])])
def test_every_secret_of_the_service_models_is_left_out(source, services):
    """Blobs of KMS, and whatever a model calls sensitive, in requests and in answers."""
    text = (ROOT / "crates/gateway/src/record" / source).read_text()
    left_out = set(re.findall(r'"(\w+)"', text.split("secret: &[")[1].split("]")[0]))
    shown = set()
    for service in services:
        model = botocore.session.get_session().get_service_model(service)
        for operation in map(model.operation_model, model.operation_names):
            for name, shape in members([operation.input_shape, operation.output_shape], left_out):
                blob = service == "kms" and shape.type_name == "blob"
                if blob or shape.metadata.get("sensitive"):
                    shown.add((service, operation.name, name))
    assert not shown


def members(shapes, left_out, seen=()):
    """All members at every depth, but for those that are left out and what is in them."""
    for shape in shapes:
        if shape is None or shape.name in seen:
            continue
        inner = shape.members.items() if shape.type_name == "structure" else []
        kept = [(name, member) for name, member in inner if name not in left_out]
        yield from kept
        nested = [member for _, member in kept] + ([shape.member] if shape.type_name == "list" else [])
        yield from members(nested, left_out, (*seen, shape.name))
