"""HSMs as custom key stores: the real server, boto3, and SoftHSM behind a module that can hang, refuse and go away."""

import concurrent.futures
import contextlib
import time
from pathlib import Path

import botocore.config
import pytest
from botocore.exceptions import ClientError

from hsm import PIN, Hsm
from refusals import refused
from strongroom import Server

CLUSTER, OTHER, MISSING = "cluster-2a23b4cdefg", "cluster-3a23b4cdefg", "cluster-4a23b4cdefg"
COPY, BROKEN, UNKNOWN = "cluster-5a23b4cdefg", "cluster-6a23b4cdefg", "cluster-7a23b4cdefg"
FOREIGN = "cluster-aa23b4cdefg"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMAMBAf8=\n-----END CERTIFICATE-----\n"
OTHERS_CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMAMBAQA=\n-----END CERTIFICATE-----\n"
CONTEXT = {"purpose": "test"}
NO_ANSWER = "KMS cannot communicate with your CloudHSM cluster"
# A call into an HSM has 5 s.
BOUND_SECONDS = 8


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    hsm = Hsm(tmp_path_factory.mktemp("hsm") / "hsm")
    for label in ("one", "two"):
        hsm.token(label)
    return hsm


@contextlib.contextmanager
def running(folder, hsm: Hsm):
    anchor = hsm.folder / "ca.crt"
    anchor.write_text("A certificate:\n" + CERTIFICATE)
    query = f"module-path={hsm.module}"
    hsms = [
        f"{CLUSTER}=pkcs11:token=one?{query}&x-trust-anchor={anchor}",
        f"{COPY}=pkcs11:token=one?{query}&x-trust-anchor={anchor}",
        f"{OTHER}=pkcs11:token=two?{query}",
        f"{FOREIGN}=pkcs11:token=two?{query}&x-account=444455556666",
        f"{MISSING}=pkcs11:token=three?{query}",
        f"{BROKEN}=pkcs11:token=one?module-path=/no/such/module.so",
    ]
    server = Server(folder, environment={**hsm.environment(), "STRONGROOM_HSMS": ",".join(hsms)}).start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def server(hsm, tmp_path_factory):
    with running(tmp_path_factory.mktemp("strongroom"), hsm) as server:
        yield server


@pytest.fixture(scope="module")
def kms(server):
    return server.client("kms", secure=True)


@pytest.fixture(autouse=True)
def all_is_well(hsm):
    """Whatever a test broke is whole again for the next one."""
    yield
    for fault in hsm.faults.iterdir():
        if fault.name != "calls":
            fault.unlink()


def create(kms, name, cluster=CLUSTER, pin=PIN, certificate=CERTIFICATE, **more):
    return kms.create_custom_key_store(
        CustomKeyStoreName=name, CloudHsmClusterId=cluster, KeyStorePassword=pin, TrustAnchorCertificate=certificate, **more
    )["CustomKeyStoreId"]


def described(kms, store):
    (entry,) = kms.describe_custom_key_stores(CustomKeyStoreId=store)["CustomKeyStores"]
    return entry


def state(kms, store):
    entry = described(kms, store)
    return entry["ConnectionState"], entry.get("ConnectionErrorCode")


def make_key(kms, store):
    return kms.create_key(Origin="AWS_CLOUDHSM", CustomKeyStoreId=store)["KeyMetadata"]


def delete(kms, store):
    if described(kms, store)["ConnectionState"] != "DISCONNECTED":
        kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms.delete_custom_key_store(CustomKeyStoreId=store)


@pytest.fixture(scope="module")
def store(kms):
    """A connected store in the token `one`, for keys that stay."""
    store = create(kms, "the store")
    kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert state(kms, store) == ("CONNECTED", None)
    return store


@pytest.fixture
def key(kms, store):
    return make_key(kms, store)["Arn"]


def test_a_store_is_described_as_it_was_made(kms, store):
    entry = described(kms, store)
    assert entry.pop("CreationDate")
    assert entry == {
        "CustomKeyStoreId": store,
        "CustomKeyStoreName": "the store",
        "CloudHsmClusterId": CLUSTER,
        "TrustAnchorCertificate": CERTIFICATE,
        "ConnectionState": "CONNECTED",
        "CustomKeyStoreType": "AWS_CLOUDHSM",
    }
    assert store.startswith("cks-") and len(store) == 21
    (named,) = kms.describe_custom_key_stores(CustomKeyStoreName="the store")["CustomKeyStores"]
    assert named["CustomKeyStoreId"] == store
    assert store in [entry["CustomKeyStoreId"] for entry in kms.describe_custom_key_stores()["CustomKeyStores"]]
    assert refused(kms.describe_custom_key_stores, CustomKeyStoreId="cks-none") == "CustomKeyStoreNotFoundException"
    assert refused(kms.describe_custom_key_stores, CustomKeyStoreName="none") == "CustomKeyStoreNotFoundException"
    both = {"CustomKeyStoreId": store, "CustomKeyStoreName": "the store"}
    assert refused(kms.describe_custom_key_stores, **both) == "ValidationException"
    assert refused(kms.describe_custom_key_stores, Marker="x") == "InvalidMarkerException"


def test_a_key_in_an_hsm_does_what_a_symmetric_key_does(kms, store, key, hsm):
    metadata = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (metadata["Origin"], metadata["CustomKeyStoreId"]) == ("AWS_CLOUDHSM", store)
    assert (metadata["CloudHsmClusterId"], metadata["KeyState"]) == (CLUSTER, "Enabled")
    assert "CurrentKeyMaterialId" not in metadata

    before = hsm.calls("C_Sign")
    sealed = kms.encrypt(KeyId=key, Plaintext=b"hello", EncryptionContext=CONTEXT)
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert (opened["Plaintext"], opened["KeyId"]) == (b"hello", key)
    assert hsm.calls("C_Sign") > before
    blob = sealed["CiphertextBlob"]
    assert refused(kms.decrypt, CiphertextBlob=blob) == "InvalidCiphertextException"
    for position in range(0, len(blob), 7):
        broken = blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]
        code = refused(kms.decrypt, CiphertextBlob=broken, EncryptionContext=CONTEXT)
        assert code in ("InvalidCiphertextException", "AccessDeniedException")

    data_key = kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    opened = kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert opened["Plaintext"] == data_key["Plaintext"]
    alone = kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=7)
    assert len(kms.decrypt(CiphertextBlob=alone["CiphertextBlob"])["Plaintext"]) == 7

    local = kms.create_key()["KeyMetadata"]["Arn"]
    out = kms.re_encrypt(CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=local)
    back = kms.re_encrypt(CiphertextBlob=out["CiphertextBlob"], DestinationKeyId=key)
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"hello"
    assert kms.decrypt(CiphertextBlob=out["CiphertextBlob"])["Plaintext"] == b"hello"


def test_what_keys_in_an_hsm_do_not_do(kms, key):
    unsupported = "UnsupportedOperationException"
    pair = {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"}
    assert refused(kms.generate_data_key_pair, **pair) == unsupported
    assert refused(kms.generate_data_key_pair_without_plaintext, **pair) == unsupported
    assert refused(kms.rotate_key_on_demand, KeyId=key) == unsupported
    assert refused(kms.enable_key_rotation, KeyId=key) == unsupported
    assert refused(kms.get_key_rotation_status, KeyId=key) == unsupported


def test_which_keys_can_be_made_in_an_hsm(kms, store):
    in_store = {"Origin": "AWS_CLOUDHSM", "CustomKeyStoreId": store}
    for more, code in (
        ({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}, "UnsupportedOperationException"),
        ({"MultiRegion": True}, "UnsupportedOperationException"),
        ({"XksKeyId": "x"}, "ValidationException"),
        ({"CustomKeyStoreId": "cks-none"}, "CustomKeyStoreNotFoundException"),
        ({"Origin": "AWS_KMS"}, "ValidationException"),
        ({"Origin": "EXTERNAL_KEY_STORE", "XksKeyId": "x"}, "UnsupportedOperationException"),
    ):
        assert refused(kms.create_key, **(in_store | more)) == code, more
    assert refused(kms.create_key, Origin="AWS_CLOUDHSM") == "ValidationException"


def test_random_bytes_of_an_hsm(kms, store, hsm):
    before = hsm.calls("C_GenerateRandom")
    given = {len(kms.generate_random(NumberOfBytes=length, CustomKeyStoreId=store)["Plaintext"]) for length in (1, 32, 1024)}
    assert given == {1, 32, 1024}
    assert hsm.calls("C_GenerateRandom") == before + 3
    assert refused(kms.generate_random, NumberOfBytes=8, CustomKeyStoreId="cks-none") == "CustomKeyStoreNotFoundException"
    hsm.fault("C_GenerateRandom", "30")
    with pytest.raises(ClientError) as error:
        kms.generate_random(NumberOfBytes=8, CustomKeyStoreId=store)
    assert error.value.response["Error"]["Code"] == "DependencyTimeoutException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_an_object_is_sealed_under_a_key_in_an_hsm(server, kms, key):
    s3 = server.client("s3", secure=True)
    s3.create_bucket(Bucket="in-an-hsm")
    s3.put_object(Bucket="in-an-hsm", Key="a", Body=b"x" * 100_000, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    got = s3.get_object(Bucket="in-an-hsm", Key="a")
    assert (got["Body"].read(), got["SSEKMSKeyId"]) == (b"x" * 100_000, key)


def test_a_store_that_is_not_connected_makes_its_keys_unavailable(kms):
    store = create(kms, "on and off", OTHER)
    assert state(kms, store) == ("DISCONNECTED", None)
    assert refused(kms.create_key, Origin="AWS_CLOUDHSM", CustomKeyStoreId=store) == "CustomKeyStoreInvalidStateException"
    assert refused(kms.generate_random, NumberOfBytes=8, CustomKeyStoreId=store) == "CustomKeyStoreInvalidStateException"
    assert refused(kms.disconnect_custom_key_store, CustomKeyStoreId=store) == "CustomKeyStoreInvalidStateException"

    kms.connect_custom_key_store(CustomKeyStoreId=store)
    kms.connect_custom_key_store(CustomKeyStoreId=store)
    arn = make_key(kms, store)["Arn"]
    blob = kms.encrypt(KeyId=arn, Plaintext=b"kept")["CiphertextBlob"]
    assert refused(kms.delete_custom_key_store, CustomKeyStoreId=store) == "CustomKeyStoreHasCMKsException"

    kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    metadata = kms.describe_key(KeyId=arn)["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Unavailable", False)
    for call, arguments in (
        (kms.encrypt, {"KeyId": arn, "Plaintext": b"x"}),
        (kms.encrypt, {"KeyId": arn, "Plaintext": b"x", "DryRun": True}),
        (kms.decrypt, {"CiphertextBlob": blob}),
        (kms.generate_data_key, {"KeyId": arn, "KeySpec": "AES_256"}),
        (kms.re_encrypt, {"CiphertextBlob": blob, "DestinationKeyId": arn}),
    ):
        with pytest.raises(ClientError) as error:
            call(**arguments)
        told = error.value.response["Error"]
        assert (told["Code"], told["Message"]) == ("KMSInvalidStateException", f"{arn} is unavailable.")
    # What is done to the key meanwhile takes effect when it is there again.
    kms.disable_key(KeyId=arn)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Unavailable"
    assert refused(kms.encrypt, KeyId=arn, Plaintext=b"x") == "KMSInvalidStateException"
    kms.create_alias(AliasName="alias/unavailable", TargetKeyId=arn)
    kms.tag_resource(KeyId=arn, Tags=[{"TagKey": "a", "TagValue": "b"}])
    kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "Disabled"
    assert refused(kms.decrypt, CiphertextBlob=blob) == "DisabledException"
    kms.enable_key(KeyId=arn)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"

    # A key that is on its way out stays so, and its deletion can be cancelled without the HSM.
    kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    kms.schedule_key_deletion(KeyId=arn, PendingWindowInDays=7)
    assert kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    with pytest.raises(ClientError, match="is pending deletion"):
        kms.decrypt(CiphertextBlob=blob)
    kms.cancel_key_deletion(KeyId=arn)
    kms.enable_key(KeyId=arn)
    kms.connect_custom_key_store(CustomKeyStoreId=store)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def test_how_create_refuses(server, kms, store):
    for more, code in (
        ({"name": "the store", "cluster": OTHER}, "CustomKeyStoreNameInUseException"),
        ({"cluster": UNKNOWN}, "CloudHsmClusterNotFoundException"),
        ({"cluster": CLUSTER}, "CloudHsmClusterInUseException"),
        ({"cluster": COPY}, "CloudHsmClusterInUseException"),
        ({"cluster": MISSING}, "CloudHsmClusterNotActiveException"),
        ({"cluster": BROKEN}, "CloudHsmClusterInvalidConfigurationException"),
        # Of another account: there is no such cluster.
        ({"cluster": FOREIGN}, "CloudHsmClusterNotFoundException"),
        ({"XksProxyUriPath": "/kms/xks/v1"}, "ValidationException"),
    ):
        arguments = {"name": "another", "cluster": UNKNOWN} | more
        assert refused(create, kms=kms, **arguments) == code, more
    bare = {"CustomKeyStoreName": "bare", "CloudHsmClusterId": CLUSTER, "KeyStorePassword": PIN, "TrustAnchorCertificate": "x"}
    unchecked = server.client("kms", config=botocore.config.Config(parameter_validation=False))
    assert refused(unchecked.create_custom_key_store, **bare | {"KeyStorePassword": "123456"}) == "ValidationException"
    for member in ("CloudHsmClusterId", "KeyStorePassword", "TrustAnchorCertificate"):
        some = {name: value for name, value in bare.items() if name != member}
        assert refused(kms.create_custom_key_store, **some) == "ValidationException", member


def test_the_trust_anchor_is_the_hsms(kms, tmp_path, hsm):
    with running(tmp_path, hsm) as server:
        own = server.client("kms")
        assert refused(create, kms=own, name="a", certificate=OTHERS_CERTIFICATE) == "IncorrectTrustAnchorException"
        assert refused(create, kms=own, name="a", certificate="x") == "IncorrectTrustAnchorException"
        # However its lines are broken.
        store = create(own, "a", certificate=CERTIFICATE.replace("\n", "\r\n"))
        # A store moves between copies of one HSM, and to no other.
        update = {"CustomKeyStoreId": store}
        assert refused(own.update_custom_key_store, **update, CloudHsmClusterId=OTHER) == "CloudHsmClusterNotRelatedException"
        assert refused(own.update_custom_key_store, **update, CloudHsmClusterId=UNKNOWN) == "CloudHsmClusterNotFoundException"
        own.update_custom_key_store(**update, CloudHsmClusterId=COPY)
        assert described(own, store)["CloudHsmClusterId"] == COPY
        own.connect_custom_key_store(CustomKeyStoreId=store)
        assert state(own, store) == ("CONNECTED", None)
        # Ten stores at most: each needs an HSM of its own, of which there are not so many here.
        assert refused(create, kms=own, name="b") == "CloudHsmClusterInUseException"
        delete(own, store)
        assert refused(own.describe_custom_key_stores, CustomKeyStoreId=store) == "CustomKeyStoreNotFoundException"
        delete(own, create(own, "a"))


def test_what_can_be_updated_and_when(kms, store):
    one = {"CustomKeyStoreId": store}
    invalid = "CustomKeyStoreInvalidStateException"
    assert refused(kms.update_custom_key_store, **one, KeyStorePassword=PIN) == invalid
    assert refused(kms.update_custom_key_store, **one, CloudHsmClusterId=COPY) == invalid
    assert refused(kms.update_custom_key_store, **one) == "ValidationException"
    assert refused(kms.update_custom_key_store, **one, XksProxyUriPath="/kms/xks/v1") == "ValidationException"
    none = {"CustomKeyStoreId": "cks-none", "NewCustomKeyStoreName": "x"}
    assert refused(kms.update_custom_key_store, **none) == "CustomKeyStoreNotFoundException"
    for other in (kms.connect_custom_key_store, kms.disconnect_custom_key_store, kms.delete_custom_key_store):
        assert refused(other, CustomKeyStoreId="cks-none") == "CustomKeyStoreNotFoundException"
    assert refused(kms.delete_custom_key_store, **one) in (invalid, "CustomKeyStoreHasCMKsException")
    kms.update_custom_key_store(**one, NewCustomKeyStoreName="renamed")
    assert described(kms, store)["CustomKeyStoreName"] == "renamed"
    assert refused(kms.describe_custom_key_stores, CustomKeyStoreName="the store") == "CustomKeyStoreNotFoundException"
    kms.update_custom_key_store(**one, NewCustomKeyStoreName="the store")


def test_a_wrong_pin_fails_the_connection_and_is_tried_once(kms, tmp_path, hsm):
    with running(tmp_path, hsm) as server:
        own = server.client("kms")
        store = create(own, "a", OTHER, pin="00000000")
        one = {"CustomKeyStoreId": store}
        before = hsm.calls("C_Login")
        own.connect_custom_key_store(**one)
        assert state(own, store) == ("FAILED", "INVALID_CREDENTIALS")
        assert hsm.calls("C_Login") == before + 1
        assert refused(own.connect_custom_key_store, **one) == "CustomKeyStoreInvalidStateException"
        assert refused(own.update_custom_key_store, **one, KeyStorePassword=PIN) == "CustomKeyStoreInvalidStateException"
        assert refused(own.create_key, Origin="AWS_CLOUDHSM", **one) == "CustomKeyStoreInvalidStateException"
        server.kill()
        server.start()
        own = server.client("kms")
        assert state(own, store) == ("FAILED", "INVALID_CREDENTIALS")
        assert hsm.calls("C_Login") == before + 1, "nobody tries it again by himself"
        own.disconnect_custom_key_store(**one)
        assert state(own, store) == ("DISCONNECTED", None)
        own.update_custom_key_store(**one, KeyStorePassword=PIN)
        own.connect_custom_key_store(**one)
        assert state(own, store) == ("CONNECTED", None)
        delete(own, store)


@pytest.mark.parametrize(
    ("function", "fault", "code"),
    [
        ("C_Login", "a0", "INVALID_CREDENTIALS"),
        ("C_Login", "a4", "USER_LOCKED_OUT"),
        ("C_Login", "102", "USER_NOT_FOUND"),
        ("C_Login", "104", "USER_LOGGED_IN"),
        ("C_Login", "hang", "NETWORK_ERRORS"),
        ("C_Login", "32", "NETWORK_ERRORS"),
        ("C_OpenSession", "e0", "NETWORK_ERRORS"),
        ("C_GetTokenInfo", "e0", "INSUFFICIENT_CLOUDHSM_HSMS"),
        ("C_Login", "54", "INTERNAL_ERROR"),
    ],
)
def test_every_code_of_a_failed_connection(kms, hsm, tmp_path, function, fault, code):
    with running(tmp_path, hsm) as server:
        own = server.client("kms")
        store = create(own, "a", OTHER)
        hsm.fault(function, fault)
        started = time.monotonic()
        own.connect_custom_key_store(CustomKeyStoreId=store)
        assert time.monotonic() - started < BOUND_SECONDS
        assert state(own, store) == ("FAILED", code)
        hsm.fault(function, None)
        own.disconnect_custom_key_store(CustomKeyStoreId=store)
        own.connect_custom_key_store(CustomKeyStoreId=store)
        assert state(own, store) == ("CONNECTED", None)
        delete(own, store)


def test_a_cluster_that_is_not_set_up_any_more(hsm, tmp_path):
    with running(tmp_path, hsm) as server:
        own = server.client("kms")
        store = create(own, "a", OTHER)
        own.connect_custom_key_store(CustomKeyStoreId=store)
        arn = make_key(own, store)["Arn"]
        blob = own.encrypt(KeyId=arn, Plaintext=b"kept")["CiphertextBlob"]
        server.stop()
        hsms = server.environment.pop("STRONGROOM_HSMS")
        server.start()
        own = server.client("kms")
        assert refused(own.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
        own.disconnect_custom_key_store(CustomKeyStoreId=store)
        own.connect_custom_key_store(CustomKeyStoreId=store)
        assert state(own, store) == ("FAILED", "CLUSTER_NOT_FOUND")
        server.stop()
        server.environment["STRONGROOM_HSMS"] = hsms
        server.start()
        own = server.client("kms")
        own.disconnect_custom_key_store(CustomKeyStoreId=store)
        own.connect_custom_key_store(CustomKeyStoreId=store)
        assert own.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def test_the_token_goes_in_the_middle_of_traffic_and_comes_back(kms, store, key, hsm):
    """Nothing hangs, nothing is lost: whatever was sealed opens afterwards, and the store needs no hand."""
    blobs, refusals = [], []

    def traffic(number: int) -> None:
        for round in range(40):
            started = time.monotonic()
            try:
                plaintext = f"{number} {round}".encode()
                blobs.append((kms.encrypt(KeyId=key, Plaintext=plaintext)["CiphertextBlob"], plaintext))
            except ClientError as error:
                refusals.append(error.response["Error"])
            assert time.monotonic() - started < BOUND_SECONDS
            time.sleep(0.02)

    local = kms.create_key()["KeyMetadata"]["Arn"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(traffic, number) for number in range(8)]
        time.sleep(0.3)
        hsm.take_away()
        time.sleep(0.5)
        started = time.monotonic()
        kms.encrypt(KeyId=local, Plaintext=b"x")
        assert time.monotonic() - started < 1, "keys that are kept here do not notice"
        assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
        assert state(kms, store) == ("CONNECTED", None)
        for task in tasks:
            task.result()
    assert blobs and refusals
    assert {(refusal["Code"], refusal["Message"]) for refusal in refusals} == {("KMSInvalidStateException", NO_ANSWER)}
    hsm.put_back()
    until_it_works(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"), 40)
    for blob, plaintext in blobs:
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == plaintext


def test_a_module_that_hangs_holds_nobody_up(kms, server, store, key, hsm):
    blob = kms.encrypt(KeyId=key, Plaintext=b"kept")["CiphertextBlob"]
    hsm.fault("C_Sign", "hang")
    started = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        codes = {task.result() for task in [pool.submit(answer_of, kms, key) for _ in range(24)]}
    assert codes <= {"KMSInvalidStateException", "KMSInternalException"}
    assert time.monotonic() - started < 2 * BOUND_SECONDS
    local = kms.create_key()["KeyMetadata"]["Arn"]
    started = time.monotonic()
    for _ in range(20):
        kms.encrypt(KeyId=local, Plaintext=b"x")
    assert time.monotonic() - started < 2
    hsm.fault("C_Sign", None)
    until_it_works(lambda: kms.encrypt(KeyId=key, Plaintext=b"x"), 20)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def until_it_works(call, seconds: float) -> dict:
    """The answer of a call that an HSM which is coming back refuses for a while."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return call()
        except ClientError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def answer_of(kms, key):
    try:
        kms.encrypt(KeyId=key, Plaintext=b"x")
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


def test_a_server_that_was_killed_finds_its_store_connected(hsm, tmp_path):
    with running(tmp_path, hsm) as server:
        own = server.client("kms")
        store = create(own, "a", OTHER)
        own.connect_custom_key_store(CustomKeyStoreId=store)
        blobs = []
        for round in range(3):
            arn = make_key(own, store)["Arn"]
            blobs.append(own.encrypt(KeyId=arn, Plaintext=b"kept")["CiphertextBlob"])
            server.kill()
            server.start()
            own = server.client("kms")
            assert state(own, store) == ("CONNECTED", None)
            for blob in blobs:
                assert own.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"
        # An HSM that is away when the server starts is found later.
        server.kill()
        hsm.take_away()
        server.start()
        own = server.client("kms")
        assert refused(own.decrypt, CiphertextBlob=blobs[0]) == "KMSInvalidStateException"
        hsm.put_back()
        opened = until_it_works(lambda: own.decrypt(CiphertextBlob=blobs[0]), 20)
        assert opened["Plaintext"] == b"kept"


def test_a_key_that_is_gone_from_the_hsm(kms, store, hsm):
    """Somebody destroyed it with the vendor's tools. Its neighbours do not notice, and a backup brings it back."""
    before = hsm.objects()
    arn = make_key(kms, store)["Arn"]
    (made,) = hsm.objects() - before
    other = make_key(kms, store)["Arn"]
    blob = kms.encrypt(KeyId=arn, Plaintext=b"kept")["CiphertextBlob"]
    contents = made.read_bytes()
    made.unlink()
    bump(made)
    with pytest.raises(ClientError) as error:
        kms.decrypt(CiphertextBlob=blob)
    told = error.value.response["Error"]
    assert told["Code"] == "KMSInvalidStateException" and "key material" in told["Message"]
    assert answer_of(kms, other) is None
    made.write_bytes(contents)
    bump(made)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"kept"


def bump(changed: Path) -> None:
    """SoftHSM looks at a token's folder again when its generation has changed: the number in front of the file."""
    path = changed.parent / "generation"
    number = int.from_bytes(path.read_bytes()[:8], "big")
    path.write_bytes((number + 1).to_bytes(8, "big"))


def test_a_password_is_nowhere_in_the_clear(server, kms, store):
    secret = PIN.encode()
    for path in [*server.data.rglob("*"), server.log]:
        if path.is_file():
            assert secret not in path.read_bytes(), path
