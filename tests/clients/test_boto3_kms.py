"""boto3 against KMS: keys, states, aliases, contexts, rotation, limits."""

import secrets

import pytest

from refusals import refused


@pytest.fixture
def key(kms):
    return kms.create_key(Description="a key", Tags=[{"TagKey": "team", "TagValue": "blue"}])["KeyMetadata"]


def test_a_new_key(kms, key):
    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert metadata == key | {"CreationDate": metadata["CreationDate"]}
    assert metadata["Arn"].endswith(":key/" + metadata["KeyId"])
    assert (metadata["KeyState"], metadata["Enabled"], metadata["KeyManager"]) == ("Enabled", True, "CUSTOMER")
    assert (metadata["KeySpec"], metadata["KeyUsage"], metadata["Origin"]) == ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS")
    assert metadata["EncryptionAlgorithms"] == ["SYMMETRIC_DEFAULT"]
    assert kms.list_resource_tags(KeyId=key["KeyId"])["Tags"] == [{"TagKey": "team", "TagValue": "blue"}]


def test_encrypt_and_decrypt_with_a_context(kms, key):
    context = {"department": "ü", "purpose": "test"}
    sealed = kms.encrypt(KeyId=key["Arn"], Plaintext=b"hello", EncryptionContext=context)
    assert sealed["KeyId"] == key["Arn"]
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", key["Arn"])
    blob = sealed["CiphertextBlob"]
    for wrong in ({}, {"department": "ü"}, context | {"purpose": "Test"}, context | {"more": "x"}):
        assert refused(kms.decrypt, CiphertextBlob=blob, EncryptionContext=wrong) == "InvalidCiphertextException"
    codes = []
    for position in range(len(blob)):
        broken = blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]
        codes.append(refused(kms.decrypt, CiphertextBlob=broken, EncryptionContext=context))
    # A key id that names no key is answered as AWS does: the 16 bytes of the id, and no others.
    assert codes.count("AccessDeniedException") == 16
    assert codes.count("InvalidCiphertextException") == len(blob) - 16


def test_another_key_named_for_decryption(kms, key):
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert refused(kms.decrypt, CiphertextBlob=blob, KeyId=other) == "IncorrectKeyException"


def test_the_limit_of_4096_bytes(kms, key):
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=bytes(4096))["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == bytes(4096)
    assert refused(kms.encrypt, KeyId=key["KeyId"], Plaintext=bytes(4097)) == "ValidationException"


def test_data_keys(kms, key):
    for request, length in (({"KeySpec": "AES_256"}, 32), ({"KeySpec": "AES_128"}, 16), ({"NumberOfBytes": 1024}, 1024)):
        made = kms.generate_data_key(KeyId=key["KeyId"], EncryptionContext={"a": "b"}, **request)
        assert len(made["Plaintext"]) == length
        opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"a": "b"})
        assert opened["Plaintext"] == made["Plaintext"]
    blob = kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], KeySpec="AES_256")
    assert "Plaintext" not in blob
    assert len(kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])["Plaintext"]) == 32
    assert refused(kms.generate_data_key, KeyId=key["KeyId"]) == "ValidationException"
    assert len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]) == 1024


def test_reencrypt_changes_key_and_context(kms, key):
    other = kms.create_key()["KeyMetadata"]["Arn"]
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x", EncryptionContext={"a": "1"})["CiphertextBlob"]
    moved = kms.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext={"a": "1"}, DestinationKeyId=other, DestinationEncryptionContext={"b": "2"}
    )
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], other)
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"b": "2"})["Plaintext"] == b"x"


def test_old_ciphertext_opens_after_rotation(kms, key):
    blobs = [kms.encrypt(KeyId=key["KeyId"], Plaintext=b"0")["CiphertextBlob"]]
    for number in range(1, 4):
        kms.rotate_key_on_demand(KeyId=key["KeyId"])
        blobs.append(kms.encrypt(KeyId=key["KeyId"], Plaintext=b"%d" % number)["CiphertextBlob"])
    for number, blob in enumerate(blobs):
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"%d" % number
    rotations = kms.list_key_rotations(KeyId=key["KeyId"])["Rotations"]
    assert [rotation["RotationType"] for rotation in rotations] == ["ON_DEMAND"] * 3
    everything = kms.list_key_rotations(KeyId=key["KeyId"], IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [rotation["KeyMaterialState"] for rotation in everything].count("CURRENT") == 1
    assert len({rotation["KeyMaterialId"] for rotation in everything}) == 4


def test_automatic_rotation_is_turned_on_and_off(kms, key):
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (True, 90)
    kms.disable_key_rotation(KeyId=key["KeyId"])
    assert kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"] is False


def test_the_last_usage(kms, key):
    before = kms.get_key_last_usage(KeyId=key["KeyId"])
    assert before["KeyLastUsage"] == {} and before["KeyCreationDate"] == key["CreationDate"]
    kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    assert kms.get_key_last_usage(KeyId=key["KeyId"])["KeyLastUsage"]["Operation"] == "Encrypt"


def test_states(kms, key):
    name = key["KeyId"]
    blob = kms.encrypt(KeyId=name, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=name)
    assert refused(kms.encrypt, KeyId=name, Plaintext=b"x") == "DisabledException"
    assert refused(kms.decrypt, CiphertextBlob=blob) == "DisabledException"
    kms.enable_key(KeyId=name)
    scheduled = kms.schedule_key_deletion(KeyId=name, PendingWindowInDays=7)
    assert scheduled["KeyState"] == "PendingDeletion" and scheduled["PendingWindowInDays"] == 7
    assert refused(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    assert refused(kms.enable_key, KeyId=name) == "KMSInvalidStateException"
    kms.cancel_key_deletion(KeyId=name)
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["KeyState"] == "Disabled"
    kms.enable_key(KeyId=name)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert refused(kms.schedule_key_deletion, KeyId=name, PendingWindowInDays=6) == "ValidationException"


def test_aliases(kms, key):
    alias = "alias/" + secrets.token_hex(8)
    kms.create_alias(AliasName=alias, TargetKeyId=key["KeyId"])
    assert refused(kms.create_alias, AliasName=alias, TargetKeyId=key["KeyId"]) == "AlreadyExistsException"
    blob = kms.encrypt(KeyId=alias, Plaintext=b"x")
    assert blob["KeyId"] == key["Arn"]
    other = kms.create_key()["KeyMetadata"]
    kms.update_alias(AliasName=alias, TargetKeyId=other["KeyId"])
    assert kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"] == other["KeyId"]
    assert kms.decrypt(CiphertextBlob=blob["CiphertextBlob"])["KeyId"] == key["Arn"]
    assert [entry["AliasName"] for entry in kms.list_aliases(KeyId=other["KeyId"])["Aliases"]] == [alias]
    kms.delete_alias(AliasName=alias)
    assert refused(kms.describe_key, KeyId=alias) == "NotFoundException"
    assert refused(kms.create_alias, AliasName="alias/aws/mine", TargetKeyId=key["KeyId"]) in ("NotAuthorizedException", "InvalidAliasNameException", "ValidationException")


def test_listing_keys_by_pages(kms, key):
    for _ in range(3):
        kms.create_key()
    paginator = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
    found = [entry["KeyId"] for page in paginator for entry in page["Keys"]]
    assert key["KeyId"] in found and len(found) == len(set(found))


def test_tags_and_descriptions(kms, key):
    name = key["KeyId"]
    kms.tag_resource(KeyId=name, Tags=[{"TagKey": "team", "TagValue": "red"}, {"TagKey": "b", "TagValue": ""}])
    kms.untag_resource(KeyId=name, TagKeys=["b"])
    assert kms.list_resource_tags(KeyId=name)["Tags"] == [{"TagKey": "team", "TagValue": "red"}]
    kms.update_key_description(KeyId=name, Description="new")
    assert kms.describe_key(KeyId=name)["KeyMetadata"]["Description"] == "new"


def test_what_does_not_exist_says_so(kms):
    assert refused(kms.create_key, KeySpec="SM2", KeyUsage="SIGN_VERIFY") == "UnsupportedOperationException"
    assert refused(kms.describe_key, KeyId="00000000-0000-0000-0000-000000000000") == "NotFoundException"
    assert refused(kms.decrypt, CiphertextBlob=b"nonsense") == "InvalidCiphertextException"
