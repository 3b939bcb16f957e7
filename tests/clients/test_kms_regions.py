"""Multi-Region keys on a server of two Regions: one ciphertext, two keys; signatures and MACs alike."""

import pytest

from refusals import refused
from strongroom import REGION, Server

OTHER = "eu-central-1"


@pytest.fixture(scope="module")
def regions(tmp_path_factory):
    """A client of KMS in each Region of one server."""
    folder = tmp_path_factory.mktemp("regions")
    server = Server(folder, environment={"STRONGROOM_REGIONS": f"{REGION},{OTHER}"}).start()
    yield server.client("kms", secure=True), server.client("kms", secure=True, region=OTHER)
    server.stop()


def test_ciphertexts_open_in_either_region(regions):
    here, there = regions
    key = here.create_key(MultiRegion=True, Description="primary")["KeyMetadata"]
    assert key["KeyId"].startswith("mrk-") and key["MultiRegionConfiguration"]["MultiRegionKeyType"] == "PRIMARY"
    replica = here.replicate_key(KeyId=key["KeyId"], ReplicaRegion=OTHER)["ReplicaKeyMetadata"]
    assert replica["KeyId"] == key["KeyId"] and replica["Arn"].split(":")[3] == OTHER
    context = {"purpose": "two Regions"}
    sealed = here.encrypt(KeyId=key["KeyId"], Plaintext=b"from here", EncryptionContext=context)["CiphertextBlob"]
    opened = there.decrypt(CiphertextBlob=sealed, EncryptionContext=context)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"from here", replica["Arn"])
    sealed = there.encrypt(KeyId=key["KeyId"], Plaintext=b"from there")["CiphertextBlob"]
    assert here.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"from there"

    here.rotate_key_on_demand(KeyId=key["KeyId"])
    sealed = here.encrypt(KeyId=key["KeyId"], Plaintext=b"rotated")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"rotated"


def test_the_primary_moves(regions):
    here, there = regions
    key = here.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    here.replicate_key(KeyId=key, ReplicaRegion=OTHER)
    here.update_primary_region(KeyId=key, PrimaryRegion=OTHER)
    moved = there.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]
    assert (moved["MultiRegionKeyType"], moved["PrimaryKey"]["Region"]) == ("PRIMARY", OTHER)
    assert [entry["Region"] for entry in moved["ReplicaKeys"]] == [REGION]
    assert here.describe_key(KeyId=key)["KeyMetadata"]["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA"


def test_macs_and_signatures_of_either_region(regions):
    here, there = regions
    mac = here.create_key(MultiRegion=True, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    here.replicate_key(KeyId=mac, ReplicaRegion=OTHER)
    request = {"KeyId": mac, "Message": b"a message", "MacAlgorithm": "HMAC_SHA_256"}
    assert there.verify_mac(**request, Mac=here.generate_mac(**request)["Mac"])["MacValid"]
    signer = here.create_key(MultiRegion=True, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    here.replicate_key(KeyId=signer, ReplicaRegion=OTHER)
    request = {"KeyId": signer, "Message": b"a message", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert here.verify(**request, Signature=there.sign(**request)["Signature"])["SignatureValid"]
    assert here.get_public_key(KeyId=signer)["PublicKey"] == there.get_public_key(KeyId=signer)["PublicKey"]


def test_a_key_of_one_region_stays_there(regions):
    here, there = regions
    key = here.create_key()["KeyMetadata"]
    assert refused(there.describe_key, KeyId=key["KeyId"]) == "NotFoundException"
    sealed = here.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert refused(there.decrypt, CiphertextBlob=sealed) == "AccessDeniedException"
    assert refused(here.replicate_key, KeyId=key["KeyId"], ReplicaRegion=OTHER) == "UnsupportedOperationException"
