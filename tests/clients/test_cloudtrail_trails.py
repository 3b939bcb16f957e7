"""Every operation of the CloudTrail API that is built, and its errors."""

import json
import secrets

import botocore.exceptions
import pytest

from cloudtrail import FAST, Trail, bucket_policy, key_policy, trail_arn, wait
from strongroom import ACCOUNT, REGION, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("trails"), *FAST, "--regions", f"{REGION},eu-west-1").start()
    yield server
    server.stop()


@pytest.fixture
def cloudtrail(server):
    client = server.client("cloudtrail", secure=True)
    yield client
    for trail in client.list_trails()["Trails"]:
        server.client("cloudtrail", secure=True, region=trail["HomeRegion"]).delete_trail(Name=trail["TrailARN"])


@pytest.fixture
def bucket(server):
    s3 = server.client("s3", secure=True)
    name = "logs-" + secrets.token_hex(6)
    s3.create_bucket(Bucket=name)
    s3.put_bucket_policy(Bucket=name, Policy=bucket_policy(name))
    return name


def refused(call, code: str, text: str = ""):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert (error["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]) == (code, 400), error
    assert text in error["Message"]


def test_a_trail_is_made_told_changed_and_deleted(cloudtrail, bucket):
    made = cloudtrail.create_trail(Name="first", S3BucketName=bucket, TagsList=[{"Key": "a", "Value": "b"}])
    del made["ResponseMetadata"]
    assert made == {
        "Name": "first",
        "S3BucketName": bucket,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "TrailARN": trail_arn("first"),
        "LogFileValidationEnabled": False,
        "IsOrganizationTrail": False,
        "RecursiveLogging": True,
    }
    described = made | {"HomeRegion": REGION, "HasCustomEventSelectors": False, "HasInsightSelectors": False}
    assert cloudtrail.describe_trails()["trailList"] == [described]
    assert cloudtrail.describe_trails(trailNameList=[trail_arn("first")])["trailList"] == [described]
    assert cloudtrail.describe_trails(trailNameList=["other"])["trailList"] == []
    assert cloudtrail.get_trail(Name="first")["Trail"] == described
    info = {"TrailARN": trail_arn("first"), "Name": "first", "HomeRegion": REGION}
    assert cloudtrail.list_trails()["Trails"] == [info]
    changed = cloudtrail.update_trail(Name="first", EnableLogFileValidation=True, IsMultiRegionTrail=True, RecursiveLogging=False)
    assert (changed["LogFileValidationEnabled"], changed["IsMultiRegionTrail"], changed["RecursiveLogging"]) == (True, True, False)
    cloudtrail.delete_trail(Name="first")
    assert cloudtrail.list_trails()["Trails"] == []
    refused(lambda: cloudtrail.get_trail(Name="first"), "TrailNotFoundException", f"Unknown trail: first for the user: {ACCOUNT}")


def test_names_buckets_and_parameters_are_checked(cloudtrail, bucket, server):
    create = cloudtrail.create_trail
    cloudtrail.create_trail(Name="taken", S3BucketName=bucket)
    refused(lambda: create(Name="taken", S3BucketName=bucket), "TrailAlreadyExistsException", f"Trail taken already exists for customer: {ACCOUNT}")
    for name, text in [
        ("ab", "Trail name too short. Minimum allowed length: 3 characters. Specified name length: 2 characters."),
        ("a" * 129, "Trail name too long. Maximum allowed length: 128 characters. Specified name length: 129 characters."),
        ("-abc", "Trail name must starts with a letter or number."),
        ("abc-", "Trail name must ends with a letter or number."),
        ("a b c", "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and underscores (_)."),
        ("a..b", ""),
        ("192.168.5.4", ""),
    ]:
        refused(lambda name=name: create(Name=name, S3BucketName=bucket), "InvalidTrailNameException", text)
    missing = "missing-" + secrets.token_hex(4)
    refused(lambda: create(Name="new", S3BucketName=missing), "S3BucketDoesNotExistException", f"S3 bucket {missing} does not exist!")
    refused(lambda: create(Name="new", S3BucketName="Bad_Name"), "InvalidS3BucketNameException")
    refused(lambda: create(Name="new", S3BucketName=bucket, S3KeyPrefix="x" * 201), "InvalidS3PrefixException")
    refused(lambda: create(Name="new", S3BucketName=bucket, SnsTopicName="topic"), "InsufficientSnsTopicPolicyException")
    logs = "arn:aws:logs:us-east-1:1:log-group:x"
    refused(lambda: create(Name="new", S3BucketName=bucket, CloudWatchLogsLogGroupArn=logs), "CloudWatchLogsDeliveryUnavailableException")
    refused(lambda: create(Name="new", S3BucketName=bucket, IsOrganizationTrail=True), "OrganizationsNotInUseException")
    refused(
        lambda: create(Name="new", S3BucketName=bucket, IsMultiRegionTrail=True, IncludeGlobalServiceEvents=False),
        "InvalidParameterCombinationException",
        "Multi-Region trail must include global service events.",
    )
    refused(lambda: cloudtrail.get_trail(Name="arn:aws:s3:::x"), "CloudTrailARNInvalidException")


def test_the_bucket_policy_has_to_let_cloudtrail_in(cloudtrail, bucket, server):
    s3 = server.client("s3", secure=True)
    text = f"Incorrect S3 bucket policy is detected for bucket: {bucket}"
    create = lambda: cloudtrail.create_trail(Name="checked", S3BucketName=bucket)  # noqa: E731
    s3.delete_bucket_policy(Bucket=bucket)
    refused(create, "InsufficientS3BucketPolicyException", text)
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, prefix="elsewhere/"))
    refused(create, "InsufficientS3BucketPolicyException", text)
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, trail="another"))
    refused(create, "InsufficientS3BucketPolicyException", text)
    s3.put_bucket_policy(Bucket=bucket, Policy=bucket_policy(bucket, trail="checked"))
    create()


def test_five_trails_in_a_region(cloudtrail, bucket):
    for number in range(5):
        cloudtrail.create_trail(Name=f"trail-{number}", S3BucketName=bucket)
    refused(
        lambda: cloudtrail.create_trail(Name="one-more", S3BucketName=bucket),
        "MaximumNumberOfTrailsExceededException",
        f"User: {ACCOUNT} already has 5 trails in {REGION}.",
    )


def test_a_key_has_to_let_cloudtrail_in(cloudtrail, bucket, server):
    kms = server.client("kms", secure=True)
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    create = lambda key: cloudtrail.create_trail(Name="sealed", S3BucketName=bucket, KmsKeyId=key)  # noqa: E731
    refused(lambda: create(arn), "InsufficientEncryptionPolicyException", f"S3 bucket {bucket} or KMS key {arn}")
    kms.put_key_policy(KeyId=arn, Policy=key_policy("sealed"))
    refused(lambda: create("alias/none"), "KmsKeyNotFoundException")
    alias = "alias/" + secrets.token_hex(4)
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    assert create(alias)["KmsKeyId"] == arn
    assert "KmsKeyId" not in cloudtrail.update_trail(Name="sealed", KmsKeyId="")


def test_other_regions_see_a_shadow(cloudtrail, bucket, server):
    cloudtrail.create_trail(Name="everywhere", S3BucketName=bucket, IsMultiRegionTrail=True)
    elsewhere = server.client("cloudtrail", secure=True, region="eu-west-1")
    assert [trail["HomeRegion"] for trail in elsewhere.describe_trails()["trailList"]] == [REGION]
    assert elsewhere.describe_trails(includeShadowTrails=False)["trailList"] == []
    refused(lambda: elsewhere.stop_logging(Name=trail_arn("everywhere")), "InvalidHomeRegionException")
    refused(lambda: elsewhere.stop_logging(Name="everywhere"), "TrailNotFoundException")
    assert elsewhere.get_trail_status(Name=trail_arn("everywhere"))["IsLogging"] is False


def test_tags(cloudtrail, bucket):
    cloudtrail.create_trail(Name="tagged", S3BucketName=bucket)
    arn = trail_arn("tagged")
    cloudtrail.add_tags(ResourceId=arn, TagsList=[{"Key": "one", "Value": "1"}, {"Key": "two"}])
    cloudtrail.add_tags(ResourceId=arn, TagsList=[{"Key": "one", "Value": "I"}])
    listed = cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"]
    assert listed == [{"ResourceId": arn, "TagsList": [{"Key": "one", "Value": "I"}, {"Key": "two"}]}]
    cloudtrail.remove_tags(ResourceId=arn, TagsList=[{"Key": "two"}])
    assert cloudtrail.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"] == [{"Key": "one", "Value": "I"}]
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    refused(lambda: cloudtrail.add_tags(ResourceId=arn, TagsList=many), "TagsLimitExceededException")
    twice = [{"Key": "same", "Value": "1"}, {"Key": "same", "Value": "2"}]
    refused(lambda: cloudtrail.add_tags(ResourceId=arn, TagsList=twice), "InvalidTagParameterException")
    refused(lambda: cloudtrail.list_tags(ResourceIdList=[trail_arn("none")]), "ResourceNotFoundException")
    store = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:eventdatastore/x"
    refused(lambda: cloudtrail.list_tags(ResourceIdList=[store]), "ResourceTypeNotSupportedException")


def test_event_selectors_are_kept_and_checked(cloudtrail, bucket):
    cloudtrail.create_trail(Name="selecting", S3BucketName=bucket)
    first = cloudtrail.get_event_selectors(TrailName="selecting")
    every = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [], "ExcludeManagementEventSources": []}
    assert (first["TrailARN"], first["EventSelectors"]) == (trail_arn("selecting"), [every])
    resource = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{bucket}/x"]}
    basic = [every | {"ReadWriteType": "WriteOnly", "DataResources": [resource]}]
    assert cloudtrail.put_event_selectors(TrailName="selecting", EventSelectors=basic)["EventSelectors"] == basic
    assert cloudtrail.get_trail(Name="selecting")["Trail"]["HasCustomEventSelectors"] is True
    fields = [{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]
    advanced = [{"Name": "objects", "FieldSelectors": fields}]
    put = cloudtrail.put_event_selectors(TrailName="selecting", AdvancedEventSelectors=advanced)
    assert put["AdvancedEventSelectors"] == advanced and "EventSelectors" not in put

    def bad(text="", **selectors):
        refused(lambda: cloudtrail.put_event_selectors(TrailName="selecting", **selectors), "InvalidEventSelectorsException", text)

    bad(EventSelectors=[every] * 6)
    bad(EventSelectors=[every], AdvancedEventSelectors=advanced)
    bad(EventSelectors=[])
    for values, text in [
        (["arn:aws:s3:::*/*"], "Value arn:aws:s3:::*/* for DataResources.Values is invalid."),
        (["arn:aws:s3:::aigo-"], "Invalid S3 ARN: arn:aws:s3:::aigo-"),
    ]:
        bad(text, EventSelectors=[{"DataResources": [{"Type": "AWS::S3::Object", "Values": values}]}])
    bad(
        "Value AWS::S3::Bucket for DataResources.Type is invalid. Valid values are: AWS::DynamoDB::Table, AWS::Lambda::Function, AWS::S3::Object",
        EventSelectors=[{"DataResources": [{"Type": "AWS::S3::Bucket", "Values": []}]}],
    )
    bad(AdvancedEventSelectors=[{"FieldSelectors": [{"Field": "readOnly", "Equals": ["true"]}]}])
    bad(AdvancedEventSelectors=[{"FieldSelectors": [fields[0]]}])
    bad(AdvancedEventSelectors=[{"FieldSelectors": [*fields, {"Field": "readOnly", "NotEquals": ["true"]}]}])


def test_what_is_not_built_says_so(cloudtrail):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        cloudtrail.list_event_data_stores()
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_keys_of_digests_are_listed_by_time(cloudtrail):
    refused(lambda: cloudtrail.list_public_keys(StartTime=2_000_000_000, EndTime=1_000_000_000), "InvalidTimeRangeException")
    assert cloudtrail.list_public_keys(StartTime=1, EndTime=2)["PublicKeyList"] == []


def test_only_whom_policies_let_may_use_the_api(cloudtrail, bucket, server):
    iam = server.client("iam", secure=True)
    iam.create_user(UserName="auditor")
    key = iam.create_access_key(UserName="auditor")["AccessKey"]
    statement = {"Effect": "Allow", "Action": "cloudtrail:GetTrail*", "Resource": trail_arn("allowed")}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.put_user_policy(UserName="auditor", PolicyName="p", PolicyDocument=json.dumps(policy))
    for name in ["allowed", "denied"]:
        cloudtrail.create_trail(Name=name, S3BucketName=bucket)
    auditor = server.client("cloudtrail", secure=True, credentials=(key["AccessKeyId"], key["SecretAccessKey"]))
    auditor.get_trail(Name="allowed")
    text = f"User: arn:aws:iam::{ACCOUNT}:user/auditor is not authorized to perform: cloudtrail:GetTrail on resource: {trail_arn('denied')}"
    refused(lambda: auditor.get_trail(Name="denied"), "AccessDeniedException", text)
    refused(lambda: auditor.lookup_events(), "AccessDeniedException")


def test_selected_events_are_delivered_and_others_not(server, cloudtrail):
    trail = Trail(server, "choosy", logging=False)
    s3, kms = server.client("s3", secure=True), server.client("kms", secure=True)
    watched, other = ("b-" + secrets.token_hex(6) for _ in range(2))
    for name in [watched, other]:
        s3.create_bucket(Bucket=name)
    resource = {"Type": "AWS::S3::Object", "Values": [f"arn:aws:s3:::{watched}/in/"]}
    selector = {"ReadWriteType": "WriteOnly", "DataResources": [resource], "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
    trail.cloudtrail.put_event_selectors(TrailName=trail.name, EventSelectors=[selector])
    trail.cloudtrail.start_logging(Name=trail.name)
    for bucket, key in [(watched, "in/1"), (watched, "out/1"), (other, "in/1"), (watched, "in/last")]:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
        s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    kms.create_key()
    s3.delete_bucket_policy(Bucket=other)
    trail.wait_for(lambda record: record["eventName"] == "DeleteBucketPolicy")
    records = trail.records()
    assert [r["requestParameters"]["key"] for r in records if r["eventCategory"] == "Data"] == ["in/1", "in/last"]
    assert not [r for r in records if r["eventSource"] == "kms.amazonaws.com" or r["readOnly"]]
    assert "StartLogging" in {r["eventName"] for r in records}
    assert trail.cloudtrail.get_trail_status(Name=trail.name)["LatestDeliveryTime"]


def test_a_bucket_that_is_gone_is_told_and_tried_again(server, cloudtrail):
    trail = Trail(server, "blocked")
    kms, s3 = server.client("kms", secure=True), server.client("s3", secure=True)
    wait(lambda: trail.logs())
    policy = s3.get_bucket_policy(Bucket=trail.bucket)["Policy"]
    s3.delete_bucket_policy(Bucket=trail.bucket)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    status = lambda: trail.cloudtrail.get_trail_status(Name=trail.name)  # noqa: E731
    wait(lambda: status().get("LatestDeliveryError") == "AccessDenied")
    wait(lambda: status()["LatestDeliveryAttemptTime"] > status()["LatestDeliveryAttemptSucceeded"])
    assert not [r for r in trail.records() if r["eventName"] == "CreateKey"]
    s3.put_bucket_policy(Bucket=trail.bucket, Policy=policy)
    record = trail.wait_for(lambda r: r["eventName"] == "CreateKey")
    assert record["responseElements"]["keyMetadata"]["keyId"] == key
    assert "LatestDeliveryError" not in status()


def test_files_are_encrypted_under_the_trails_key(server, cloudtrail):
    kms = server.client("kms", secure=True)
    arn = kms.create_key(Policy=key_policy("keyed"))["KeyMetadata"]["Arn"]
    trail = Trail(server, "keyed", KmsKeyId=arn, RecursiveLogging=False)
    key = wait(lambda: trail.logs())[0]
    head = trail.s3.head_object(Bucket=trail.bucket, Key=key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", arn)
    assert (head["ContentType"], head["ContentEncoding"]) == ("application/json", "gzip")
    events = lambda: server.client("cloudtrail").lookup_events(  # noqa: E731
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": arn}]
    )["Events"]
    used = [json.loads(event["CloudTrailEvent"]) for event in events() if event["EventName"] == "GenerateDataKey"]
    assert used[0]["userIdentity"] == {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    assert used[-1]["requestParameters"]["encryptionContext"] == {
        "aws:cloudtrail:arn": trail.arn,
        "aws:s3:arn": f"arn:aws:s3:::{trail.bucket}/{key}",
    }


def test_a_crash_loses_no_event_and_doubles_none(tmp_path):
    server = Server(tmp_path, *FAST).start()
    trail = Trail(server, "crashing")
    kms = server.client("kms", secure=True)
    keys = []
    for _ in range(4):
        for _ in range(5):
            keys.append(kms.create_key()["KeyMetadata"]["KeyId"])
        server.kill()
        server.start()
    made = lambda: [r["responseElements"]["keyMetadata"]["keyId"] for r in trail.records() if r["eventName"] == "CreateKey"]  # noqa: E731
    wait(lambda: len(made()) >= len(keys))
    assert sorted(made()) == sorted(keys)
    server.stop()
