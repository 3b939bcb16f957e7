"""Trails for tests: buckets that let CloudTrail in, what was delivered, and how to wait for it."""

import gzip
import json
import secrets
import time

from strongroom import ACCOUNT, REGION, Server

SERVICE = {"Service": "cloudtrail.amazonaws.com"}
FAST = ("--trail-delivery-seconds", "1", "--trail-digest-seconds", "4")


def trail_arn(name: str) -> str:
    return f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{name}"


def bucket_policy(bucket: str, prefix: str = "", trail: str | None = None) -> str:
    """The policy of the CloudTrail User Guide, "Amazon S3 bucket policy for CloudTrail"."""
    source = {"aws:SourceArn": trail_arn(trail)} if trail else {}
    acl = {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", **source}}
    check = {
        "Sid": "AWSCloudTrailAclCheck20150319",
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": "s3:GetBucketAcl",
        "Resource": f"arn:aws:s3:::{bucket}",
    }
    write = {
        "Sid": "AWSCloudTrailWrite20150319",
        "Effect": "Allow",
        "Principal": SERVICE,
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/{prefix}AWSLogs/{ACCOUNT}/*",
        "Condition": acl,
    }
    if source:
        check["Condition"] = {"StringEquals": source}
    return json.dumps({"Version": "2012-10-17", "Statement": [check, write]})


def key_policy(trail: str) -> str:
    """The statements of the CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail"."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                },
                {
                    "Sid": "Allow CloudTrail to encrypt logs",
                    "Effect": "Allow",
                    "Principal": SERVICE,
                    "Action": "kms:GenerateDataKey*",
                    "Resource": "*",
                    "Condition": {
                        "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:*:{ACCOUNT}:trail/*"},
                        "StringEquals": {"aws:SourceArn": trail_arn(trail)},
                    },
                },
            ],
        }
    )


class Trail:
    """A trail into a bucket of its own, on a server that delivers fast."""

    def __init__(self, server: Server, name: str = "the-trail", logging: bool = True, **options):
        self.server, self.name, self.arn = server, name, trail_arn(name)
        self.s3, self.cloudtrail = server.client("s3", secure=True), server.client("cloudtrail", secure=True)
        self.bucket = "trails-" + secrets.token_hex(6)
        prefix = options.get("S3KeyPrefix", "")
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=bucket_policy(self.bucket, prefix and prefix + "/"))
        self.made = self.cloudtrail.create_trail(Name=name, S3BucketName=self.bucket, **options)
        if logging:
            self.cloudtrail.start_logging(Name=name)

    def objects(self, kind: str) -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        return [key for key in keys if f"/{kind}/" in key]

    def logs(self) -> list[str]:
        return self.objects("CloudTrail")

    def digests(self) -> list[str]:
        return self.objects("CloudTrail-Digest")

    def content(self, key: str) -> dict:
        return json.loads(gzip.decompress(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()))

    def records(self) -> list[dict]:
        return [record for key in self.logs() for record in self.content(key)["Records"]]

    def wait_for(self, wanted, seconds: float = 30):
        """The first record for which `wanted` holds."""
        return wait(lambda: next((record for record in self.records() if wanted(record)), None), seconds)


def wait(until, seconds: float = 30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := until():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not come")
