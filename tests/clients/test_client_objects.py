"""Objects of `strongroom cp` opened by Amazon's S3 encryption clients for Java and Python, and theirs by ours."""

import secrets

import pytest
from client_cli import INPUT, KEY, MIB, REFUSED
from encrypted_objects import Ours, Python
from peers import Refused, aes, rsa_pair

CONTEXT = {"tenant": "blue", "purpose": "invoices"}
OLD_MODES = ["EncryptionOnly", "AuthenticatedEncryption"]  # AES-CBC and AES-GCM, both with wrappings that are no longer written


@pytest.fixture(scope="module")
def ours(server, tmp_path_factory):
    return Ours(server, tmp_path_factory.mktemp("objects"))


@pytest.fixture(scope="module")
def python(server):
    return Python(server)


@pytest.fixture(scope="module")
def keys(key_arn):
    return {"aes": aes(), "aes-128": aes(16), "aes-192": aes(24), "rsa": rsa_pair(), "kms": {"kms": key_arn}}


@pytest.fixture(params=["aes", "rsa", "kms"])
def key(request, keys):
    return keys[request.param]


@pytest.fixture(params=["V2", "V3"])
def version(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["metadata", "instruction-file"])
def instruction(request):
    return request.param


def bound(key) -> dict:
    """Keys of KMS alone bind a context."""
    return {"context": CONTEXT} if "kms" in key else {}


def test_java_and_we_read_each_other(java, ours, bucket, key, version, instruction):
    document, told = secrets.token_bytes(1000), {"key": key, "version": version, **bound(key)}
    ours.put(bucket, "ours", document, instruction=instruction, **told)
    java.put(bucket, "java's", document, instruction=instruction, **told)
    assert java.get(bucket, "ours", **told) == document
    assert ours.get(bucket, "java's", **told) == document


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, MIB])
def test_every_size(java, ours, bucket, keys, version, size):
    document, told = secrets.token_bytes(size), {"key": keys["aes"], "version": version}
    ours.put(bucket, "ours", document, **told)
    java.put(bucket, "java's", document, **told)
    java.put(bucket, "old", document, client="V1", key=keys["aes"], mode="EncryptionOnly")
    assert java.get(bucket, "ours", **told) == document
    assert ours.get(bucket, "java's", **told) == document
    assert ours.get(bucket, "old", keys["aes"], "V2", legacy=True) == document


@pytest.mark.parametrize("name", ["aes-128", "aes-192"])
def test_shorter_aes_keys(java, ours, bucket, keys, version, name):
    told = {"key": keys[name], "version": version}
    ours.put(bucket, "ours", b"hello", **told)
    java.put(bucket, "java's", b"hello", **told)
    assert java.get(bucket, "ours", **told) == ours.get(bucket, "java's", **told) == b"hello"
    for mode in OLD_MODES:
        java.put(bucket, mode, b"hello", client="V1", key=keys[name], mode=mode)
        assert ours.get(bucket, mode, keys[name], "V2", legacy=True) == b"hello"


@pytest.mark.parametrize("mode", OLD_MODES)
def test_objects_of_the_first_client_open_when_legacy_is_allowed(java, ours, bucket, key, mode, instruction):
    document = secrets.token_bytes(1000)
    java.put(bucket, "old", document, client="V1", key=key, mode=mode, instruction=instruction)
    assert ours.get(bucket, "old", key, "V2", legacy=True) == document
    with pytest.raises(Refused) as refused:
        ours.get(bucket, "old", key, "V2")
    assert refused.value.code == REFUSED


def test_the_second_client_reads_what_we_write_for_it(java, ours, bucket, key, instruction):
    document = secrets.token_bytes(1000)
    ours.put(bucket, "ours", document, key, "V2", instruction)
    assert java.get(bucket, "ours", client="V2", key=key, instruction=instruction) == document
    java.put(bucket, "theirs", document, client="V2", key=key, instruction=instruction)
    assert ours.get(bucket, "theirs", key, "V2") == document


@pytest.mark.parametrize("size", [0, 17, MIB])
def test_python_and_we_read_each_other(python, ours, bucket, keys, version, size):
    document, told = secrets.token_bytes(size), {"key": keys["kms"], "version": version, "context": CONTEXT}
    ours.put(bucket, "ours", document, **told)
    ours.put(bucket, "ours and a file", document, instruction=True, **told)
    python.put(bucket, "python's", document, **told)
    assert python.get(bucket, "ours", **told) == document
    assert python.get(bucket, "ours and a file", **told) == document
    assert ours.get(bucket, "python's", **told) == document


def test_large_objects_in_parts(java, python, ours, s3, bucket, keys, version, tmp_path):
    document, told = secrets.token_bytes(20 * MIB + 5), {"key": keys["kms"], "version": version}
    ours.put(bucket, "ours", document, **told)
    java.put(bucket, "java's", document, partBytes=8 * MIB, **told)
    file = tmp_path / "document"
    file.write_bytes(document)
    python.client(keys["kms"], version).upload_file(str(file), bucket, "python's")
    for name in ("ours", "java's", "python's"):
        assert "-" in s3.head_object(Bucket=bucket, Key=name)["ETag"]
        assert ours.get(bucket, name, **told) == document
    assert java.get(bucket, "ours", **told) == document == python.get(bucket, "ours", **told)


def test_ranges(java, ours, bucket, key, version, instruction):
    document, told = secrets.token_bytes(1000), {"key": key, "version": version, **bound(key)}
    ours.put(bucket, "ours", document, instruction=instruction, **told)
    java.put(bucket, "java's", document, instruction=instruction, **told)
    for first, last in [(0, 0), (0, 15), (5, 40), (16, 31), (990, 999), (995, 5000), (0, 999)]:
        asked = f"bytes={first}-{last}"
        assert java.get(bucket, "ours", legacyModes=True, range=asked, **told) == document[first : last + 1]
        assert ours.range(bucket, "java's", first=first, last=last, **told) == document[first : last + 1]


@pytest.mark.parametrize("kind", [aes, rsa_pair])
def test_an_instruction_file_encrypted_anew(java, ours, bucket, version, kind):
    """By either side, of either side's object: the next key opens it, the one before no longer does."""
    keys = [kind(key=number) for number in "123"]
    for writer in (java, ours):
        work = {"bucket": bucket, "object": "document", "version": version, "instruction": True}
        writer.put(bucket, "document", b"hello", key=keys[0], version=version, instruction=True)
        java.work(do="reencrypt", client="V4", key=keys[0], newKey=keys[1], enforce=True, **work)
        for current, old in ((keys[1], keys[:1]), (keys[2], keys[:2])):
            for reader in (java, ours):
                assert reader.get(bucket, "document", key=current, version=version) == b"hello"
                for key in old:
                    with pytest.raises(Refused):
                        reader.get(bucket, "document", key=key, version=version)
            if current is keys[1]:
                ours.rewrap(bucket, "document", keys[1], keys[2], version)


def test_an_instruction_file_goes_to_a_key_of_another_kind(java, ours, bucket, kms, keys, version):
    """Of Java's objects; Java itself encrypts anew for raw keys alone."""
    other = {"kms": kms.create_key()["KeyMetadata"]["Arn"]}
    for old, new in ((keys["kms"], other), (keys["aes"], other), (keys["kms"], rsa_pair(key="next"))):
        java.put(bucket, "document", b"hello", key=old, version=version, instruction=True)
        ours.rewrap(bucket, "document", old, new, version)
        assert java.get(bucket, "document", key=new, version=version) == b"hello"
        with pytest.raises(Refused):
            java.get(bucket, "document", key=old, version=version)


def test_an_instruction_file_that_the_old_key_would_open_is_not_written(ours, s3, bucket, keys):
    described = keys["aes"] | {"description": {"key": "2"}}
    for old, new in ((keys["kms"], keys["kms"]), (keys["aes"], described)):
        ours.put(bucket, "document", b"hello", old, instruction=True)
        before = s3.head_object(Bucket=bucket, Key="document.instruction")["ETag"]
        with pytest.raises(Refused) as refused:
            ours.rewrap(bucket, "document", old, new)
        assert refused.value.code == REFUSED
        assert s3.head_object(Bucket=bucket, Key="document.instruction")["ETag"] == before


def test_java_picks_the_key_by_our_material_description(java, ours, bucket, version):
    for kind in (aes, rsa_pair):
        first, second = kind(key="1"), kind(key="2")
        ours.put(bucket, "ours", b"hello", first, version)
        assert java.get(bucket, "ours", key=second, otherKeys=[first], version=version) == b"hello"


@pytest.mark.parametrize("kind", [aes, rsa_pair])
def test_descriptions_beyond_ascii(java, ours, bucket, version, kind):
    key = kind(**{"größe": "zwölf", "值": "\U0001f512", "quote": 'a "word" \\'})
    ours.put(bucket, "ours", b"hello", key, version, instruction=True)
    java.put(bucket, "java's", b"hello", key=key, version=version, instruction=True)
    other = kind(key="2")
    assert java.get(bucket, "ours", key=other, otherKeys=[key], version=version) == b"hello"
    assert ours.get(bucket, "java's", key, version) == b"hello"
    # In metadata they travel as S3 sends them; Java cannot write them there.
    ours.put(bucket, "ours in metadata", b"hello", key, version)
    assert java.get(bucket, "ours in metadata", key=other, otherKeys=[key], version=version) == b"hello"
    assert ours.get(bucket, "ours in metadata", key, version) == b"hello"


def test_contexts_beyond_ascii(java, ours, bucket, keys, version):
    """Which the Python client refuses, and Java cannot write into metadata."""
    told = {"key": keys["kms"], "version": version, "context": {"größe": "zwölf", "值": "\U0001f512"}}
    for instruction in (False, True):
        ours.put(bucket, "ours", b"hello", instruction=instruction, **told)
        assert java.get(bucket, "ours", **told) == ours.get(bucket, "ours", **told) == b"hello"
    java.put(bucket, "java's", b"hello", instruction=True, **told)
    assert ours.get(bucket, "java's", **told) == b"hello"


def test_a_wrong_context(java, python, ours, bucket, keys, version):
    told = {"key": keys["kms"], "version": version}
    sides = {"ours": ours, "java's": java, "python's": python}
    for name, side in sides.items():
        side.put(bucket, name, b"hello", context=CONTEXT, **told)
    for name in sides:
        for reader in sides.values():
            for wrong in ({}, {"tenant": "blue"}, CONTEXT | {"tenant": "red"}, CONTEXT | {"more": ""}):
                with pytest.raises(Refused) as refused:
                    reader.get(bucket, name, context=wrong, **told)
                assert reader is not ours or refused.value.code == REFUSED


def test_a_wrong_key(java, ours, bucket, kms, key, version, instruction):
    kinds = {"aes": aes, "rsaPublic": rsa_pair, "kms": lambda: {"kms": kms.create_key()["KeyMetadata"]["Arn"]}}
    other = next(make for kind, make in kinds.items() if kind in key)()
    for writer, reader in ((java, ours), (ours, java)):
        writer.put(bucket, "document", b"hello", key=key, version=version, instruction=instruction)
        with pytest.raises(Refused) as refused:
            reader.get(bucket, "document", key=other, version=version)
        assert reader is not ours or refused.value.code == KEY


def test_an_object_that_does_not_commit_is_refused_unless_allowed(java, python, ours, bucket, keys):
    told = {"key": keys["kms"]}
    for name, side in {"ours": ours, "java's": java, "python's": python}.items():
        side.put(bucket, name, b"hello", version="V2", **told)
    for reader, name in ((ours, "ours"), (ours, "java's"), (ours, "python's"), (java, "ours"), (python, "ours")):
        with pytest.raises(Refused) as refused:
            reader.get(bucket, name, version="V3", **told)
        assert reader is not ours or refused.value.code == REFUSED


def test_what_was_changed_or_cut(java, ours, s3, bucket, keys, version):
    document, told = secrets.token_bytes(100), {"key": keys["aes"], "version": version}
    for writer, reader in ((java, ours), (ours, java)):
        writer.put(bucket, "document", document, **told)
        stored = s3.get_object(Bucket=bucket, Key="document")
        body = stored["Body"].read()
        flipped = [body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :] for place in (0, 99, 100, 115)]
        shorter = [body[:-1], body[:100], *([body[:15], b""] if reader is ours else [])]  # of less than a tag Java waits for more
        for wrong in (*flipped, *shorter, body + b"\0"):
            s3.put_object(Bucket=bucket, Key="document", Body=wrong, Metadata=stored["Metadata"])
            with pytest.raises(Refused) as refused:
                reader.get(bucket, "document", **told)
            assert reader is not ours or refused.value.code == INPUT


def test_the_instruction_file_of_another_object(java, ours, s3, bucket, keys):
    """V3 commits: what the other file opens is another data key."""
    for writer, reader in ((java, ours), (ours, java)):
        for name in ("one", "other"):
            writer.put(bucket, name, b"hello", key=keys["aes"], instruction=True)
        s3.copy_object(Bucket=bucket, Key="one.instruction", CopySource=f"{bucket}/other.instruction")
        with pytest.raises(Refused) as refused:
            reader.get(bucket, "one", key=keys["aes"])
        assert reader is not ours or refused.value.code == INPUT


def test_two_key_headers(java, ours, s3, bucket, keys):
    for writer, reader in ((java, ours), (ours, java)):
        writer.put(bucket, "document", b"hello", key=keys["aes"])
        stored = s3.get_object(Bucket=bucket, Key="document")
        doubled = stored["Metadata"] | {"x-amz-key-v2": stored["Metadata"]["x-amz-3"]}
        s3.put_object(Bucket=bucket, Key="document", Body=stored["Body"].read(), Metadata=doubled)
        with pytest.raises(Refused) as refused:
            reader.get(bucket, "document", key=keys["aes"])
        assert reader is not ours or refused.value.code == INPUT
