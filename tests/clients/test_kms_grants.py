"""boto3 against grants, as several principals of two accounts."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from principals import Principals, arn
from refusals import refused
from strongroom import ACCOUNT


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    principals = Principals(tmp_path_factory.mktemp("grants"))
    yield {name: principals.client(name) for name in ("root", "alice", "bob", "other", "carol")}
    principals.server.stop()


@pytest.fixture
def key(clients):
    return clients["root"].create_key()["KeyMetadata"]


@pytest.fixture
def root(clients):
    return clients["root"]


@pytest.fixture
def carol(clients):
    return clients["carol"]


def grant(root, key, *operations, grantee="carol", **more):
    return root.create_grant(KeyId=key["Arn"], GranteePrincipal=arn(grantee), Operations=list(operations), **more)


def test_a_grant_across_accounts(root, carol, clients, key):
    assert refused(carol.encrypt, KeyId=key["Arn"], Plaintext=b"x") == "AccessDeniedException"
    made = grant(root, key, "Encrypt", "Decrypt", "DescribeKey", "GenerateDataKey")
    assert len(made["GrantId"]) == 64
    # At once, with and without the token.
    blob = carol.encrypt(KeyId=key["Arn"], Plaintext=b"x", GrantTokens=[made["GrantToken"]])["CiphertextBlob"]
    assert carol.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert carol.describe_key(KeyId=key["Arn"])["KeyMetadata"]["Arn"] == key["Arn"]
    assert carol.generate_data_key(KeyId=key["Arn"], KeySpec="AES_256")["KeyId"] == key["Arn"]
    assert refused(carol.generate_data_key_without_plaintext, KeyId=key["Arn"], KeySpec="AES_256") == "AccessDeniedException"
    assert refused(clients["other"].encrypt, KeyId=key["Arn"], Plaintext=b"x") == "AccessDeniedException"
    root.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert refused(carol.encrypt, KeyId=key["Arn"], Plaintext=b"x") == "AccessDeniedException"
    assert refused(carol.decrypt, CiphertextBlob=blob) == "AccessDeniedException"
    token = {"GrantTokens": [made["GrantToken"]]}
    assert refused(carol.encrypt, KeyId=key["Arn"], Plaintext=b"x", **token) == "InvalidGrantTokenException"


def test_a_grant_within_the_account_where_the_policy_is_silent(root, clients, key):
    administration = {
        "Effect": "Allow",
        "Principal": {"AWS": arn("root")},
        "Action": ["kms:*Policy", "kms:*Grant*"],
        "Resource": "*",
    }
    policy = {"Version": "2012-10-17", "Statement": [administration]}
    root.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
    grant(root, key, "Encrypt", grantee="alice")
    clients["alice"].encrypt(KeyId=key["KeyId"], Plaintext=b"x")
    for name in ("bob", "root"):
        assert refused(clients[name].encrypt, KeyId=key["KeyId"], Plaintext=b"x") == "AccessDeniedException"
    policy["Statement"].append({"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*"})
    root.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
    assert refused(clients["alice"].encrypt, KeyId=key["KeyId"], Plaintext=b"x") == "AccessDeniedException"


@pytest.mark.parametrize(
    "kind, context, allowed",
    [
        ("EncryptionContextEquals", {"App": "x", "b": "1"}, True),
        ("EncryptionContextEquals", {"app": "x", "B": "1"}, True),
        ("EncryptionContextEquals", {"App": "x", "b": "1", "c": ""}, False),
        ("EncryptionContextEquals", {"App": "X", "b": "1"}, False),
        ("EncryptionContextSubset", {"App": "x", "b": "1", "c": ""}, True),
        ("EncryptionContextSubset", {"App": "x"}, False),
        ("EncryptionContextSubset", {}, False),
    ],
)
def test_constraints(root, carol, key, kind, context, allowed):
    constraints = {kind: {"App": "x", "b": "1"}}
    grant(root, key, "Encrypt", "DescribeKey", Constraints=constraints)
    carol.describe_key(KeyId=key["Arn"])
    request = {"KeyId": key["Arn"], "Plaintext": b"x", "EncryptionContext": context}
    if allowed:
        carol.encrypt(**request)
    else:
        assert refused(carol.encrypt, **request) == "AccessDeniedException"
    assert root.list_grants(KeyId=key["KeyId"])["Grants"][0]["Constraints"] == constraints


def test_what_a_list_says(root, key):
    made = grant(root, key, "Encrypt", "Decrypt", Name="mine", RetiringPrincipal=arn("bob"))
    [entry] = root.list_grants(KeyId=key["KeyId"])["Grants"]
    assert abs(entry.pop("CreationDate").timestamp() - time.time()) < 60
    assert entry == {
        "KeyId": key["Arn"],
        "GrantId": made["GrantId"],
        "Name": "mine",
        "GranteePrincipal": arn("carol"),
        "RetiringPrincipal": arn("bob"),
        "IssuingAccount": f"arn:aws:iam::{ACCOUNT}:root",
        "Operations": ["Encrypt", "Decrypt"],
    }


def test_lists_by_page_and_filter(root, key):
    ids = {grant(root, key, "Encrypt", grantee=("carol", "alice")[number % 2])["GrantId"] for number in range(9)}
    pages = list(root.get_paginator("list_grants").paginate(KeyId=key["KeyId"], PaginationConfig={"PageSize": 4}))
    assert [len(page["Grants"]) for page in pages] == [4, 4, 1]
    assert {entry["GrantId"] for page in pages for entry in page["Grants"]} == ids
    alices = root.list_grants(KeyId=key["KeyId"], GranteePrincipal=arn("alice"))["Grants"]
    assert len(alices) == 4
    [only] = root.list_grants(KeyId=key["KeyId"], GrantId=alices[0]["GrantId"])["Grants"]
    assert only == alices[0]
    assert refused(root.list_grants, KeyId=key["KeyId"], GrantId="x") == "InvalidGrantIdException"
    assert refused(root.list_grants, KeyId=key["KeyId"], Marker="AAAA") == "InvalidMarkerException"


def test_a_named_grant_is_made_once(root, carol, key):
    first = grant(root, key, "Encrypt", Name="once")
    again = grant(root, key, "Encrypt", Name="once")
    assert first["GrantId"] == again["GrantId"]
    assert first["GrantToken"] != again["GrantToken"]
    assert grant(root, key, "Decrypt", Name="once")["GrantId"] != first["GrantId"]
    assert grant(root, key, "Encrypt")["GrantId"] != grant(root, key, "Encrypt")["GrantId"]
    for token in (first["GrantToken"], again["GrantToken"]):
        carol.encrypt(KeyId=key["Arn"], Plaintext=b"x", GrantTokens=[token])


def test_retiring(root, carol, clients, key):
    bob, other = clients["bob"], clients["other"]
    made = root.create_grant(
        KeyId=key["Arn"], GranteePrincipal=arn("alice"), Operations=["Encrypt"], RetiringPrincipal=arn("carol")
    )
    # Not another principal of the retiring one's account, not even its root.
    assert refused(other.retire_grant, GrantToken=made["GrantToken"]) == "AccessDeniedException"
    retirable = carol.list_retirable_grants(RetiringPrincipal=arn("carol"))["Grants"]
    assert [entry["GrantId"] for entry in retirable] == [made["GrantId"]]
    assert refused(root.list_retirable_grants, RetiringPrincipal=arn("carol")) == "AccessDeniedException"
    carol.retire_grant(GrantToken=made["GrantToken"])
    assert carol.list_retirable_grants(RetiringPrincipal=arn("carol"))["Grants"] == []
    # What is given to an account, each of its principals has.
    made = grant(root, key, "Encrypt", RetiringPrincipal=arn("other"))
    carol.retire_grant(GrantToken=made["GrantToken"])
    made = grant(root, key, "Encrypt", "RetireGrant")
    carol.retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    assert refused(root.retire_grant, KeyId=key["Arn"], GrantId=made["GrantId"]) == "NotFoundException"
    # The account that made it, whichever of its principals.
    made = grant(root, key, "Encrypt")
    bob.retire_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert root.list_grants(KeyId=key["KeyId"])["Grants"] == []
    assert refused(root.retire_grant, KeyId=key["Arn"]) == "ValidationException"


def test_grants_that_make_grants(root, carol, clients, key):
    grant(root, key, "Encrypt", "CreateGrant", Constraints={"EncryptionContextSubset": {"a": "1"}})
    to_alice = {"KeyId": key["Arn"], "GranteePrincipal": arn("other")}
    for wider in (
        {"Operations": ["Encrypt"]},
        {"Operations": ["Decrypt"], "Constraints": {"EncryptionContextSubset": {"a": "1"}}},
        {"Operations": ["Encrypt"], "Constraints": {"EncryptionContextSubset": {"b": "1"}}},
    ):
        assert refused(carol.create_grant, **to_alice, **wider) == "AccessDeniedException"
    narrow = {"Operations": ["Encrypt"], "Constraints": {"EncryptionContextEquals": {"a": "1", "b": "2"}}}
    carol.create_grant(**to_alice, **narrow)
    clients["other"].encrypt(KeyId=key["Arn"], Plaintext=b"x", EncryptionContext={"a": "1", "b": "2"})


def test_refusals(root, key):
    good = {"KeyId": key["Arn"], "GranteePrincipal": arn("carol"), "Operations": ["Encrypt"]}
    for change, code in (
        ({"GranteePrincipal": "arn:aws:s3:::bucket"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:group/g"}, "InvalidArnException"),
        ({"RetiringPrincipal": "nobody"}, "InvalidArnException"),
        ({"Operations": ["CreateGrant"]}, "ValidationException"),
        ({"Operations": ["Sign"]}, "ValidationException"),
        ({"Operations": ["Explode"]}, "ValidationException"),
        ({"Operations": []}, "ValidationException"),
        ({"GranteeServicePrincipal": "s3.amazonaws.com"}, "ValidationException"),
        ({"Constraints": {"EncryptionContextEquals": {str(n): "" for n in range(9)}}}, "ValidationException"),
        ({"GrantTokens": ["x"]}, "InvalidGrantTokenException"),
        ({"KeyId": "00000000-0000-4000-8000-000000000000"}, "NotFoundException"),
        ({"DryRun": True}, "DryRunOperationException"),
    ):
        with pytest.raises(ClientError) as error:
            root.create_grant(**good | change)
        assert error.value.response["Error"]["Code"] == code, change
    assert root.list_grants(KeyId=key["KeyId"])["Grants"] == []
    missing = {"KeyId": key["Arn"], "GrantId": "0" * 64}
    assert refused(root.revoke_grant, **missing) == "NotFoundException"
    assert refused(root.revoke_grant, **missing | {"GrantId": "0"}) == "InvalidGrantIdException"
    root.disable_key(KeyId=key["KeyId"])
    assert refused(root.create_grant, **good) == "DisabledException"


def test_tokens_in_every_operation_that_takes_them(root, carol, clients):
    """A grant's token is honoured by all, and what is none is refused by all."""

    def make(**request):
        return root.create_key(**request)["KeyMetadata"]["Arn"]

    symmetric = make()
    signing = make(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    mac = make(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    agreement = make(KeySpec="ECC_NIST_P256", KeyUsage="KEY_AGREEMENT")
    encapsulation = make(KeySpec="ML_KEM_768", KeyUsage="ENCAPSULATE_DECAPSULATE")
    peer = root.get_public_key(KeyId=agreement)["PublicKey"]
    blob = root.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
    signed = {"Message": b"m", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = root.sign(KeyId=signing, **signed)["Signature"]
    hashed = {"Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    tag = root.generate_mac(KeyId=mac, **hashed)["Mac"]
    kem = {"EncapsulationAlgorithm": "ML_KEM"}
    encapsulated = root.encapsulate(KeyId=encapsulation, **kem)["SharedSecretCiphertextBlob"]
    calls = (
        (symmetric, "Encrypt", carol.encrypt, {"Plaintext": b"x"}),
        (symmetric, "Decrypt", carol.decrypt, {"CiphertextBlob": blob}),
        (symmetric, "DescribeKey", carol.describe_key, {}),
        (symmetric, "GenerateDataKey", carol.generate_data_key, {"KeySpec": "AES_256"}),
        (symmetric, "GenerateDataKeyWithoutPlaintext", carol.generate_data_key_without_plaintext, {"KeySpec": "AES_256"}),
        (symmetric, "GenerateDataKeyPair", carol.generate_data_key_pair, {"KeyPairSpec": "ECC_NIST_P256"}),
        (
            symmetric,
            "GenerateDataKeyPairWithoutPlaintext",
            carol.generate_data_key_pair_without_plaintext,
            {"KeyPairSpec": "ECC_NIST_P256"},
        ),
        (signing, "Sign", carol.sign, signed),
        (signing, "Verify", carol.verify, signed | {"Signature": signature}),
        (signing, "GetPublicKey", carol.get_public_key, {}),
        (mac, "GenerateMac", carol.generate_mac, hashed),
        (mac, "VerifyMac", carol.verify_mac, hashed | {"Mac": tag}),
        (
            agreement,
            "DeriveSharedSecret",
            carol.derive_shared_secret,
            {"KeyAgreementAlgorithm": "ECDH", "PublicKey": peer},
        ),
        (encapsulation, "Encapsulate", carol.encapsulate, kem),
        (encapsulation, "Decapsulate", carol.decapsulate, kem | {"SharedSecretCiphertextBlob": encapsulated}),
    )
    for key, operation, call, arguments in calls:
        request = {"KeyId": key} | arguments
        assert refused(call, **request) == "AccessDeniedException", operation
        made = grant(root, {"Arn": key}, operation)
        call(**request, GrantTokens=[made["GrantToken"]])
        call(**request)
        assert refused(call, **request, GrantTokens=["bm8="]) == "InvalidGrantTokenException", operation
        root.revoke_grant(KeyId=key, GrantId=made["GrantId"])
        assert refused(call, **request) == "AccessDeniedException", operation
    # ReEncrypt needs one grant for each half.
    target = make()
    request = {"CiphertextBlob": blob, "DestinationKeyId": target}
    tokens = [grant(root, {"Arn": symmetric}, "ReEncryptFrom")["GrantToken"]]
    assert refused(carol.re_encrypt, **request, GrantTokens=tokens) == "AccessDeniedException"
    tokens.append(grant(root, {"Arn": target}, "ReEncryptTo")["GrantToken"])
    moved = carol.re_encrypt(**request, GrantTokens=tokens)
    assert root.decrypt(CiphertextBlob=moved["CiphertextBlob"])["Plaintext"] == b"x"
