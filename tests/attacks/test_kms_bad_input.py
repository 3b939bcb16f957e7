"""Every operation of KMS against bad input: everything that the service model forbids, and names of keys that are no keys.

What must be answered is worked out here from the newest botocore, by a second implementation of AWS's rules.
"""

import base64
import json
import uuid

import pytest

from model_rules import Rules, put
from raw import Kms
from strongroom import ACCOUNT, REGION

# Longer bodies are not read (docs/operations.md).
BODY_LIMIT = 256 * 1024

# A good value of each shape whose pattern or length asks for more than a letter.
GOOD = {
    "KeyIdType": "1234abcd-12ab-44cd-96ef-1234567890ab",
    "AliasNameType": "alias/bad-input",
    "AccountIdType": "444455556666",
    "BackingKeyIdType": "0" * 64,
    "CloudHsmClusterIdType": "cluster-1a2345b6cd7".replace("1", "a"),
    "CustomKeyStoreIdType": "cks-1234567890abcdef0",
    "GrantConstraintSourceArnType": "arn:aws:s3:us-east-1:444455556666:bucket",
    "KeyStorePasswordType": "password",
    "PolicyType": "{}",
    "RegionType": "eu-west-1",
    "ServicePrincipalType": "service.example.com",
    "XksProxyAuthenticationAccessKeyIdType": "A" * 20,
    "XksProxyAuthenticationRawSecretAccessKeyType": "a" * 43,
    "XksProxyUriEndpointType": "https://xks.example.com",
    "XksProxyUriPathType": "/example/kms/xks/v1",
    "XksProxyVpcEndpointServiceNameType": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0",
}


RULES = Rules("kms", GOOD)
SHAPES, REQUESTS = RULES.shapes, RULES.requests
good, violations, places, bad_values = RULES.good, RULES.violations, RULES.places, RULES.bad_values

OPERATIONS = sorted(REQUESTS)


LIST, STRUCTURE = "Start of list found where not expected", "Start of structure or map found where not expected."
WANTED = {"string": "a String", "blob": "a Blob", "integer": "an Integer", "timestamp": "milliseconds since epoch", "boolean": "a Boolean"}
WHOLE = {"structure": "Expected null", "list": "Expected list or null", "map": "Expected map or null"}
ACCEPTED = {"string": str, "blob": str, "integer": int, "timestamp": int, "boolean": bool, "structure": dict, "list": list, "map": dict}


def mismatch(kind: str, value) -> str | None:
    """AWS's words for a value of the wrong type."""
    if type(value) is ACCEPTED[kind]:
        return None
    if isinstance(value, list):
        return LIST
    if isinstance(value, dict):
        return STRUCTURE
    if kind in WHOLE:
        return WHOLE[kind]
    found = {bool: f"{value}_VALUE".upper(), int: "NUMBER_VALUE", str: "STRING_VALUE"}[type(value)]
    wanted = "an Boolean" if kind == "boolean" and isinstance(value, str) else WANTED[kind]
    return f"{found} can not be converted to {wanted}"


# The rows: requests that are good but for one thing.


def rows(operation: str):
    """Bodies, and the code and message that each must bring."""
    name = REQUESTS[operation]
    base = good(name)

    def judged(request: dict):
        found = violations(name, request, "")
        assert found, request
        return request, "ValidationException", f"{len(found)} validation error{'s' * (len(found) > 1)} detected: {'; '.join(found)}"

    everything = {}
    for place, shape, request in places(name, base):
        kind = SHAPES[shape]["type"]
        for value in ("text", 7, True, False, [], {}):
            if (message := mismatch(kind, value)) is not None:
                yield put(request, place, value), "SerializationException", message
        if kind == "blob":
            for value in ("a", "====", "AA=A", "AB==", "Zm9v\n", "_-__"):
                yield put(request, place, value), "SerializationException", "STRING_VALUE can not be converted to a Blob"
        if kind == "list":
            yield put(request, place, [None]), "SerializationException", None
            yield put(request, place, [[]]), "SerializationException", LIST
        if kind == "map":
            yield put(request, place, {"name": None}), "SerializationException", None
            yield put(request, place, {"name": 7}), "SerializationException", "NUMBER_VALUE can not be converted to a String"
        if len(place) == 1 and place[0] in SHAPES[name].get("required", []):
            yield judged({member: value for member, value in base.items() if member != place[0]})
        for value in bad_values(shape):
            yield judged(put(request, place, value))
        if violations(name, null := put(request, place, None), ""):
            yield judged(null)
        if len(place) == 1 and (value := next(iter(bad_values(shape)), None)) is not None:
            everything[place[0]] = value
    found = violations(name, everything, "")
    if 0 < len(found) <= 10:
        # In another order than the model's, and with something that the model does not know.
        yield judged(dict(reversed(everything.items())) | {"Novelty": [{}]})


NOT_JSON = [b"", b" ", b"{", b"null", b'"text"', b"7", b"{} {}", b'{"KeyId":"a",}', b"\xff", b'{"KeyId":"\xff"}', b"{" * 10_000, b'{"a":' + b"[" * 50_000]


@pytest.fixture(scope="module")
def connection(server):
    return Kms(server)


def test_every_operation_is_built(connection):
    assert not [operation for operation in OPERATIONS if connection.call(operation, b"{").status == 501]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_service_models_constraints(connection, operation):
    for request, code, message in rows(operation):
        body = json.dumps(request, ensure_ascii=False).encode()
        expected = (400, code, message)
        if len(body) > BODY_LIMIT:
            expected = (413, "RequestEntityTooLargeException", None)
        status, found, text = connection.error(operation, body)
        assert (status, found, text if status == 400 else None) == expected, body[:500]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_not_json(connection, operation):
    for body in NOT_JSON:
        assert connection.error(operation, body) == (400, "SerializationException", None), body[:60]
    assert connection.error(operation, b"[]") == (400, "SerializationException", LIST)
    for member in SHAPES[REQUESTS[operation]]["members"]:
        twice = f'{{"{member}":null,"{member}":null}}'.encode()
        assert connection.error(operation, twice) == (400, "SerializationException", f"Duplicate field '{member}'")


def test_secrets_are_not_repeated(connection):
    secret = base64.b64encode(b"a secret that nobody may see").decode()
    for operation in OPERATIONS:
        for place, shape, request in places(REQUESTS[operation], good(REQUESTS[operation])):
            if not SHAPES[shape]["sensitive"]:
                continue
            for value in (secret * 400, secret + "!", secret[:6], {secret: secret}, [secret]):
                answer = connection.call(operation, json.dumps(put(request, place, value)).encode())
                assert answer.status in (400, 413) and secret[:6].encode() not in answer.body, (operation, place)


# Names of keys that are no keys.

KEYS = f"arn:aws:kms:{REGION}:{ACCOUNT}:"
NO_KEY = str(uuid.UUID(int=0x1234ABCD12AB44CD96EF1234567890AB))
NOT_FOUND = "NotFoundException"

# What stands in the way of a request's key.
MEMBERS = {
    "UpdatePrimaryRegion": {"PrimaryRegion": "eu-west-1"},
    "ReplicateKey": {"ReplicaRegion": "eu-west-1"},
    "ScheduleKeyDeletion": {"PendingWindowInDays": 7},
    "GenerateDataKey": {"KeySpec": "AES_256"},
    "GenerateDataKeyWithoutPlaintext": {"KeySpec": "AES_256"},
    "Decrypt": {"CiphertextBlob": "AAAA"},
    "ReEncrypt": {"CiphertextBlob": "AAAA"},
    "CreateGrant": {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root"},
    "ImportKeyMaterial": {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"},
    "EnableKeyRotation": {"RotationPeriodInDays": 90},
    "RevokeGrant": {"GrantId": "0" * 64},
}
# Operations that look at something else first, or for which another member names the key too.
ELSEWHERE = {"RetireGrant"}
# Their documentation does not say so; AWS's own measured behaviour does.
TAKE_ALIASES_TOO = {"GenerateMac", "VerifyMac"}


def named_keys():
    """Operations, the member that names a key, and whether an alias may stand there: the documentation says so."""
    for operation in OPERATIONS:
        for member, of in SHAPES[REQUESTS[operation]]["members"].items():
            if of["shape"] == "KeyIdType" and operation not in ELSEWHERE and member != "SourceKeyId":
                yield operation, member, "alias/ExampleAlias" in of["documentation"] or operation in TAKE_ALIASES_TOO


@pytest.mark.parametrize(("operation", "member", "takes_alias"), list(named_keys()))
def test_a_key_that_is_none(connection, operation, member, takes_alias):
    base = good(REQUESTS[operation]) | MEMBERS.get(operation, {})
    upper, other = NO_KEY.upper(), "mrk-" + "0f" * 16
    rows = [
        (NO_KEY, NOT_FOUND, f"Key '{KEYS}key/{NO_KEY}' does not exist"),
        (f"{KEYS}key/{NO_KEY}", NOT_FOUND, f"Key '{KEYS}key/{NO_KEY}' does not exist"),
        (upper, NOT_FOUND, f"Key '{KEYS}key/{upper}' does not exist"),
        (other, NOT_FOUND, f"Key '{KEYS}key/{other}' does not exist"),
        ("foo", NOT_FOUND, "Invalid keyId 'foo'"),
        (NO_KEY.replace("-", ""), NOT_FOUND, f"Invalid keyId '{NO_KEY.replace('-', '')}'"),
        (f"{KEYS}key/foo", NOT_FOUND, "Invalid keyId foo"),
        (f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/{NO_KEY}", NOT_FOUND, "Invalid arn eu-central-1"),
        *[(arn, "InvalidArnException", f"Invalid arn {arn}") for arn in ("arn:", "arn:aws:s3:::bucket", f"arn:aws:kms:{REGION}:1:key/{NO_KEY}", f"{KEYS}{NO_KEY}")],
    ]
    for alias in ("alias/none", f"{KEYS}alias/none"):
        if takes_alias:
            rows.append((alias, NOT_FOUND, f"Alias {KEYS}alias/none is not found."))
        elif operation in ("CreateAlias", "UpdateAlias"):
            rows.append((alias, "ValidationException", "Aliases must refer to keys. Not aliases"))
        else:
            rows.append((alias, "InvalidArnException", "Key Aliases are not supported for this operation."))
    for name, code, message in rows:
        assert connection.error(operation, json.dumps(base | {member: name}).encode()) == (400, code, message), name
    foreign = f"arn:aws:kms:{REGION}:444455556666:key/{NO_KEY}"
    status, code, message = connection.error(operation, json.dumps(base | {member: foreign}).encode())
    assert (status, code) == (400, "AccessDeniedException")
    assert message.startswith(f"User: arn:aws:iam::{ACCOUNT}:root is not authorized to perform: kms:{operation}"), message
    assert f"on resource: {foreign} " in message, message


# Keys that are there, of another state, usage or kind than the operation needs.

KINDS = {
    "symmetric": {},
    "external": {"Origin": "EXTERNAL"},
    "hmac": {"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
    "rsa": {"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"},
    "rsa sign": {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
    "ecc": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY"},
    "ed25519": {"KeySpec": "ECC_NIST_EDWARDS25519", "KeyUsage": "SIGN_VERIFY"},
    "agreement": {"KeySpec": "ECC_NIST_P256", "KeyUsage": "KEY_AGREEMENT"},
    "ml-dsa": {"KeySpec": "ML_DSA_44", "KeyUsage": "SIGN_VERIFY"},
    "ml-kem": {"KeySpec": "ML_KEM_512", "KeyUsage": "ENCAPSULATE_DECAPSULATE"},
}


@pytest.fixture(scope="module")
def keys(connection):
    """The ARN of a key of each kind, and of each state after it: `rsa, disabled`. Made when it is first asked for."""
    made: dict[str, str] = {}

    def key(name: str) -> str:
        if name not in made:
            kind, _, state = name.partition(", ")
            answer = connection.call("CreateKey", json.dumps(KINDS[kind]).encode())
            made[name] = json.loads(answer.body)["KeyMetadata"]["Arn"]
            change = {"disabled": ("DisableKey", {}), "deleted": ("ScheduleKeyDeletion", {"PendingWindowInDays": 7})}.get(state)
            if change:
                assert connection.call(change[0], json.dumps({"KeyId": made[name]} | change[1]).encode()).status == 200
        return made[name]

    return key


MESSAGE = {"Message": base64.b64encode(b"message").decode()}
DIGEST = {"Message": base64.b64encode(bytes(20)).decode(), "MessageType": "DIGEST"}
WRONG = base64.b64encode(bytes(64)).decode()
PSS, ECDSA = {"SigningAlgorithm": "RSASSA_PSS_SHA_256"}, {"SigningAlgorithm": "ECDSA_SHA_256"}
MAC = MESSAGE | {"MacAlgorithm": "HMAC_SHA_256"}
PLAINTEXT = {"Plaintext": "eA=="}
AES = {"KeySpec": "AES_256"}
IMPORT = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
USAGE, STATE, DISABLED = "InvalidKeyUsageException", "KMSInvalidStateException", "DisabledException"
VALIDATION, UNSUPPORTED = "ValidationException", "UnsupportedOperationException"

# Key, operation, members, code, message, where `ARN` is the key's. All of it as measured against KMS.
REFUSED = [
    # The usage comes before the state, the state before the algorithm, the algorithm before the message's length.
    ("rsa sign", "Encrypt", PLAINTEXT, USAGE, "ARN key usage is SIGN_VERIFY which is not valid for Encrypt."),
    ("rsa sign, disabled", "Encrypt", PLAINTEXT, USAGE, "ARN key usage is SIGN_VERIFY which is not valid for Encrypt."),
    ("hmac, disabled", "Sign", MESSAGE | PSS, USAGE, "ARN key usage is GENERATE_VERIFY_MAC which is not valid for Sign."),
    ("hmac, deleted", "Sign", MESSAGE | PSS, USAGE, "ARN key usage is GENERATE_VERIFY_MAC which is not valid for Sign."),
    ("symmetric", "GenerateMac", MAC, USAGE, "ARN key usage is ENCRYPT_DECRYPT which is not valid for GenerateMac."),
    ("rsa sign", "VerifyMac", MAC | {"Mac": WRONG}, USAGE, "ARN key usage is SIGN_VERIFY which is not valid for VerifyMac."),
    ("ecc", "GenerateDataKey", AES, USAGE, "ARN key usage is SIGN_VERIFY which is not valid for GenerateDataKey."),
    ("ecc", "GenerateDataKeyWithoutPlaintext", AES, USAGE, "ARN key usage is SIGN_VERIFY which is not valid for GenerateDataKeyWithoutPlaintext."),
    ("rsa", "GenerateDataKey", AES, USAGE, "You cannot generate a data key with an asymmetric CMK"),
    ("rsa, disabled", "GenerateDataKey", AES, DISABLED, "ARN is disabled."),
    ("symmetric, disabled", "GenerateDataKey", {}, VALIDATION, "Please specify either number of bytes or key spec."),
    ("symmetric, disabled", "GenerateDataKey", AES | {"NumberOfBytes": 32}, VALIDATION, "Please specify either number of bytes or key spec."),
    ("rsa sign, disabled", "Sign", MESSAGE | ECDSA, DISABLED, "ARN is disabled."),
    ("rsa sign, disabled", "Verify", MESSAGE | PSS | {"Signature": WRONG}, DISABLED, "ARN is disabled."),
    ("hmac, disabled", "GenerateMac", MAC | {"MacAlgorithm": "HMAC_SHA_512"}, DISABLED, "ARN is disabled."),
    ("symmetric, disabled", "Encrypt", PLAINTEXT, DISABLED, "ARN is disabled."),
    ("rsa, disabled", "Encrypt", PLAINTEXT, DISABLED, "ARN is disabled."),
    ("rsa, disabled", "Decrypt", {"CiphertextBlob": WRONG}, DISABLED, "ARN is disabled."),
    ("symmetric, deleted", "Encrypt", PLAINTEXT, STATE, "ARN is pending deletion."),
    ("ecc, deleted", "Sign", MESSAGE | PSS, STATE, "ARN is pending deletion."),
    ("external", "Encrypt", PLAINTEXT, STATE, "ARN is pending import."),
    ("external", "EnableKey", {}, STATE, "ARN is pending import."),
    ("external", "DisableKey", {}, STATE, "ARN is pending import."),
    ("ecc", "Sign", DIGEST | {"SigningAlgorithm": "ECDSA_SHA_384"}, USAGE, "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256."),
    ("ecc", "Sign", DIGEST | ECDSA, VALIDATION, "Digest is invalid length for algorithm ECDSA_SHA_256."),
    ("hmac", "GenerateMac", MAC | {"MacAlgorithm": "HMAC_SHA_512"}, USAGE, "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256."),
    ("rsa", "Encrypt", PLAINTEXT, USAGE, "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."),
    ("ml-dsa", "Sign", DIGEST | {"SigningAlgorithm": "ML_DSA_SHAKE_256"}, VALIDATION, "Message type DIGEST is incompatible with key spec ML_DSA_44."),
    # A signature that does not verify, whatever is wrong with it, has no message.
    ("ecc", "Verify", MESSAGE | ECDSA | {"Signature": WRONG}, "KMSInvalidSignatureException", None),
    ("ecc", "Verify", MESSAGE | ECDSA | {"Signature": "AA=="}, "KMSInvalidSignatureException", None),
    ("rsa sign", "Verify", MESSAGE | PSS | {"Signature": "AA=="}, "KMSInvalidSignatureException", None),
    ("ed25519", "Verify", MESSAGE | {"SigningAlgorithm": "ED25519_SHA_512", "Signature": "AA=="}, "KMSInvalidSignatureException", None),
    ("ml-dsa", "Verify", MESSAGE | {"SigningAlgorithm": "ML_DSA_SHAKE_256", "Signature": WRONG}, "KMSInvalidSignatureException", None),
    # Neither has a ciphertext that does not open.
    ("symmetric", "Decrypt", {"CiphertextBlob": WRONG}, "InvalidCiphertextException", None),
    ("rsa", "Decrypt", {"CiphertextBlob": WRONG, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}, "InvalidCiphertextException", None),
    ("symmetric", "GetPublicKey", {}, UNSUPPORTED, None),
    ("hmac, deleted", "GetPublicKey", {}, STATE, "ARN is pending deletion."),
    ("external", "GetPublicKey", {}, STATE, "ARN is pending import."),
    # Rotation.
    ("symmetric, disabled", "EnableKeyRotation", {}, DISABLED, "ARN is disabled."),
    ("hmac, disabled", "DisableKeyRotation", {}, DISABLED, "ARN is disabled."),
    ("hmac, deleted", "RotateKeyOnDemand", {}, STATE, "ARN is pending deletion."),
    ("hmac", "EnableKeyRotation", {}, UNSUPPORTED, None),
    ("rsa", "RotateKeyOnDemand", {}, UNSUPPORTED, None),
    ("external", "EnableKeyRotation", {}, UNSUPPORTED, "ARN origin is EXTERNAL which is not valid for this operation."),
    ("external", "RotateKeyOnDemand", {}, STATE, "ARN is pending import."),
    ("symmetric", "GetParametersForImport", IMPORT, UNSUPPORTED, "ARN origin is AWS_KMS which is not valid for this operation."),
    ("symmetric", "DeleteImportedKeyMaterial", {}, UNSUPPORTED, "ARN origin is AWS_KMS which is not valid for this operation."),
    # What a key on its way out still allows is little.
    *[
        ("symmetric, deleted", operation, members, STATE, "ARN is pending deletion.")
        for operation, members in {
            "EnableKey": {},
            "DisableKey": {},
            "UpdateKeyDescription": {"Description": "x"},
            "TagResource": {"Tags": [{"TagKey": "a", "TagValue": "b"}]},
            "UntagResource": {"TagKeys": ["a"]},
            "CreateGrant": {"GranteePrincipal": f"arn:aws:iam::{ACCOUNT}:root", "Operations": ["Encrypt"]},
            "ScheduleKeyDeletion": {"PendingWindowInDays": 7},
        }.items()
    ],
    ("external, deleted", "GetParametersForImport", IMPORT, STATE, "ARN is pending deletion."),
]


@pytest.mark.parametrize(("key", "operation", "members", "code", "message"), REFUSED)
def test_a_key_that_is_not_for_this(connection, keys, key, operation, members, code, message):
    arn = keys(key)
    expected = (400, code, message and message.replace("ARN", arn))
    assert connection.error(operation, json.dumps({"KeyId": arn} | members).encode()) == expected
