"""External key stores: the real server, boto3 and a proxy that is well, ill, slow, wrong or gone."""

import concurrent.futures
import hashlib
import secrets
import time

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from xks_proxy import Authority
from xks_setting import BOUND_SECONDS, OTHER_PATH, PATH, TIMED_OUT, Setting, refused

CONTEXT = {"purpose": "test", "no": "1"}

MALFORMED = "cannot interpret the response from the external key store proxy"
UNREACHABLE = "cannot communicate with the external key store proxy"
NOT_CONNECTED = "not connected to its external key store proxy"

# What the proxy answers, what a use of a key answers then, and what CreateCustomKeyStore and ConnectCustomKeyStore do.
REFUSALS = [
    ("ValidationException", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ("InvalidStateException", "is not enabled in the external key manager", "XksProxyInvalidConfigurationException", "XKS_PROXY_NOT_REACHABLE"),
    ("InvalidKeyUsageException", "does not support the requested operation", "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    (
        "AuthenticationFailedException",
        "could not authenticate AWS KMS",
        "XksProxyIncorrectAuthenticationCredentialException",
        "INVALID_CREDENTIALS",
    ),
    ("AccessDeniedException", "denied access to the operation", "XksProxyInvalidConfigurationException", "XKS_PROXY_ACCESS_DENIED"),
    ("KeyNotFoundException", "was not found in its external key manager", "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    (
        "InvalidUriPathException",
        "invalid URI path",
        "XksProxyInvalidConfigurationException",
        "XKS_PROXY_INVALID_CONFIGURATION",
    ),
    ("ThrottlingException", "very high request rate", "XksProxyUriUnreachableException", "XKS_PROXY_NOT_REACHABLE"),
    ("UnsupportedOperationException", "does not support the", "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    (
        "DependencyTimeoutException",
        "in the time allotted",
        "XksProxyUriUnreachableException",
        "XKS_PROXY_TIMED_OUT",
    ),
    (
        "InternalException",
        "cannot communicate with the external key manager",
        "XksProxyInvalidResponseException",
        "XKS_PROXY_INVALID_RESPONSE",
    ),
]
# The same for what it does wrong in any answer.
FAULTS = [
    ("slow", TIMED_OUT, "XksProxyUriUnreachableException", "XKS_PROXY_TIMED_OUT"),
    ("hang", TIMED_OUT, "XksProxyUriUnreachableException", "XKS_PROXY_TIMED_OUT"),
    ("closed", UNREACHABLE, "XksProxyUriUnreachableException", "XKS_PROXY_NOT_REACHABLE"),
    ("truncated", UNREACHABLE, "XksProxyUriUnreachableException", "XKS_PROXY_NOT_REACHABLE"),
    ("html", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ("not-json", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ("not-object", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ("huge", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ("wrong-name", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ("success-without-members", MALFORMED, "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
]


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    setting = Setting(tmp_path_factory.mktemp("xks"))
    yield setting
    setting.stop()


@pytest.fixture(scope="module")
def store(setting):
    """The connected store that most tests share."""
    store = setting.kms.create_custom_key_store(**setting.members())["CustomKeyStoreId"]
    assert setting.connect(store)["ConnectionState"] == "CONNECTED"
    return store


@pytest.fixture(autouse=True)
def well(setting):
    """Whatever a test has done to the proxy and to the shared store, the next one finds them as they should be."""
    yield
    setting.proxy.well()
    if setting.proxy.server is None:
        setting.proxy.start()


@pytest.fixture
def key(setting, store):
    external = "key-" + secrets.token_hex(4)
    setting.proxy.add_key(external)
    return setting.create_key(store, external)


def external_of(setting, key: str):
    metadata = setting.kms.describe_key(KeyId=key)["KeyMetadata"]
    return setting.proxy.keys[metadata["XksKeyConfiguration"]["Id"]]


def test_a_store_is_described_without_its_secret(setting, store):
    described = setting.describe(store)
    assert described["CustomKeyStoreType"] == "EXTERNAL_KEY_STORE"
    assert described["ConnectionState"] == "CONNECTED" and "ConnectionErrorCode" not in described
    assert described["XksProxyConfiguration"] == {
        "Connectivity": "PUBLIC_ENDPOINT",
        "AccessKeyId": setting.proxy.access_key_id,
        "UriEndpoint": setting.proxy.endpoint,
        "UriPath": PATH,
    }


def test_a_key_is_described_with_its_external_key(setting, store):
    setting.proxy.add_key("described.key_1")
    metadata = setting.kms.create_key(
        Origin="EXTERNAL_KEY_STORE", CustomKeyStoreId=store, XksKeyId="described.key_1", Description="outside"
    )["KeyMetadata"]
    assert metadata == setting.kms.describe_key(KeyId=metadata["KeyId"])["KeyMetadata"]
    assert metadata["Origin"] == "EXTERNAL_KEY_STORE" and metadata["CustomKeyStoreId"] == store
    assert metadata["XksKeyConfiguration"] == {"Id": "described.key_1"}
    assert metadata["KeyState"] == "Enabled" and metadata["KeySpec"] == "SYMMETRIC_DEFAULT"
    assert not metadata["MultiRegion"]


@pytest.mark.parametrize("size", [1, 32, 4096])
def test_what_is_encrypted_is_decrypted(setting, key, size):
    plaintext = secrets.token_bytes(size)
    encrypted = setting.kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=CONTEXT)
    assert encrypted["KeyId"] == key
    blob = encrypted["CiphertextBlob"]
    for key_id in [{}, {"KeyId": key}]:
        decrypted = setting.kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT, **key_id)
        assert (decrypted["Plaintext"], decrypted["KeyId"]) == (plaintext, key)


def test_data_keys(setting, key):
    made = setting.kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext=CONTEXT)
    assert setting.kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)["Plaintext"] == made["Plaintext"]
    made = setting.kms.generate_data_key_without_plaintext(KeyId=key, NumberOfBytes=1024)
    assert len(setting.kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"]) == 1024


def test_a_ciphertext_moves_in_and_out(setting, key):
    local = setting.kms.create_key()["KeyMetadata"]["Arn"]
    blob = setting.kms.encrypt(KeyId=local, Plaintext=b"moves")["CiphertextBlob"]
    inside = setting.kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key, DestinationEncryptionContext=CONTEXT)
    assert (inside["SourceKeyId"], inside["KeyId"]) == (local, key)
    back = setting.kms.re_encrypt(
        CiphertextBlob=inside["CiphertextBlob"], SourceEncryptionContext=CONTEXT, DestinationKeyId=local
    )
    assert setting.kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"moves"


def test_the_proxy_is_told_who_asks_for_what(setting, key):
    setting.proxy.requests.clear()
    answer = setting.kms.encrypt(KeyId=key, Plaintext=b"x")
    (operation, request), = setting.proxy.requests
    assert operation.endswith("/encrypt")
    principal = setting.kms.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"]
    metadata = request["requestMetadata"]
    assert metadata["awsPrincipalArn"] == f"arn:aws:iam::{principal}:root"
    assert metadata["kmsKeyArn"] == key and metadata["kmsOperation"] == "Encrypt"
    assert metadata["kmsRequestId"] == answer["ResponseMetadata"]["RequestId"]
    assert "kmsViaService" not in metadata

    setting.proxy.requests.clear()
    setting.kms.generate_data_key(KeyId=key, KeySpec="AES_128")
    setting.kms.decrypt(CiphertextBlob=answer["CiphertextBlob"])
    setting.kms.re_encrypt(CiphertextBlob=answer["CiphertextBlob"], DestinationKeyId=key)
    named = [request["requestMetadata"]["kmsOperation"] for _, request in setting.proxy.requests]
    assert named == ["GenerateDataKey", "Decrypt", "ReEncrypt", "ReEncrypt"]


def test_neither_side_opens_a_ciphertext_alone(setting, key):
    """docs/formats/external-ciphertext.md, peeled by hand."""
    plaintext = b"in two layers"
    blob = setting.kms.encrypt(KeyId=key, Plaintext=plaintext, EncryptionContext=CONTEXT)["CiphertextBlob"]
    header, rest = blob[:55], blob[55:]
    assert header[:7] == b"SREV\x01\x06\x14"
    m = rest[0]
    metadata, rest = rest[1 : 1 + m], rest[1 + m :]
    v = rest[0]
    iv, tag, ciphertext = rest[1 : 1 + v], rest[1 + v : 17 + v], rest[17 + v :]
    assert metadata == setting.proxy.metadata and len(ciphertext) == len(plaintext) + 16

    canonical = len(CONTEXT).to_bytes(4, "big")
    for name in sorted(CONTEXT):
        for text in [name, CONTEXT[name]]:
            canonical += len(text).to_bytes(4, "big") + text.encode()
    aad = header + hashlib.sha256(canonical).digest()
    bound = len(aad).to_bytes(2, "big") + aad + bytes([m]) + metadata
    inner = AESGCM(external_of(setting, key).material).decrypt(iv, ciphertext + tag, bound)
    assert plaintext not in inner

    # The outer layer is gone. What is left opens as no ciphertext of the server's, whatever its label says.
    for label in [6, 1]:
        alone = header[:5] + bytes([label]) + header[6:] + inner
        code, _ = refused(setting.kms.decrypt, CiphertextBlob=alone, EncryptionContext=CONTEXT)
        assert code in ("InvalidCiphertextException", "KMSInvalidStateException")


def test_another_context_or_byte_does_not_open(setting, key):
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    code, message = refused(setting.kms.decrypt, CiphertextBlob=blob, EncryptionContext={"purpose": "other"})
    assert code == "KMSInvalidStateException" and "the specified ciphertext or encryption context is corrupted" in message
    for at in [30, 50, 57, 70, 80, len(blob) - 1]:
        changed = bytearray(blob)
        changed[at] ^= 1
        code, _ = refused(setting.kms.decrypt, CiphertextBlob=bytes(changed), EncryptionContext=CONTEXT)
        assert code in ("KMSInvalidStateException", "InvalidCiphertextException"), at
    assert refused(setting.kms.decrypt, CiphertextBlob=blob[:60], EncryptionContext=CONTEXT)[0] == "InvalidCiphertextException"


def test_the_largest_context_goes_to_the_proxy_too(setting, key):
    context = {"k": "v" * 8191}
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x" * 4096, EncryptionContext=context)["CiphertextBlob"]
    assert setting.kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"x" * 4096


@pytest.mark.parametrize(("name", "text", "_creating", "_connecting"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_refusal_of_the_proxy_is_an_invalid_state(setting, key, name, text, _creating, _connecting):
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    setting.proxy.refuse = name
    for call, members in [
        (setting.kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (setting.kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
        (setting.kms.decrypt, {"CiphertextBlob": blob}),
        (setting.kms.re_encrypt, {"CiphertextBlob": blob, "DestinationKeyId": key}),
    ]:
        code, message = refused(call, **members)
        assert code == "KMSInvalidStateException" and text in message
        assert "The proxy says no." not in message, "the proxy's own words are for the log"
    setting.proxy.well()
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize(("fault", "text", "_creating", "_connecting"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_of_the_proxy_is_an_invalid_state(setting, key, fault, text, _creating, _connecting):
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    setting.proxy.faults = {fault}
    for call, members in [
        (setting.kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (setting.kms.decrypt, {"CiphertextBlob": blob}),
    ]:
        code, message = refused(call, **members)
        assert code == "KMSInvalidStateException" and text in message
    setting.proxy.well()
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize("fault", ["no-integrity", "wrong-integrity", "wrong-length", "wrong-tag", "long-metadata", "short-iv"])
def test_a_wrong_ciphertext_is_never_given_to_anybody(setting, key, fault):
    setting.proxy.faults = {fault}
    for call, members in [
        (setting.kms.encrypt, {"KeyId": key, "Plaintext": b"x"}),
        (setting.kms.generate_data_key, {"KeyId": key, "KeySpec": "AES_256"}),
    ]:
        code, message = refused(call, **members)
        assert code == "KMSInvalidStateException" and MALFORMED in message


@pytest.mark.parametrize(("fault", "text"), [("wrong-plaintext", "submitted for decryption"), ("short-plaintext", MALFORMED)])
def test_a_wrong_plaintext_is_never_given_to_anybody(setting, key, fault, text):
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    setting.proxy.faults = {fault}
    code, message = refused(setting.kms.decrypt, CiphertextBlob=blob)
    assert code == "KMSInvalidStateException" and text in message


def test_another_external_key_under_the_same_name_opens_nothing(setting, key):
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    external = external_of(setting, key)
    kept, external.material = external.material, secrets.token_bytes(32)
    code, message = refused(setting.kms.decrypt, CiphertextBlob=blob)
    assert code == "KMSInvalidStateException" and "corrupted" in message
    external.material = kept
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


ILL = pytest.mark.parametrize(
    ("how", "row"),
    [("refuse", row) for row in REFUSALS] + [("fault", row) for row in FAULTS],
    ids=[row[0] for row in REFUSALS + FAULTS],
)


@ILL
def test_a_store_is_not_made_on_a_proxy_that_is_not_well(setting, how, row):
    name, text, creating, _ = row
    setting.proxy.refuse, setting.proxy.faults = (name, set()) if how == "refuse" else (None, {name})
    code, message = refused(setting.kms.create_custom_key_store, **setting.members(XksProxyUriPath=OTHER_PATH))
    assert code == creating and text in message


@ILL
def test_what_keeps_a_store_from_being_connected_is_told(setting, store, key, how, row):
    name, _, creating, connecting = row
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    setting.proxy.refuse, setting.proxy.faults = (name, set()) if how == "refuse" else (None, {name})
    update = {"CustomKeyStoreId": store, "XksProxyAuthenticationCredential": setting.proxy.credential}
    assert refused(setting.kms.update_custom_key_store, **update)[0] == creating
    begun = time.monotonic()
    described = setting.connect(store)
    assert time.monotonic() - begun < BOUND_SECONDS
    assert (described["ConnectionState"], described["ConnectionErrorCode"]) == ("FAILED", connecting)

    assert setting.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Unavailable"
    code, message = refused(setting.kms.decrypt, CiphertextBlob=blob)
    assert code == "KMSInvalidStateException" and NOT_CONNECTED in message
    connect = setting.kms.connect_custom_key_store
    assert refused(connect, CustomKeyStoreId=store)[0] == "CustomKeyStoreInvalidStateException"

    setting.proxy.well()
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert setting.connect(store)["ConnectionState"] == "CONNECTED"
    assert setting.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize(
    ("fault", "creating", "connecting"),
    [
        ("unavailable", "XksProxyUriUnreachableException", "XKS_PROXY_NOT_REACHABLE"),
        ("no-fleet", "XksProxyInvalidResponseException", "XKS_PROXY_INVALID_RESPONSE"),
    ],
)
def test_the_health_report_is_read(setting, store, fault, creating, connecting):
    setting.proxy.faults = {fault}
    assert refused(setting.kms.create_custom_key_store, **setting.members(XksProxyUriPath=OTHER_PATH))[0] == creating
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert setting.connect(store)["ConnectionErrorCode"] == connecting
    setting.proxy.well()
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert setting.connect(store)["ConnectionState"] == "CONNECTED"


def test_a_proxy_that_is_away_loses_nothing(setting, store, key):
    blobs = [setting.kms.encrypt(KeyId=key, Plaintext=bytes([number]))["CiphertextBlob"] for number in range(5)]
    setting.proxy.stop()
    code, message = refused(setting.kms.encrypt, KeyId=key, Plaintext=b"x")
    assert code == "KMSInvalidStateException" and UNREACHABLE in message
    code, message = refused(setting.kms.decrypt, CiphertextBlob=blobs[0])
    assert code == "KMSInvalidStateException" and UNREACHABLE in message
    # The store is as it was: the next request may find the proxy again.
    assert setting.describe(store)["ConnectionState"] == "CONNECTED"
    setting.proxy.start()
    for number, blob in enumerate(blobs):
        assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == bytes([number])


def test_many_requests_to_a_proxy_that_hangs_end_in_time_and_keep_nobody_else(setting, key):
    local = setting.kms.create_key()["KeyMetadata"]["Arn"]
    setting.proxy.faults = {"hang"}
    clients = [setting.server.client("kms") for _ in range(20)]
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        waiting = [pool.submit(refused, client.encrypt, KeyId=key, Plaintext=b"x") for client in clients]
        for _ in range(10):
            assert setting.kms.encrypt(KeyId=local, Plaintext=b"x")["KeyId"] == local
        assert {future.result()[0] for future in waiting} == {"KMSInvalidStateException"}
    assert time.monotonic() - begun < 2 * BOUND_SECONDS
    setting.proxy.well()
    assert setting.kms.encrypt(KeyId=key, Plaintext=b"x")["KeyId"] == key


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"spec": "RSA_2048"}, "XksKeyInvalidConfigurationException"),
        ({"usage": ("ENCRYPT",)}, "XksKeyInvalidConfigurationException"),
        ({"usage": ("DECRYPT", "WRAP")}, "XksKeyInvalidConfigurationException"),
        ({"status": "DISABLED"}, "XksKeyInvalidConfigurationException"),
    ],
)
def test_an_external_key_must_be_an_enabled_aes_256_key(setting, store, options, code):
    external = "unfit-" + secrets.token_hex(4)
    setting.proxy.add_key(external, **options)
    assert refused(setting.create_key, store, external)[0] == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InvalidStateException", "XksKeyInvalidConfigurationException"),
        ("InvalidKeyUsageException", "XksKeyInvalidConfigurationException"),
        ("KeyNotFoundException", "XksKeyNotFoundException"),
        ("AccessDeniedException", "KMSInvalidStateException"),
        ("AuthenticationFailedException", "CustomKeyStoreInvalidStateException"),
        ("ValidationException", "CustomKeyStoreInvalidStateException"),
        ("InvalidUriPathException", "CustomKeyStoreInvalidStateException"),
        ("ThrottlingException", "CustomKeyStoreInvalidStateException"),
        ("DependencyTimeoutException", "CustomKeyStoreInvalidStateException"),
        ("InternalException", "CustomKeyStoreInvalidStateException"),
    ],
)
def test_what_the_proxy_says_of_an_external_key(setting, store, name, code):
    external = "asked-" + secrets.token_hex(4)
    setting.proxy.add_key(external)
    setting.proxy.refuse = name
    assert refused(setting.create_key, store, external)[0] == code
    setting.proxy.well()
    assert setting.create_key(store, external), "nothing of the attempt was left behind"


def test_an_external_key_is_one_kms_keys(setting, store, key):
    external = setting.kms.describe_key(KeyId=key)["KeyMetadata"]["XksKeyConfiguration"]["Id"]
    assert refused(setting.create_key, store, external)[0] == "XksKeyAlreadyInUseException"
    assert refused(setting.create_key, store, "nobody")[0] == "XksKeyNotFoundException"


def test_keys_are_made_in_a_connected_store_of_their_kind(setting, store):
    create = setting.kms.create_key
    setting.proxy.add_key("members")
    members = {"Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": store, "XksKeyId": "members"}
    for changes, code in [
        ({"XksKeyId": None}, "ValidationException"),
        ({"CustomKeyStoreId": None}, "ValidationException"),
        ({"CustomKeyStoreId": "cks-1234567890abcdef0"}, "CustomKeyStoreNotFoundException"),
        ({"Origin": None}, "ValidationException"),
        ({"Origin": "AWS_CLOUDHSM", "XksKeyId": None}, "UnsupportedOperationException"),
        ({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"}, "UnsupportedOperationException"),
        ({"MultiRegion": True}, "UnsupportedOperationException"),
        ({"XksKeyId": "a/b"}, "ValidationException"),
    ]:
        request = {name: value for name, value in {**members, **changes}.items() if value is not None}
        assert refused(create, **request)[0] == code, changes
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert refused(create, **members)[0] == "CustomKeyStoreInvalidStateException"
    assert setting.connect(store)["ConnectionState"] == "CONNECTED"


def test_what_keys_outside_do_not_do(setting, key):
    for call, members in [
        (setting.kms.enable_key_rotation, {"KeyId": key}),
        (setting.kms.rotate_key_on_demand, {"KeyId": key}),
        (setting.kms.generate_data_key_pair, {"KeyId": key, "KeyPairSpec": "ECC_NIST_P256"}),
    ]:
        assert refused(call, **members)[0] == "UnsupportedOperationException"


def test_a_disabled_key_does_not_ask_the_proxy(setting, key):
    setting.kms.disable_key(KeyId=key)
    setting.proxy.requests.clear()
    assert refused(setting.kms.encrypt, KeyId=key, Plaintext=b"x")[0] == "DisabledException"
    assert not setting.proxy.requests
    setting.kms.enable_key(KeyId=key)
    setting.kms.encrypt(KeyId=key, Plaintext=b"x")


def test_a_store_has_its_own_place(setting, store):
    create = setting.kms.create_custom_key_store
    assert refused(create, **setting.members())[0] == "XksProxyUriInUseException"
    loud = setting.members(XksProxyUriEndpoint=setting.proxy.endpoint.upper().replace("HTTPS", "https"))
    assert refused(create, **loud)[0] == "XksProxyUriInUseException"
    name = setting.describe(store)["CustomKeyStoreName"]
    elsewhere = setting.members(XksProxyUriPath=OTHER_PATH)
    assert refused(create, **{**elsewhere, "CustomKeyStoreName": name})[0] == "CustomKeyStoreNameInUseException"
    other = create(**elsewhere)["CustomKeyStoreId"]
    assert setting.describe(other)["ConnectionState"] == "DISCONNECTED"
    setting.kms.delete_custom_key_store(CustomKeyStoreId=other)
    again = create(**elsewhere)["CustomKeyStoreId"]
    setting.kms.delete_custom_key_store(CustomKeyStoreId=again)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"XksProxyConnectivity": None}, "ValidationException"),
        ({"XksProxyUriEndpoint": None}, "ValidationException"),
        ({"XksProxyUriPath": None}, "ValidationException"),
        ({"XksProxyAuthenticationCredential": None}, "ValidationException"),
        ({"XksProxyUriEndpoint": "http://xks.test"}, "ValidationException"),
        ({"XksProxyUriEndpoint": "https://xks.test:8443"}, "ValidationException"),
        ({"XksProxyUriPath": "/kms/xks/one"}, "ValidationException"),
        ({"KeyStorePassword": "password"}, "ValidationException"),
        ({"XksProxyUriPath": "/kms/xks/v2"}, "XksProxyInvalidConfigurationException"),
        ({"XksProxyUriPath": "/nobody/kms/xks/v1"}, "XksProxyInvalidConfigurationException"),
        ({"XksProxyUriEndpoint": "https://nobody.invalid"}, "XksProxyUriUnreachableException"),
        ({"XksProxyUriEndpoint": "https://stranger.test"}, "XksProxyUriUnreachableException"),
        (
            {
                "XksProxyConnectivity": "VPC_ENDPOINT_SERVICE",
                "XksProxyVpcEndpointServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789",
            },
            "XksProxyVpcEndpointServiceNotFoundException",
        ),
    ],
)
def test_a_store_that_cannot_be(setting, changes, code):
    members = setting.members(**{"XksProxyUriPath": OTHER_PATH, **changes})
    assert refused(setting.kms.create_custom_key_store, **members)[0] == code


def test_a_credential_is_rotated_without_disconnecting(setting, store, key):
    proxy = setting.proxy
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    proxy.secret = "n" * 64
    code, message = refused(setting.kms.decrypt, CiphertextBlob=blob)
    assert code == "KMSInvalidStateException" and "could not authenticate AWS KMS" in message
    update = setting.kms.update_custom_key_store
    wrong = {**proxy.credential, "RawSecretAccessKey": "w" * 43}
    code, _ = refused(update, CustomKeyStoreId=store, XksProxyAuthenticationCredential=wrong)
    assert code == "XksProxyIncorrectAuthenticationCredentialException"
    update(CustomKeyStoreId=store, XksProxyAuthenticationCredential=proxy.credential)
    assert setting.describe(store)["ConnectionState"] == "CONNECTED"
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_what_of_a_store_changes_when(setting, store, key):
    update = setting.kms.update_custom_key_store
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    update(CustomKeyStoreId=store, XksProxyUriPath=OTHER_PATH, NewCustomKeyStoreName="renamed")
    described = setting.describe(store)
    assert (described["XksProxyConfiguration"]["UriPath"], described["CustomKeyStoreName"]) == (OTHER_PATH, "renamed")
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    for change in [{"XksProxyUriEndpoint": "https://second.test"}, {"XksProxyConnectivity": "PUBLIC_ENDPOINT"}]:
        assert refused(update, CustomKeyStoreId=store, **change)[0] == "CustomKeyStoreInvalidStateException"
    assert refused(update, CustomKeyStoreId=store)[0] == "ValidationException"
    assert refused(update, CustomKeyStoreId=store, KeyStorePassword="password")[0] == "ValidationException"
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    update(CustomKeyStoreId=store, XksProxyUriEndpoint="https://second.test")
    assert setting.connect(store)["XksProxyConfiguration"]["UriEndpoint"] == "https://second.test"
    assert setting.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"

    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    update(CustomKeyStoreId=store, XksProxyUriEndpoint=setting.proxy.endpoint, XksProxyUriPath=PATH)
    assert setting.connect(store)["ConnectionState"] == "CONNECTED"


def test_a_store_with_keys_stays(setting, store, key):
    delete = setting.kms.delete_custom_key_store
    assert refused(delete, CustomKeyStoreId=store)[0] == "CustomKeyStoreHasCMKsException"
    setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
    assert refused(delete, CustomKeyStoreId=store)[0] == "CustomKeyStoreHasCMKsException"
    assert setting.connect(store)["ConnectionState"] == "CONNECTED"


def test_only_a_trusted_certificate_for_its_name_is_a_proxy(setting, store, key, tmp_path):
    """The proxy comes back with a certificate of somebody else, and then with one for another name."""
    for context in [Authority(tmp_path).context(*setting.proxy.hosts), setting.proxy.authority.context("other.test")]:
        kept, setting.proxy.context = setting.proxy.context, context
        setting.proxy.stop()
        setting.proxy.start()
        code, message = refused(setting.kms.encrypt, KeyId=key, Plaintext=b"x")
        assert code == "KMSInvalidStateException" and "cannot establish a TLS connection" in message
        setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        assert setting.connect(store)["ConnectionErrorCode"] == "XKS_PROXY_INVALID_TLS_CONFIGURATION"
        setting.proxy.context = kept
        setting.proxy.stop()
        setting.proxy.start()
        setting.kms.disconnect_custom_key_store(CustomKeyStoreId=store)
        assert setting.connect(store)["ConnectionState"] == "CONNECTED"


def test_objects_lie_under_a_key_outside(setting, key):
    bucket = "bucket-" + secrets.token_hex(8)
    setting.s3.create_bucket(Bucket=bucket)
    setting.proxy.requests.clear()
    body = secrets.token_bytes(100_000)
    setting.s3.put_object(Bucket=bucket, Key="k", Body=body, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    (_, request), = setting.proxy.requests
    metadata = request["requestMetadata"]
    assert (metadata["kmsOperation"], metadata["kmsViaService"]) == ("GenerateDataKey", "s3")
    assert setting.s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body

    setting.proxy.stop()
    put = {"Bucket": bucket, "Key": "l", "Body": body, "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    assert refused(setting.s3.get_object, Bucket=bucket, Key="k")[0] == "KMS.KMSInvalidStateException"
    assert refused(setting.s3.put_object, **put)[0] == "KMS.KMSInvalidStateException"
    setting.proxy.start()
    assert setting.s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    setting.s3.put_object(**put)


def test_a_restart_finds_the_store_connected_and_every_ciphertext_open(setting, store, key):
    blob = setting.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=CONTEXT)["CiphertextBlob"]
    setting.server.kill()
    setting.server.start()
    assert setting.describe(store)["ConnectionState"] == "CONNECTED"
    assert setting.kms.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)["Plaintext"] == b"x"


def test_no_secret_is_on_disk_or_in_the_log(setting, store, key):
    setting.kms.encrypt(KeyId=key, Plaintext=b"a plaintext that is sought")
    texts = [setting.proxy.secret.encode(), b"a plaintext that is sought", external_of(setting, key).material]
    for path in [*setting.server.data.rglob("*"), setting.server.log]:
        if path.is_file():
            content = path.read_bytes()
            assert not any(text in content for text in texts), path
