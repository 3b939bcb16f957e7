"""A server with users of IAM that may do what a test says, a second account, and callers who do not sign."""

import json
import secrets
from pathlib import Path

import boto3
import botocore.config
from botocore import UNSIGNED

from strongroom import ACCOUNT, REGION, Server

OTHER_ACCOUNT = "999988887777"


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources, **more):
    """A statement of an identity policy."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources} | more


def deny(actions, resources, **more):
    return allow(actions, resources, **more) | {"Effect": "Deny"}


def of_everyone(statement):
    """The same in a resource's policy."""
    return statement | {"Principal": "*"}


def of(principal: str, statement):
    return statement | {"Principal": {"AWS": principal}}


class Person:
    """A user, its ARN and its clients."""

    def __init__(self, server: Server, name: str, arn: str, keys: tuple[str, str]):
        self.server, self.name, self.arn, self.keys = server, name, arn, keys
        self.s3 = self.client("s3")

    def client(self, service: str):
        return self.server.client(service, secure=True, credentials=self.keys)


class People:
    """The server, the root user's clients, and everybody that a test makes."""

    def __init__(self, folder: Path, *flags: str):
        self.other_keys = ("SROTHER" + secrets.token_hex(7).upper(), secrets.token_urlsafe(30))
        file = folder / "accounts.toml"
        file.touch(mode=0o600)
        file.write_text(
            f'[[account]]\nid = "{OTHER_ACCOUNT}"\n[[account.key]]\naccess_key_id = "{self.other_keys[0]}"\n'
            f'secret_access_key = "{self.other_keys[1]}"\n'
        )
        self.server = Server(folder, "--accounts", str(file), "--blocked-encryption-types", "NONE", *flags).start()
        self.s3 = self.server.client("s3", secure=True)
        self.iam = self.server.client("iam", secure=True)
        self.kms = self.server.client("kms", secure=True)
        self.other = Person(self.server, "root", f"arn:aws:iam::{OTHER_ACCOUNT}:root", self.other_keys)
        self.nobody = boto3.client(
            "s3",
            region_name=REGION,
            endpoint_url=self.server.https,
            verify=self.server.ca_bundle(),
            config=botocore.config.Config(signature_version=UNSIGNED, retries={"max_attempts": 1}),
        )

    def user(self, *statements, other: bool = False) -> Person:
        """A new user with one inline policy, or none."""
        iam = self.other.client("iam") if other else self.iam
        name = "user-" + secrets.token_hex(6)
        arn = iam.create_user(UserName=name)["User"]["Arn"]
        key = iam.create_access_key(UserName=name)["AccessKey"]
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        return Person(self.server, name, arn, (key["AccessKeyId"], key["SecretAccessKey"]))

    def bucket(self, *statements, public: bool = False) -> str:
        """A new bucket of the root user's with such a policy. `public`: without Block Public Access."""
        name = "bucket-" + secrets.token_hex(8)
        self.s3.create_bucket(Bucket=name)
        if public:
            self.s3.delete_public_access_block(Bucket=name)
        if statements:
            self.policy(name, *statements)
        return name

    def policy(self, bucket: str, *statements) -> None:
        """`BUCKET` in a statement is the bucket's ARN."""
        self.s3.put_bucket_policy(Bucket=bucket, Policy=document(*statements).replace("BUCKET", f"arn:aws:s3:::{bucket}"))


ROOT = f"arn:aws:iam::{ACCOUNT}:root"
