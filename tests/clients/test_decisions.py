"""No operation without a decision: every operation that the server has, called by those who may not.

The operations are read from the gateway's own tables, the requests are made from botocore's models. An operation that is new in a table is called as soon as it
is there; one whose request cannot be made so fails the test until a line below says how.
"""

import concurrent.futures
import datetime
import re

import botocore.session
import pytest
from botocore import UNSIGNED, xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from people import OTHER_ACCOUNT, People, allow, deny, document, of
from strongroom import ACCOUNT, REGION, ROOT

GATEWAY = ROOT / "crates/gateway/src"
DENIED = {"AccessDenied", "AccessDeniedException", "403"}


def rows(service: str) -> list[str]:
    """The operations of a table."""
    text = (GATEWAY / service / ("operation.rs" if service == "s3" else "operations.rs")).read_text()
    if service in ("iam", "sts"):
        found = re.findall(r"::(\w+)Request,", text.split("built![")[1].split("];")[0])
    else:
        lines = text.split("\noperations! {\n")[1].split("\n}\n")[0].splitlines()
        lines = [line for line in lines if not line.strip().startswith("//")]
        found = [re.split(r"[: ]", line.strip())[0] for line in lines if service != "s3" or line.endswith("Built;")]
    assert found == sorted(found) or service == "s3"
    return found


SERVICES = ("s3", "kms", "iam", "sts", "cloudtrail")
TABLE = [(service, operation) for service in SERVICES for operation in rows(service)]

# Operations that need no permission, and that none can take away.
FREE = {
    # "No permissions are required to perform this operation. If an administrator attaches a policy to your identity that explicitly denies access to
    # the sts:GetCallerIdentity action, you can still perform this operation." (STS API reference, GetCallerIdentity)
    ("sts", "GetCallerIdentity"),
    # "No permissions are required for users to perform this operation. [...] You cannot use policies to control authentication operations." (GetSessionToken)
    ("sts", "GetSessionToken"),
    # "Calling AssumeRoleWithWebIdentity does not require the use of AWS security credentials": the role's trust policy decides about the token.
    ("sts", "AssumeRoleWithWebIdentity"),
}

# What an operation needs besides, or instead of, the action of its name (KMS Developer Guide, "AWS KMS permissions"; API reference of STS, S3). Those of
# S3 are held, one by one, in test_s3_policies and test_authorization.
ACTIONS = {
    ("kms", "ReEncrypt"): ["kms:ReEncryptFrom", "kms:ReEncryptTo"],
    # The replica is a new key of the other Region.
    ("kms", "ReplicateKey"): ["kms:ReplicateKey", "kms:CreateKey"],
}


class World:
    """Something of every kind for requests to name."""

    def __init__(self, people: People):
        self.people = people
        iam, kms, s3 = people.iam, people.kms, people.s3
        metadata = kms.create_key()["KeyMetadata"]
        self.key = metadata["Arn"]
        self.blob = kms.encrypt(KeyId=self.key, Plaintext=b"text")["CiphertextBlob"]
        kms.create_alias(AliasName="alias/decisions", TargetKeyId=metadata["KeyId"])
        trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
        grantee = iam.create_role(RoleName="grantee", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.grant = kms.create_grant(KeyId=self.key, GranteePrincipal=grantee, Operations=["Decrypt"])["GrantId"]
        iam.create_user(UserName="target")
        iam.create_group(GroupName="target")
        iam.add_user_to_group(UserName="target", GroupName="target")
        self.role = iam.create_role(RoleName="target", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        text = document(allow("s3:GetObject", "*"))
        self.policy = iam.create_policy(PolicyName="target", PolicyDocument=text)["Policy"]["Arn"]
        self.access_key = iam.create_access_key(UserName="target")["AccessKey"]["AccessKeyId"]
        provider = iam.create_open_id_connect_provider(Url="https://decisions.example.com", ThumbprintList=["a" * 40])
        self.provider = provider["OpenIDConnectProviderArn"]
        self.device = iam.create_virtual_mfa_device(VirtualMFADeviceName="target")["VirtualMFADevice"]["SerialNumber"]
        for kind in ("user", "group", "role"):
            named = {f"{kind.capitalize()}Name": "target", "PolicyName": "inline"}
            getattr(iam, f"put_{kind}_policy")(**named, PolicyDocument=text)
        self.bucket = people.bucket()
        s3.put_object(Bucket=self.bucket, Key="key", Body=b"body")
        self.upload = s3.create_multipart_upload(Bucket=self.bucket, Key="key")["UploadId"]
        self.trail = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/decisions"

    def named(self, service: str, operation: str) -> dict:
        """Members by their names."""
        text = document(allow("s3:GetObject", "*"))
        trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
        match service:
            case "kms":
                return {
                    **dict.fromkeys(("KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"), self.key),
                    "AliasName": "alias/new" if operation == "CreateAlias" else "alias/decisions",
                    "CiphertextBlob": self.blob,
                    "CustomKeyStoreId": "cks-1234567890abcdef0",
                    "GrantId": self.grant,
                    **dict.fromkeys(("GranteePrincipal", "RetiringPrincipal"), f"arn:aws:iam::{ACCOUNT}:role/grantee"),
                    "Policy": document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "kms:*", "Resource": "*"}),
                    "ReplicaRegion": "eu-west-1",
                    "PrimaryRegion": "eu-west-1",
                }
            case "iam":
                return {
                    **dict.fromkeys(("UserName", "RoleName", "GroupName"), "target" if operation[:6] != "Create" or operation == "CreateAccessKey" else "new"),
                    "PolicyName": "new" if operation == "CreatePolicy" else "inline",
                    "PolicyDocument": trust if operation == "UpdateAssumeRolePolicy" else text,
                    "AssumeRolePolicyDocument": trust,
                    **dict.fromkeys(("PolicyArn", "PermissionsBoundary"), self.policy),
                    "PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/target",
                    "AccessKeyId": self.access_key,
                    "OpenIDConnectProviderArn": self.provider,
                    "SerialNumber": self.device,
                    "VersionId": "v1",
                    "Url": "https://other.example.com",
                    "ThumbprintList": ["b" * 40],
                    "ActionNames": ["s3:GetObject"],
                    "PolicyInputList": [text],
                    **dict.fromkeys(("AuthenticationCode1", "AuthenticationCode2"), "123456"),
                    "AccountAlias": "decisions",
                    "VirtualMFADeviceName": "new",
                }
            case "sts":
                return {
                    "RoleArn": self.role,
                    "AccessKeyId": self.access_key,
                    "EncodedMessage": "text",
                    "WebIdentityToken": "text",
                    **dict.fromkeys(("Name", "RoleSessionName"), "name"),
                }
            case "cloudtrail":
                return {
                    **dict.fromkeys(("Name", "TrailName", "ResourceId"), self.trail),
                    "ResourceIdList": [self.trail],
                    "S3BucketName": self.bucket,
                } | ({"Name": "decisions"} if operation == "CreateTrail" else {})
            case "s3":
                tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
                block = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
                rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                return {
                    "Bucket": self.bucket + "-new" if operation == "CreateBucket" else self.bucket,
                    "Key": "key",
                    "UploadId": self.upload,
                    "CopySource": f"{self.bucket}/key",
                    "Tagging": tags,
                    "PublicAccessBlockConfiguration": block,
                    "ServerSideEncryptionConfiguration": {"Rules": [rule]},
                    "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                    "Policy": document(allow("s3:GetObject", f"arn:aws:s3:::{self.bucket}/*", Principal={"AWS": ACCOUNT})),
                    "ObjectAttributes": ["ETag"],
                    "Delete": {"Objects": [{"Key": "key"}]},
                    "PartNumber": 1,
                }
        raise ValueError(service)


# Members besides those that the model requires.
MORE = {
    ("kms", "CreateGrant"): ("GranteePrincipal",),
    ("kms", "Decrypt"): ("CiphertextBlob",),
    ("kms", "ListRetirableGrants"): ("RetiringPrincipal",),
    ("kms", "ReEncrypt"): ("CiphertextBlob",),
    ("kms", "RetireGrant"): ("KeyId", "GrantId"),
    ("iam", "DeactivateMFADevice"): ("UserName",),
    ("iam", "GetUser"): ("UserName",),
    ("iam", "UpdateAccessKey"): ("UserName",),
    ("iam", "ListAccessKeys"): ("UserName",),
    ("iam", "CreateAccessKey"): ("UserName",),
    ("iam", "DeleteAccessKey"): ("UserName",),
    ("iam", "ListMFADevices"): ("UserName",),
}
EXTRA = {
    ("s3", "PutBucketAcl"): {"ACL": "private"},
    ("s3", "PutObjectAcl"): {"ACL": "bucket-owner-full-control"},
    ("s3", "CompleteMultipartUpload"): {"MultipartUpload": {"Parts": [{"PartNumber": 1, "ETag": "0" * 32}]}},
    ("kms", "ImportKeyMaterial"): {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
    ("kms", "GenerateDataKey"): {"KeySpec": "AES_256"},
    ("kms", "GenerateDataKeyWithoutPlaintext"): {"KeySpec": "AES_256"},
    ("kms", "GenerateRandom"): {"NumberOfBytes": 1},
    ("kms", "CreateCustomKeyStore"): {"CloudHsmClusterId": "cluster-abcdefghijk", "TrustAnchorCertificate": "x", "KeyStorePassword": "password"},
    ("cloudtrail", "PutEventSelectors"): {"EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": True}]},
}


def value(shape):
    """A value that keeps the model's constraints, as far as it states them."""
    match shape.type_name:
        case "structure":
            return {name: value(shape.members[name]) for name in shape.required_members}
        case "list":
            return [value(shape.member)]
        case "map":
            return {"name": "value"}
        case "blob":
            return b"x" * max(shape.metadata.get("min", 1), 1)
        case "integer" | "long":
            return max(shape.metadata.get("min", 1), 1)
        case "boolean":
            return True
        case "timestamp":
            return datetime.datetime(2030, 1, 1)
        case "string":
            return shape.enum[0] if shape.enum else "a" * max(shape.metadata.get("min", 1), 1)
    raise ValueError(shape)


MODELS = {service: botocore.session.get_session().get_service_model(service) for service in SERVICES}


def request(world: World, service: str, operation: str) -> dict:
    shape = MODELS[service].operation_model(operation).input_shape
    named = world.named(service, operation)
    made = EXTRA.get((service, operation), {})
    if shape is None:
        return made
    wanted = [*shape.required_members, *MORE.get((service, operation), ())]
    return {name: named[name] if name in named else value(shape.members[name]) for name in wanted} | made


def answer(client, operation: str, arguments: dict) -> tuple[str, str]:
    try:
        got = getattr(client, xform_name(operation))(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    # What DeleteObjects may not delete it tells one by one.
    for failed in got.get("Errors", []) if operation == "DeleteObjects" else []:
        return failed["Code"], failed["Message"]
    return "", ""


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("decisions"), "--regions", "eu-west-1")
    bundle = people.server.ca_bundle()
    people.server.ca_bundle = lambda: bundle
    yield people
    people.server.stop()


@pytest.fixture(scope="module")
def world(people):
    return World(people)


def clients(people, person) -> dict:
    return {service: people.server.client(service, True, person.keys, config=Config(parameter_validation=False, max_pool_connections=16)) for service in SERVICES}


def ask_all(world, of, operations=TABLE) -> dict[tuple[str, str], tuple[str, str]]:
    """Every operation, at once."""
    with concurrent.futures.ThreadPoolExecutor(6) as threads:
        made = {(service, operation): request(world, service, operation) for service, operation in operations}
        answers = threads.map(lambda one: answer(of[one[0][0]], one[0][1], one[1]), made.items())
        return dict(zip(made, answers))


def test_the_tables_are_read():
    counts = {service: len(rows(service)) for service in SERVICES}
    assert counts["kms"] >= 56 and counts["iam"] >= 97 and counts["sts"] >= 7 and counts["cloudtrail"] >= 16 and counts["s3"] >= 45, counts
    for service, operation in TABLE:
        MODELS[service].operation_model(operation)


def test_whoever_may_do_nothing_is_refused_everything(people, world):
    answers = ask_all(world, clients(people, people.user()))
    let_in = {row for row, (code, _) in answers.items() if code not in DENIED}
    assert let_in == FREE, {row: answers[row] for row in let_in ^ FREE}


@pytest.mark.parametrize("actions", ["*", [f"{service}:*" for service in SERVICES]], ids=["everything", "by service"])
def test_an_explicit_deny_denies_everything(people, world, actions):
    answers = ask_all(world, clients(people, people.user(allow("*", "*"), deny(actions, "*"))))
    let_in = {row for row, (code, _) in answers.items() if code not in DENIED}
    assert let_in == FREE, {row: answers[row] for row in let_in ^ FREE}
    # A key's policy may have a say of its own; the reason of the others is the statement that denies.
    reasons = {row: message for row, (code, message) in answers.items() if code in DENIED and code != "403" and row not in FREE}
    odd = {row: message for row, message in reasons.items() if "explicit deny" not in message}
    assert {row for row in odd} <= {("kms", "Decrypt"), ("kms", "ReEncrypt"), ("kms", "RetireGrant")}, odd


def test_whoever_does_not_sign_is_refused_everything(people, world):
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 1}, parameter_validation=False)
    nobody = {}
    for service in SERVICES:
        session = botocore.session.get_session()
        nobody[service] = session.create_client(
            service, region_name=REGION, endpoint_url=people.server.https, verify=people.server.ca_bundle(), config=config
        )
    answers = ask_all(world, nobody)
    refusals = DENIED | {"MissingAuthenticationToken", "MissingAuthenticationTokenException"}
    let_in = {row for row, (code, _) in answers.items() if code not in refusals}
    assert let_in == {("sts", "AssumeRoleWithWebIdentity")}, {row: answers[row] for row in let_in}


def test_another_accounts_administrator_reaches_nothing(people, world):
    """Every operation with this account's ARNs and names, by the root user of another account where things have the same names."""
    iam = people.other.client("iam")
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    iam.create_user(UserName="target")
    iam.create_group(GroupName="target")
    iam.create_role(RoleName="target", AssumeRolePolicyDocument=trust)
    before = people.iam.get_account_authorization_details(), people.iam.get_access_key_last_used(AccessKeyId=world.access_key)["UserName"]
    foreign = {world.key, world.blob, world.policy, world.provider, world.device, world.trail, world.role, world.access_key, world.bucket}
    foreign |= {f"{world.bucket}/key", f"arn:aws:iam::{ACCOUNT}:user/target"}
    named = [row for row in TABLE if any(isinstance(one, (str, bytes)) and one in foreign for one in request(world, *row).values())]
    assert len(named) > 120
    answers = ask_all(world, clients(people, people.other), named)
    after = people.iam.get_account_authorization_details(), people.iam.get_access_key_last_used(AccessKeyId=world.access_key)["UserName"]
    for answer in (*before[:1], *after[:1]):
        answer.pop("ResponseMetadata")
    assert before == after
    done = {f"{service} {operation}" for (service, operation), (code, _) in answers.items() if not code}
    assert done == AT_HOME, (done - AT_HOME, AT_HOME - done)


# "This operation does not indicate the state of the access key": whose account it is of is all that it tells (STS API reference, GetAccessKeyInfo).
AT_HOME = {"sts GetAccessKeyInfo"}


def test_operations_of_kms_across_accounts(people, world):
    """A key's policy that lets another account do everything lets it do what is documented as "Cross-account use: Yes"."""
    text = document(of(f"arn:aws:iam::{ACCOUNT}:root", allow("kms:*", "*")), of(people.other.arn, allow("kms:*", "*")))
    people.kms.put_key_policy(KeyId=world.key, Policy=text)
    stranger, wrong = clients(people, people.user(allow("*", "*"), other=True)), {}
    for operation in rows("kms"):
        said = re.search(r"Cross-account use</b>: (Yes|No)", MODELS["kms"].operation_model(operation).documentation)
        arguments = request(world, "kms", operation)
        # "Permission to retire a grant is determined primarily by the grant": who it names, and the account where it was made.
        if world.key not in arguments.values() or operation == "RetireGrant":
            continue
        code, message = answer(stranger["kms"], operation, arguments)
        if (code in DENIED) != (said is None or said[1] != "Yes"):
            wrong[operation] = said and said[1], code, message
    grantee = f"arn:aws:iam::{ACCOUNT}:role/grantee"
    world.grant = people.kms.create_grant(KeyId=world.key, GranteePrincipal=grantee, Operations=["Decrypt"])["GrantId"]
    assert not wrong, wrong


def test_each_operation_asks_for_the_action_of_its_name(people, world):
    """With it alone somebody is let in, with everything but it refused. What then becomes of the request does not matter; this is the last test, as some of
    what the others name is gone then."""
    table = [row for row in TABLE if row not in FREE and row[0] != "s3"]
    one, other = people.user(), people.user()
    lone, lacking = clients(people, one), clients(people, other)
    wrong = {}
    for service, operation in table:
        actions = ACTIONS.get((service, operation), [f"{service}:{operation}"])
        arguments = request(world, service, operation)
        people.iam.put_user_policy(UserName=other.name, PolicyName="own", PolicyDocument=document(allow("*", "*"), deny(actions[0], "*")))
        code, message = answer(lacking[service], operation, arguments)
        if code not in DENIED:
            wrong[service, operation, "without"] = code, message
        people.iam.put_user_policy(UserName=one.name, PolicyName="own", PolicyDocument=document(allow(actions, "*")))
        code, message = answer(lone[service], operation, arguments)
        if code in DENIED:
            wrong[service, operation, "with"] = code, message
    assert not wrong, wrong
