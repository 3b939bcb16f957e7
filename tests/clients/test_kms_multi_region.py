"""Multi-Region keys through boto3 and the Encryption SDK's keyrings: their life, what is refused, and which use was the last."""

import datetime

import aws_encryption_sdk
import pytest
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import CreateAwsKmsMrkKeyringInput
from aws_encryption_sdk.identifiers import CommitmentPolicy

from refusals import refused
from strongroom import REGION, Server

OTHER, THIRD = "eu-central-1", "ap-south-1"


@pytest.fixture
def regions(tmp_path):
    """A server of three Regions, and a client of KMS in each."""
    environment = {"STRONGROOM_REGIONS": f"{REGION},{OTHER},{THIRD}"}
    server = Server(tmp_path, "--blocked-encryption-types", "NONE", environment=environment).start()
    yield server, *(server.client("kms", secure=True, region=region) for region in (REGION, OTHER, THIRD))
    server.stop()


def test_the_encryption_sdk_opens_in_the_other_region(regions):
    _, here, there, _ = regions
    key = here.create_key(MultiRegion=True)["KeyMetadata"]
    replica = here.replicate_key(KeyId=key["Arn"], ReplicaRegion=OTHER)["ReplicaKeyMetadata"]
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())

    def keyring(arn, client):
        return providers.create_aws_kms_mrk_keyring(CreateAwsKmsMrkKeyringInput(kms_key_id=arn, kms_client=client))

    sdk = aws_encryption_sdk.EncryptionSDKClient(commitment_policy=CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
    context = {"purpose": "two Regions"}
    sealed, _ = sdk.encrypt(source=b"from here", keyring=keyring(key["Arn"], here), encryption_context=context)
    opened, _ = sdk.decrypt(source=sealed, keyring=keyring(replica["Arn"], there))
    assert opened == b"from here"


def test_a_replica_has_its_own_policy_tags_and_description(regions):
    _, here, there, _ = regions
    key = here.create_key(MultiRegion=True, Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyMetadata"]["KeyId"]
    here.create_alias(AliasName="alias/here", TargetKeyId=key)
    made = here.replicate_key(
        KeyId=key, ReplicaRegion=OTHER, Description="there", Tags=[{"TagKey": "b", "TagValue": "2"}]
    )
    assert made["ReplicaTags"] == [{"TagKey": "b", "TagValue": "2"}]
    assert made["ReplicaPolicy"] == there.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
    described = there.describe_key(KeyId=key)["KeyMetadata"]
    assert described == made["ReplicaKeyMetadata"] and described["Description"] == "there"
    assert there.list_resource_tags(KeyId=key)["Tags"] == made["ReplicaTags"]
    assert there.list_aliases(KeyId=key)["Aliases"] == []


def test_what_is_refused(regions):
    server, here, there, _ = regions
    key = here.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    assert refused(here.replicate_key, KeyId=key, ReplicaRegion="sa-east-1") == "UnsupportedOperationException"
    here.replicate_key(KeyId=key, ReplicaRegion=OTHER)
    assert refused(here.replicate_key, KeyId=key, ReplicaRegion=OTHER) == "AlreadyExistsException"
    assert refused(there.replicate_key, KeyId=key, ReplicaRegion=THIRD) == "UnsupportedOperationException"
    assert refused(there.rotate_key_on_demand, KeyId=key) == "UnsupportedOperationException"
    assert refused(there.enable_key_rotation, KeyId=key) == "UnsupportedOperationException"
    assert refused(there.update_primary_region, KeyId=key, PrimaryRegion=REGION) == "UnsupportedOperationException"
    assert refused(here.update_primary_region, KeyId=key, PrimaryRegion=THIRD) == "NotFoundException"
    assert refused(server.client("kms", secure=True, region="sa-east-1").list_keys) == "InvalidSignatureException"
    assert refused(server.client("s3", secure=True, region=OTHER).list_buckets) == "AuthorizationHeaderMalformed"


def test_a_primary_waits_for_its_replicas_also_over_a_restart(regions):
    server, here, there, third = regions
    key = here.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    for region in (OTHER, THIRD):
        here.replicate_key(KeyId=key, ReplicaRegion=region)
    sealed = here.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    scheduled = here.schedule_key_deletion(KeyId=key, PendingWindowInDays=9)
    assert (scheduled["KeyState"], scheduled["PendingWindowInDays"]) == ("PendingReplicaDeletion", 9)
    assert "DeletionDate" not in scheduled
    assert "DeletionDate" in third.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    server.stop()
    server.start()
    waiting = here.describe_key(KeyId=key)["KeyMetadata"]
    assert (waiting["KeyState"], waiting["PendingDeletionWindowInDays"]) == ("PendingReplicaDeletion", 9)
    assert third.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert there.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    here.cancel_key_deletion(KeyId=key)
    assert here.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_the_last_use_of_each_member_is_its_own_and_survives_a_stop(regions):
    server, here, there, _ = regions
    before = datetime.datetime.now(datetime.UTC)
    key = here.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    here.replicate_key(KeyId=key, ReplicaRegion=OTHER)
    assert here.get_key_last_usage(KeyId=key)["KeyLastUsage"] == {}
    used = here.generate_data_key(KeyId=key, KeySpec="AES_256")
    there.decrypt(CiphertextBlob=used["CiphertextBlob"])
    server.stop()
    server.start()
    answer = here.get_key_last_usage(KeyId=key)
    last = answer["KeyLastUsage"]
    assert (answer["KeyId"], last["Operation"]) == (key, "GenerateDataKey")
    assert last["KmsRequestId"] == used["ResponseMetadata"]["RequestId"]
    assert before - datetime.timedelta(seconds=1) < last["Timestamp"] < datetime.datetime.now(datetime.UTC)
    assert answer["TrackingStartDate"] == answer["KeyCreationDate"]
    assert there.get_key_last_usage(KeyId=key)["KeyLastUsage"]["Operation"] == "Decrypt"


def test_an_object_s_key_was_used_last_through_s3(regions):
    server, here, _, _ = regions
    key = here.create_key()["KeyMetadata"]["Arn"]
    s3 = server.client("s3", secure=True)
    s3.create_bucket(Bucket="last-use")
    s3.put_object(Bucket="last-use", Key="o", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    assert here.get_key_last_usage(KeyId=key)["KeyLastUsage"]["Operation"] == "GenerateDataKey"
    s3.get_object(Bucket="last-use", Key="o")["Body"].read()
    assert here.get_key_last_usage(KeyId=key)["KeyLastUsage"]["Operation"] == "Decrypt"
