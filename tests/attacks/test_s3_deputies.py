"""Ways around a policy: other spellings of a key, requests on somebody else's behalf, headers that came twice."""

import urllib.parse

import pytest
import requests
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from people import People, allow, deny, document, of_everyone
from raw import Connection


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    people = People(tmp_path_factory.mktemp("s3-attacks"))
    yield people
    people.server.stop()


class Raw(Connection):
    """Bytes signed as a user."""

    def __init__(self, person):
        super().__init__(person.server, secure=True)
        self.signer.credentials = Credentials(*person.keys)


def status(call, **arguments) -> int:
    try:
        return call(**arguments)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture(scope="module")
def vault(people):
    """A bucket with public and secret objects, and a user that may read the public ones."""
    bucket = people.bucket()
    for key in ("public/a", "secret/a", "public/../secret/a", "Public/a", "public//a", "a*b", "aXb", "a?b", "a${aws:username}b"):
        people.s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


def test_keys_are_compared_byte_for_byte(people, vault):
    user = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/public/*"))
    raw = Raw(user)
    expected = {
        "public/a": 200,
        "publi%63/a": 200,
        "public%2Fa": 200,
        "public//a": 200,
        # A key is a key: nothing is a folder, so this is no way into another. It is the object of exactly that name.
        "public/../secret/a": 200,
        "public/%2e%2e/secret/a": 200,
        "secret/a": 403,
        "./public/a": 403,
        "/public/a": 403,
        "Public/a": 403,
        "PUBLIC/a": 403,
        "%70ublic%5Ca": 403,
    }
    for path, wanted in expected.items():
        # What is signed is the one spelling of SigV4; what is sent is this one.
        canonical = urllib.parse.quote(urllib.parse.unquote(path), safe="/~")
        answer = raw.send("GET", f"/{vault}/{path}", raw.signed("GET", f"/{vault}/{canonical}"))
        assert answer.code != "SignatureDoesNotMatch"
        assert answer.status == wanted, (path, answer.body)
        if wanted == 200:
            key = urllib.parse.unquote(path)
            assert answer.body == key.encode(), "another object than the one that was decided about"


def test_wildcards_in_keys_are_letters(people, vault):
    reader = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/a${{*}}b"))
    assert status(reader.s3.get_object, Bucket=vault, Key="a*b") == 200
    assert status(reader.s3.get_object, Bucket=vault, Key="aXb") == 403
    one = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/a${{?}}b"))
    assert status(one.s3.get_object, Bucket=vault, Key="a?b") == 200
    assert status(one.s3.get_object, Bucket=vault, Key="aXb") == 403
    # A key that looks like a pattern does not widen what is denied or allowed.
    people.policy(vault, of_everyone(deny("s3:GetObject", "BUCKET/aXb")))
    assert status(people.s3.get_object, Bucket=vault, Key="a*b") == 200
    assert status(people.s3.get_object, Bucket=vault, Key="aXb") == 403
    people.s3.delete_bucket_policy(Bucket=vault)


def test_a_user_name_in_a_key_is_no_variable(people, vault):
    user = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/a${{aws:username}}b"))
    assert status(user.s3.get_object, Bucket=vault, Key="a${aws:username}b") == 403


def test_a_copy_reads_as_its_caller(people, vault):
    mine = people.bucket()
    user = people.user(allow("s3:*", [f"arn:aws:s3:::{mine}", f"arn:aws:s3:::{mine}/*"]))
    for source in (f"{vault}/secret/a", f"/{vault}/secret/a", {"Bucket": vault, "Key": "secret/a"}, f"{vault}/secret/a?versionId=null"):
        assert status(user.s3.copy_object, Bucket=mine, Key="stolen", CopySource=source) == 403, source
        upload = user.s3.create_multipart_upload(Bucket=mine, Key="stolen")["UploadId"]
        part = {"Bucket": mine, "Key": "stolen", "UploadId": upload, "PartNumber": 1}
        assert status(user.s3.upload_part_copy, CopySource=source, **part) == 403, source
    # Whether something is there to be copied is not told either.
    assert status(user.s3.copy_object, Bucket=mine, Key="stolen", CopySource=f"{vault}/missing") == 403
    # Nor may one read here and write where one must not.
    reader = people.user(allow("s3:GetObject", "*"), allow("s3:PutObject", f"arn:aws:s3:::{mine}/mine/*"))
    assert status(reader.s3.copy_object, Bucket=mine, Key="theirs", CopySource=f"{vault}/public/a") == 403
    assert status(reader.s3.copy_object, Bucket=mine, Key="mine/a", CopySource=f"{vault}/public/a") == 200


def test_a_copy_through_a_source_that_came_twice(people, vault):
    user = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/public/*"), allow("s3:PutObject", f"arn:aws:s3:::{vault}/*"))
    raw = Raw(user)
    path = f"/{vault}/copy"
    for twice in (f"{vault}/public/a,{vault}/secret/a", f"{vault}/secret/a,{vault}/public/a"):
        headers = raw.signed("PUT", path, {"x-amz-copy-source": twice})
        first, second = twice.split(",")
        raw.http.putrequest("PUT", path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name != "x-amz-copy-source":
                raw.http.putheader(name, value)
        raw.http.putheader("x-amz-copy-source", first)
        raw.http.putheader("x-amz-copy-source", second)
        raw.http.putheader("Content-Length", "0")
        raw.http.endheaders()
        answer = raw.http.getresponse()
        answer.read()
        assert answer.status in (400, 403), answer.status


def test_encryption_that_is_named_twice(people):
    header = "s3:x-amz-server-side-encryption"
    bucket = people.bucket(of_everyone(deny("s3:PutObject", "BUCKET/*", Condition={"StringNotEquals": {header: "aws:kms"}})))
    user = people.user(allow("s3:PutObject", f"arn:aws:s3:::{bucket}/*"))
    raw = Raw(user)
    path = f"/{bucket}/k"
    headers = raw.signed("PUT", path, {"x-amz-server-side-encryption": "AES256,aws:kms"})
    raw.http.putrequest("PUT", path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers.items():
        if name != "x-amz-server-side-encryption":
            raw.http.putheader(name, value)
    raw.http.putheader("x-amz-server-side-encryption", "AES256")
    raw.http.putheader("x-amz-server-side-encryption", "aws:kms")
    raw.http.putheader("Content-Length", "1")
    raw.http.endheaders(b"x")
    answer = raw.http.getresponse()
    answer.read()
    assert answer.status in (400, 403)
    # Nor does an unsigned parameter count that looks like a header.
    assert raw.request("PUT", f"{path}?x-amz-server-side-encryption=aws%3Akms", body=b"x", headers={"Content-Length": "1"}).status == 403


def test_a_prefix_of_the_callers_choice_lets_nobody_list(people, vault):
    """s3:prefix is a listing's. A GetObject with a parameter of that name must not learn what is missing."""
    user = people.user(
        allow("s3:GetObject", f"arn:aws:s3:::{vault}/*"),
        allow("s3:ListBucket", f"arn:aws:s3:::{vault}", Condition={"StringEquals": {"s3:prefix": "public/"}}),
    )
    raw = Raw(user)
    assert raw.request("GET", f"/{vault}/missing?prefix=public/").status == 403
    assert raw.request("HEAD", f"/{vault}/missing?prefix=public/").status == 403
    assert raw.request("HEAD", f"/{vault}?prefix=public/").status == 403
    # The same parameter twice: not the one that is listed and another that is decided about.
    assert raw.request("GET", f"/{vault}?list-type=2&prefix=public/&prefix=secret/").status in (400, 403)
    assert raw.request("GET", f"/{vault}?list-type=2&prefix=secret/&prefix=public/").status in (400, 403)


def test_a_batch_cannot_hide_a_key(people, vault):
    for key in ("mine/1", "theirs/1"):
        people.s3.put_object(Bucket=vault, Key=key, Body=b"x")
    user = people.user(allow("s3:DeleteObject", f"arn:aws:s3:::{vault}/mine/*"))
    batch = [{"Key": "mine/1"}, {"Key": "theirs/1"}, {"Key": "mine/../theirs/1"}, {"Key": "theirs/1", "VersionId": "null"}, {"Key": "mine/1", "VersionId": "null"}]
    answer = user.s3.delete_objects(Bucket=vault, Delete={"Objects": batch})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["mine/1", "mine/../theirs/1"]
    assert {entry["Code"] for entry in answer["Errors"]} == {"AccessDenied"}
    assert people.s3.head_object(Bucket=vault, Key="theirs/1")
    assert status(people.nobody.delete_objects, Bucket=vault, Delete={"Objects": [{"Key": "theirs/1"}]}) == 403


def test_a_presigned_url_is_worth_what_its_signer_may_now(people, vault):
    user = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/public/*"))
    signing = user.server.client("s3", secure=True, credentials=user.keys, config=Config(signature_version="s3v4"))
    url = signing.generate_presigned_url("get_object", Params={"Bucket": vault, "Key": "public/a"}, ExpiresIn=600)
    fetch = lambda: requests.get(url, verify=people.server.ca_bundle(), timeout=10).status_code  # noqa: E731
    assert fetch() == 200
    people.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(allow("s3:GetObject", f"arn:aws:s3:::{vault}/other/*")))
    assert fetch() == 403
    people.iam.put_user_policy(UserName=user.name, PolicyName="own", PolicyDocument=document(allow("s3:GetObject", f"arn:aws:s3:::{vault}/*")))
    assert fetch() == 200
    people.iam.update_access_key(UserName=user.name, AccessKeyId=user.keys[0], Status="Inactive")
    assert fetch() == 403


def test_what_tags_decide_cannot_be_tagged_away(people):
    bucket = people.bucket()
    people.s3.put_object(Bucket=bucket, Key="secret", Body=b"x", Tagging="class=secret")
    user = people.user(
        allow("s3:*", [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]),
        deny("s3:*", f"arn:aws:s3:::{bucket}/*", Condition={"StringEquals": {"s3:ExistingObjectTag/class": "secret"}}),
    )
    secret = {"Bucket": bucket, "Key": "secret"}
    for call, arguments in [
        (user.s3.get_object, {}),
        (user.s3.get_object_tagging, {}),
        (user.s3.put_object_tagging, {"Tagging": {"TagSet": []}}),
        (user.s3.delete_object_tagging, {}),
        (user.s3.get_object_attributes, {"ObjectAttributes": ["ETag"]}),
    ]:
        assert status(call, **secret, **arguments) == 403
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": f"{bucket}/secret", "TaggingDirective": "REPLACE"}
    assert status(user.s3.copy_object, **copy) == 403


def test_host_names_are_no_way_around(people, vault):
    user = people.user(allow("s3:GetObject", f"arn:aws:s3:::{vault}/public/*"))
    raw = Raw(user)
    port = people.server.https_port
    for path, wanted in (("/public/a", 200), ("/secret/a", 403), (f"/{vault}/public/a", 403)):
        raw.host = f"{vault}.localhost:{port}"
        headers = raw.signed("GET", path, {"Host": raw.host})
        assert raw.send("GET", path, headers).status == wanted, path
