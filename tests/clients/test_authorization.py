"""Who may do what: tables written from AWS's documents (`authorization`), held against the server cell by cell."""

import concurrent.futures
import time

import pytest
from botocore.exceptions import ClientError

from authorization import accounts, buckets, encryption, grants, identities, keys, trust
from authorization import cast as cast_module
from authorization.cast import Cast, role
from authorization.table import CODES, DENIED, REASONS, Cell, read
from people import OTHER_ACCOUNT, document
from strongroom import ACCOUNT

THREADS = 6


@pytest.fixture(scope="module")
def cast(tmp_path_factory):
    cast = Cast(tmp_path_factory.mktemp("authorization"))
    yield cast
    cast.server.stop()


def differs(cell: Cell, call, also_allowed=()) -> str | None:
    """What the server answers, if it is not what the cell says. `also_allowed` are the errors of whoever was let in."""
    code = message = ""
    try:
        call()
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    answer = f"{code or 'success'}: {message}"
    if cell.allowed:
        return None if not code or code in also_allowed else answer
    if code not in CODES.get(cell.mark, DENIED):
        return answer
    # Other accounts and HEAD learn no reason.
    told = cell.column[0] != "x" and cell.column != "anon" and code != "403"
    return answer if told and not any(reason in message for reason in REASONS[cell.mark]) else None


def hold(cells: list[tuple[Cell, str, object, tuple]]) -> None:
    """Makes every call, many at once, and tells of all that were answered otherwise than the table says."""
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda one: differs(one[0], one[2], one[3]), cells))
    wrong = [
        f"{cell.table} | {operation} | {cell.row} | {cell.column}: {cell.mark}, but {answer}"
        for (cell, operation, _, _), answer in zip(cells, answers)
        if answer
    ]
    print(f"{len({id(cell) for cell, *_ in cells})} cells, {len(cells)} requests in {time.monotonic() - started:.1f} s")
    assert not wrong, f"{len(wrong)} of {len(cells)}:\n" + "\n".join(wrong[:400])


# Bucket policies.


def bucket_arguments(operation: str, bucket: str, column: str) -> dict:
    own = {"Bucket": bucket, "Key": f"{operation}-{column}"}
    kept = {"Bucket": bucket, "Key": "key"}
    return {
        "get_object": kept,
        "head_object": kept,
        "list_objects_v2": {"Bucket": bucket},
        "get_object_tagging": kept,
        "get_bucket_encryption": {"Bucket": bucket},
        "put_object": own | {"Body": b"body"},
        "delete_object": own,
        "put_object_tagging": kept | {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}},
        "create_multipart_upload": own,
        "get_bucket_policy": {"Bucket": bucket},
    }[operation]


def of_bucket(bucket: str, statements) -> str:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return document(*(statement | {"Action": "s3:*", "Resource": resources} for statement in statements))


@pytest.fixture(scope="module")
def policed_buckets(cast):
    """A bucket with an object for each policy."""
    s3, named = cast.client("root", "s3"), {}
    for number, (row, statements) in enumerate(buckets.POLICIES.items()):
        named[row] = f"authorization-{number}"
        s3.create_bucket(Bucket=named[row])
        s3.put_object(Bucket=named[row], Key="key", Body=b"body")
        if statements:
            s3.put_bucket_policy(Bucket=named[row], Policy=of_bucket(named[row], statements))
    return named


@pytest.mark.parametrize("table", buckets.OPERATIONS)
def test_bucket_policies(cast, policed_buckets, table):
    calls = []
    for cell in read(table, getattr(buckets, table)):
        bucket = policed_buckets[cell.row]
        client = cast.client(cell.column, "s3", secure=not cell.row.endswith("by http"))
        for operation in buckets.OPERATIONS[table]:
            arguments = bucket_arguments(operation, bucket, cell.column)
            call = lambda client=client, operation=operation, arguments=arguments: getattr(client, operation)(**arguments)  # noqa: E731
            calls.append((cell, operation, call, ("NoSuchBucketPolicy",)))
    hold(calls)


# Key policies.


def of_key(statements) -> str:
    return document(*(statement | {"Action": "kms:*", "Resource": "*"} for statement in statements))


@pytest.fixture(scope="module")
def policed_keys(cast):
    """For each policy a key with a ciphertext, and a key that waits for its deletion."""
    kms, made = cast.client("root", "kms"), {}
    for row, statements in keys.POLICIES.items():
        key, doomed = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
        blob = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
        kms.schedule_key_deletion(KeyId=doomed, PendingWindowInDays=7)
        policy = of_key(statements)
        for one in (key, doomed):
            kms.put_key_policy(KeyId=one, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
        made[row] = key, doomed, blob, policy
    return made


def key_calls(kms, key: str, doomed: str, blob: bytes, policy: str) -> dict:
    grantee = role("nobody")
    return {
        "READ": [
            ("DescribeKey", lambda: kms.describe_key(KeyId=key)),
            ("Decrypt", lambda: kms.decrypt(CiphertextBlob=blob, KeyId=key)),
        ],
        "USE": [
            ("Encrypt", lambda: kms.encrypt(KeyId=key, Plaintext=b"text")),
            ("GenerateDataKey", lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256")),
            ("CreateGrant", lambda: kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["Decrypt"])),
        ],
        "MANAGE": [
            ("PutKeyPolicy", lambda: kms.put_key_policy(KeyId=key, Policy=policy, BypassPolicyLockoutSafetyCheck=True)),
            # Who is allowed is told that it waits already.
            ("ScheduleKeyDeletion", lambda: kms.schedule_key_deletion(KeyId=doomed)),
            ("UpdateKeyDescription", lambda: kms.update_key_description(KeyId=key, Description="text")),
        ],
    }


@pytest.mark.parametrize("table", ["READ", "USE", "MANAGE"])
def test_key_policies(cast, policed_keys, table):
    calls = []
    for cell in read(table, getattr(keys, table)):
        kms = cast.client(cell.column, "kms")
        for operation, call in key_calls(kms, *policed_keys[cell.row])[table]:
            calls.append((cell, operation, call, ("KMSInvalidStateException",)))
    hold(calls)


# Trust policies.


@pytest.fixture(scope="module")
def policed_roles(cast):
    iam = cast.client("root", "iam")
    made = {}
    for number, (row, statements) in enumerate(trust.POLICIES.items()):
        policy = document(*(statement | {"Action": "sts:AssumeRole"} for statement in statements))
        made[row] = iam.create_role(RoleName=f"trust-{number}", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    return made


def test_trust_policies(cast, policed_roles):
    calls = []
    for cell in read("ASSUME_ROLE", trust.ASSUME_ROLE):
        arguments = {"RoleArn": policed_roles[cell.row], "RoleSessionName": "session"}
        if cell.row == "external id, given":
            arguments["ExternalId"] = "secret"
        sts = cast.client(cell.column, "sts")
        calls.append((cell, "AssumeRole", lambda sts=sts, arguments=arguments: sts.assume_role(**arguments), ()))
    hold(calls)


# What has no policy of its own.

# What the operations are called with, and the errors of those who were let in.
ARGUMENTS = {
    "create_bucket": ({"Bucket": "authorization-0"}, ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")),
    "generate_random": ({"NumberOfBytes": 1}, ()),
    "create_trail": ({"Name": "trail", "S3BucketName": "there-is-no-such-bucket"}, ("S3BucketDoesNotExistException",)),
    "stop_logging": ({"Name": "no-such-trail"}, ("TrailNotFoundException",)),
    "get_role": ({"RoleName": "no-such"}, ("NoSuchEntity",)),
    "create_user": ({"UserName": "authorization-user"}, ("EntityAlreadyExists",)),
    "delete_user": ({"UserName": "no-such"}, ("NoSuchEntity",)),
    "put_user_policy": ({"UserName": "no-such", "PolicyName": "a", "PolicyDocument": document()}, ("NoSuchEntity", "MalformedPolicyDocument")),
    "attach_role_policy": ({"RoleName": "no-such", "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, ("NoSuchEntity",)),
    "update_assume_role_policy": ({"RoleName": "no-such", "PolicyDocument": "{}"}, ("NoSuchEntity", "MalformedPolicyDocument")),
    "simulate_principal_policy": ({"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/no-such", "ActionNames": ["s3:GetObject"]}, ("NoSuchEntity", "InvalidInput")),
    "get_federation_token": ({"Name": "name"}, ()),
    "get_access_key_info": ({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}, ("ValidationError",)),
    "decode_authorization_message": ({"EncodedMessage": "text"}, ("InvalidAuthorizationMessageException",)),
}


def test_what_lies_in_the_callers_account(cast, policed_buckets):
    calls = []
    for cell in read("OWN", accounts.OWN):
        service, operation = cell.row.split()
        arguments, errors = ARGUMENTS.get(operation, ({}, ()))
        client = cast.client(cell.column, service)
        calls.append((cell, operation, lambda client=client, operation=operation, arguments=arguments: getattr(client, operation)(**arguments), errors))
    hold(calls)


# Users with policies of their own.


def statement(action, resource, condition=None) -> dict:
    """`!` denies, `~` is NotAction."""
    sign = action[0] if isinstance(action, str) and action[0] in "!~" else ""
    bare = action.removeprefix(sign) if sign else action
    made = {"Effect": "Deny" if sign == "!" else "Allow", "NotAction" if sign == "~" else "Action": bare, "Resource": resource}
    return made | ({"Condition": condition} if condition else {})


def make_user(cast, name: str, policy: str) -> None:
    iam = cast.client("root", "iam")
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    cast.credentials[name] = key["AccessKeyId"], key["SecretAccessKey"]


# What each operation of S3 needs.


class Granted:
    """The calls of `grants.OPERATIONS` by somebody on a bucket."""

    def __init__(self, s3, bucket: str, upload: str, policy: str):
        self.s3, self.bucket, self.upload, self.policy = s3, bucket, upload, policy

    def __call__(self, row: str):
        s3, bucket = self.s3, {"Bucket": self.bucket}
        named, own = bucket | {"Key": "pub/a"}, bucket | {"Key": "pub/own"}
        part = bucket | {"Key": "pub/upload", "UploadId": self.upload}
        copy, tags = {"CopySource": f"{self.bucket}/pub/a"}, {"Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}
        block = {name: False for name in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        sse = {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}
        operation, _, what = row.partition(" ")
        match operation:
            case "GetObject" | "HeadObject":
                more = named | {"VersionId": "null"} if what == "version" else bucket | {"Key": what}
                return getattr(s3, {"G": "get_object", "H": "head_object"}[operation[0]])(**more)
            case "GetObjectAttributes":
                return s3.get_object_attributes(**named, ObjectAttributes=["ETag"])
            case "GetObjectAcl":
                return s3.get_object_acl(**named)
            case "PutObject":
                return s3.put_object(**own, Body=b"body", **({"Tagging": "a=b"} if what else {}))
            case "CopyObject":
                return s3.copy_object(**own, **copy)
            case "DeleteObject":
                return s3.delete_object(**own, **({"VersionId": "null"} if what else {}))
            case "ListObjectsV2":
                return s3.list_objects_v2(**bucket, **({"Prefix": what} if what else {}))
            case "ListObjects":
                return s3.list_objects(**bucket)
            case "ListObjectVersions":
                return s3.list_object_versions(**bucket)
            case "HeadBucket":
                return s3.head_bucket(**bucket)
            case "CreateMultipartUpload":
                return s3.create_multipart_upload(**own)
            case "UploadPart":
                return s3.upload_part(**part, PartNumber=1, Body=b"part")
            case "UploadPartCopy":
                return s3.upload_part_copy(**part, PartNumber=2, **copy)
            case "CompleteMultipart":
                parts = {"Parts": [{"PartNumber": 9, "ETag": "0" * 32}]}
                return s3.complete_multipart_upload(**part, MultipartUpload=parts)
            case "AbortMultipartUpload":
                return s3.abort_multipart_upload(**part | {"UploadId": self.upload[:-4] + "AAAA"})
            case "ListParts":
                return s3.list_parts(**part)
            case "ListMultipartUploads":
                return s3.list_multipart_uploads(**bucket)
            case "GetObjectTagging":
                return s3.get_object_tagging(**named)
            case "PutObjectTagging":
                return s3.put_object_tagging(**bucket, Key="sec/a", **tags)
            case "DeleteObjectTagging":
                return s3.delete_object_tagging(**bucket, Key="sec/a")
            case "GetBucketLocation":
                return s3.get_bucket_location(**bucket)
            case "GetBucketVersioning":
                return s3.get_bucket_versioning(**bucket)
            case "GetBucketAcl":
                return s3.get_bucket_acl(**bucket)
            case "GetBucketTagging":
                return s3.get_bucket_tagging(**bucket)
            case "PutBucketTagging":
                return s3.put_bucket_tagging(**bucket, **tags)
            case "GetBucketEncryption":
                return s3.get_bucket_encryption(**bucket)
            case "PutBucketEncryption":
                return s3.put_bucket_encryption(**bucket, **sse)
            case "GetPublicAccessBlock":
                return s3.get_public_access_block(**bucket)
            case "PutPublicAccessBlock":
                return s3.put_public_access_block(**bucket, PublicAccessBlockConfiguration=block)
            case "GetBucketPolicy":
                return s3.get_bucket_policy(**bucket)
            case "PutBucketPolicy":
                return s3.put_bucket_policy(**bucket, Policy=self.policy)
            case "DeleteBucketPolicy":
                return s3.delete_bucket_policy(**bucket)
        raise ValueError(row)


# Told to whoever was let in.
GRANTED = ("NoSuchKey", "404", "NoSuchTagSet", "NoSuchUpload", "InvalidPart", "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration")


@pytest.mark.parametrize("way", ["identity", "bucket", "across"])
def test_what_each_operation_of_s3_needs(cast, way):
    marks = {"identity": {"+": "I", "-": ".", "p": "I"}, "bucket": {"+": "R", "-": ".", "p": "R"}, "across": {"+": "B", "-": "c", "p": "m"}}[way]
    root, able = cast.client("root", "s3"), {}
    for column, granted in grants.GRANTS.items():
        bucket = f"grants-{way}-{column}"
        root.create_bucket(Bucket=bucket)
        for key in ("pub/a", "sec/a"):
            root.put_object(Bucket=bucket, Key=key, Body=b"body")
        upload = root.create_multipart_upload(Bucket=bucket, Key="pub/upload")["UploadId"]
        statements = [statement(*one) for one in granted]
        who = {"identity": f"grants-{column}", "bucket": "bare", "across": "xallow"}[way]
        arn = cast_module.user(who, OTHER_ACCOUNT if way == "across" else ACCOUNT)
        named = document(*(one | {"Principal": {"AWS": arn}} for one in statements)).replace('"B', f'"arn:aws:s3:::{bucket}')
        if way == "identity":
            make_user(cast, who, document(*statements).replace('"B', f'"arn:aws:s3:::{bucket}'))
            own = document({"Effect": "Allow", "Principal": {"AWS": cast_module.ROOT}, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
        else:
            root.put_bucket_policy(Bucket=bucket, Policy=named)
            own = named
        able[column] = Granted(cast.client(who, "s3"), bucket, upload, own)
    calls = []
    for cell in read("GRANTS " + way, grants.OPERATIONS, marks):
        calls.append((cell, cell.row, lambda cell=cell: able[cell.column](cell.row), GRANTED))
    # The policy is taken away at last.
    hold([call for call in calls if call[1] != "DeleteBucketPolicy"])
    hold([call for call in calls if call[1] == "DeleteBucketPolicy"])


# SSE-KMS.


@pytest.fixture(scope="module")
def encrypted(cast):
    """Buckets whose objects lie under a key, and the key's ARN."""
    s3, kms = cast.client("root", "s3"), cast.client("root", "kms")
    key, other = (kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    for name, with_bucket_key in (("encryption-key", False), ("encryption-bucket-key", True)):
        s3.create_bucket(Bucket=name)
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": with_bucket_key}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_object(Bucket=name, Key="key", Body=b"body", ChecksumAlgorithm="CRC32")
    s3.create_bucket(Bucket="encryption-none")
    upload = s3.create_multipart_upload(Bucket="encryption-key", Key="upload", ChecksumAlgorithm="CRC32")["UploadId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"text")["CiphertextBlob"]
    return key, other, upload, blob


def encryption_call(cast, who: str, row: str, encrypted):
    key, _, upload, blob = encrypted
    s3 = cast.client(who, "s3")
    kms = cast.client(who, "kms") if row.startswith("KMS") else None
    bucket = "encryption-bucket-key" if row.endswith("bucket key") else "encryption-key"
    here, own = {"Bucket": bucket, "Key": "key"}, {"Bucket": bucket, "Key": f"own-{who}"}
    calls = {
        "GetObject": lambda: s3.get_object(**here),
        "HeadObject": lambda: s3.head_object(**here),
        "HeadObject checksum": lambda: s3.head_object(**here, ChecksumMode="ENABLED"),
        "ListParts": lambda: s3.list_parts(Bucket=bucket, Key="upload", UploadId=upload),
        # Who is let in is told that there is no such part.
        "Complete checksum": lambda: s3.complete_multipart_upload(
            Bucket=bucket, Key="upload", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 9, "ETag": "0" * 32, "ChecksumCRC32": "AAAAAA=="}]}
        ),
        "CopyObject": lambda: s3.copy_object(**own, CopySource=f"{bucket}/key"),
        "CreateMultipart": lambda: s3.create_multipart_upload(**own),
        "UploadPart": lambda: s3.upload_part(
            Bucket=bucket, Key="upload", UploadId=upload, PartNumber=1, Body=b"part", ChecksumAlgorithm="CRC32"
        ),
        "DeleteObject": lambda: s3.delete_object(**own),
        "GetObjectTagging": lambda: s3.get_object_tagging(**here),
        "PutObject": lambda: s3.put_object(**own, Body=b"body"),
        "PutObject, SSE-S3 asked": lambda: s3.put_object(**own, Body=b"body", ServerSideEncryption="AES256"),
        "PutObject, named key": lambda: s3.put_object(
            Bucket="encryption-none", Key=f"own-{who}", Body=b"body", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
        ),
        "KMS Decrypt": lambda: kms.decrypt(CiphertextBlob=blob, KeyId=key),
        "KMS GenerateDataKey": lambda: kms.generate_data_key(KeyId=key, KeySpec="AES_256"),
    }
    return calls.get(row) or calls[row.split(",")[0]]


def test_buckets_and_keys_by_identity_policies(cast, encrypted):
    for column, statements in encryption.POLICIES.items():
        text = document(*(statement(*one) for one in statements)).replace('"KEY"', f'"{encrypted[0]}"').replace('"OTHER"', f'"{encrypted[1]}"')
        make_user(cast, f"encryption-{column}", text)
    calls = []
    for cell in read("IDENTITIES", encryption.IDENTITIES):
        calls.append((cell, cell.row, encryption_call(cast, f"encryption-{cell.column}", cell.row, encrypted), ("InvalidPart",)))
    hold(calls)


def test_buckets_and_keys_by_their_own_policies(cast):
    s3, kms = cast.client("root", "s3"), cast.client("root", "kms")
    users = [cast_module.user("bare"), cast_module.user("xallow", OTHER_ACCOUNT), cast_module.user("xbare", OTHER_ACCOUNT)]
    named = {"Effect": "Allow", "Principal": {"AWS": [*users, cast_module.session("idle")]}}
    able = {}
    for row in ("bucket", "key", "bucket and key"):
        name = "resources-" + row.replace(" ", "-")
        key = kms.create_key()["KeyMetadata"]["Arn"]
        s3.create_bucket(Bucket=name)
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_object(Bucket=name, Key="key", Body=b"body")
        if "bucket" in row:
            anybody = {"Effect": "Allow", "Principal": "*"}
            s3.put_bucket_policy(Bucket=name, Policy=of_bucket(name, [named, anybody]))
        if "key" in row:
            policy = of_key([named])
        else:
            policy = of_key([{"Effect": "Allow", "Principal": {"AWS": role("nobody-else")}}])
        kms.put_key_policy(KeyId=key, Policy=policy, BypassPolicyLockoutSafetyCheck=True)
        able[row] = name
    calls = []
    for cell in read("RESOURCES", encryption.RESOURCES):
        operation, _, what = cell.row.partition(", ")
        s3, bucket = cast.client(cell.column, "s3"), able[what]
        calls.append(
            (
                cell,
                operation,
                (lambda s3=s3, bucket=bucket: s3.get_object(Bucket=bucket, Key="key"))
                if operation == "GetObject"
                else (lambda s3=s3, bucket=bucket, who=cell.column: s3.put_object(Bucket=bucket, Key=who, Body=b"body")),
                (),
            )
        )
    hold(calls)


# IAM.


def identity_call(cast, column: str, row: str):
    iam, name = cast.client(f"iam-{column}", "iam"), f"iam-{column}"
    trust_policy = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    text, own = document(statement("s3:GetObject", "*")), f"arn:aws:iam::{ACCOUNT}:policy/iam-own"
    operation, _, what = row.partition(" ")
    tags = {
        "team=red": [{"Key": "team", "Value": "red"}],
        "team=blue": [{"Key": "team", "Value": "blue"}],
        "team=red and more": [{"Key": "team", "Value": "red"}, {"Key": "more", "Value": "x"}],
    }
    match operation:
        case "GetUser":
            return lambda: iam.get_user(UserName=name if what == "self" else what)
        case "GetUser,":
            return iam.get_user
        case "ListUsers":
            return iam.list_users
        case "CreateUser":
            new = {"UserName": f"new-{what.replace(' ', '-').replace('/', '').replace('=', '-')}"}
            if what.startswith("in "):
                new["Path"] = what.removeprefix("in ")
            elif what.startswith("with boundary "):
                new["PermissionsBoundary"] = f"arn:aws:iam::{ACCOUNT}:policy/{what.split()[-1]}"
            else:
                new["Tags"] = tags[what]
            return lambda: iam.create_user(**new)
        case "UpdateUser":
            return lambda: iam.update_user(UserName=what.split()[0], NewPath=what.split()[-1])
        case "PutUserPolicy":
            return lambda: iam.put_user_policy(UserName=what, PolicyName="put", PolicyDocument=text)
        case "AttachUserPolicy":
            policy = identities.READ_ONLY if what.startswith("read") else identities.ADMINISTRATOR
            return lambda: iam.attach_user_policy(UserName=what.split()[-1], PolicyArn=policy)
        case "PutUserPermissionsBoundary":
            return lambda: iam.put_user_permissions_boundary(UserName=what, PermissionsBoundary=identities.BOUNDARY)
        case "TagUser":
            return lambda: iam.tag_user(UserName=f"paint-{column}", Tags=tags[what.removeprefix("paint ")])
        case "CreateAccessKey":
            return lambda: iam.create_access_key(UserName=name)
        case "ListAccessKeys":
            return lambda: iam.list_access_keys(UserName=name)
        case "ListAccessKeys,":
            return iam.list_access_keys
        case "GetRole":
            return lambda: iam.get_role(RoleName="iam-role")
        case "CreateRole":
            return lambda: iam.create_role(RoleName="iam-new", AssumeRolePolicyDocument=trust_policy)
        case "UpdateAssumeRolePolicy":
            return lambda: iam.update_assume_role_policy(RoleName="iam-role", PolicyDocument=trust_policy)
        case "PutRolePolicy":
            return lambda: iam.put_role_policy(RoleName="iam-role", PolicyName="put", PolicyDocument=text)
        case "GetPolicy":
            return lambda: iam.get_policy(PolicyArn=own)
        case "CreatePolicyVersion":
            return lambda: iam.create_policy_version(PolicyArn=own, PolicyDocument=text)
        case "ListEntitiesForPolicy":
            return lambda: iam.list_entities_for_policy(PolicyArn=own)
        case "GetGroup":
            return lambda: iam.get_group(GroupName="group")
        case "AddUserToGroup":
            return lambda: iam.add_user_to_group(GroupName="iam-group", UserName="dev")
        case "GetAccountSummary":
            return iam.get_account_summary
        case "SimulateCustomPolicy":
            return lambda: iam.simulate_custom_policy(PolicyInputList=[text], ActionNames=["s3:GetObject"])
    raise ValueError(row)


def test_paths_and_tags_of_iam(cast):
    root = cast.client("root", "iam")
    for name, path, tags in (("dev", "/dev/", []), ("ops", "/ops/", []), ("red", "/", cast_module.RED)):
        root.create_user(UserName=name, Path=path, Tags=tags)
    root.create_group(GroupName="iam-group")
    trust_policy = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    root.create_role(RoleName="iam-role", AssumeRolePolicyDocument=trust_policy)
    root.create_policy(PolicyName="iam-own", PolicyDocument=document(statement("s3:GetObject", "*")))
    for column, statements in identities.POLICIES.items():
        make_user(cast, f"iam-{column}", document(*(statement(*one) for one in statements)))
        root.create_user(UserName=f"paint-{column}", Path="/ops/")
    calls = []
    for cell in read("IAM", identities.OPERATIONS):
        calls.append((cell, cell.row, identity_call(cast, cell.column, cell.row), ("EntityAlreadyExists", "LimitExceeded")))
    hold(calls)


def test_there_are_enough_of_them():
    """How many answers are written down."""
    tables = [getattr(buckets, table) for table in buckets.OPERATIONS] + [keys.READ, keys.USE, keys.MANAGE]
    tables += [trust.ASSUME_ROLE, accounts.OWN, encryption.IDENTITIES, encryption.RESOURCES, identities.OPERATIONS]
    cells = sum(len(read("", text)) for text in tables) + 3 * len(read("", grants.OPERATIONS, {"+": "I", "-": ".", "p": "I"}))
    assert cells >= 5000, cells
