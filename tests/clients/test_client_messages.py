"""Messages of `strongroom encrypt` opened by the AWS Encryption SDKs for Python and JavaScript and by AWS's command line, and theirs by `strongroom decrypt`."""

import secrets
from types import SimpleNamespace

import pytest
from client_cli import INPUT, KEY, MIB, REFUSED
from encryption_sdks import LENIENT, STRICT, SUITES, Aes, Discovery, EncryptionCli, JavaScriptSdk, Kms, Ours, PythonSdk, Rsa, policy_for
from peers import Refused
from strongroom import ACCOUNT, REGION, Server

OTHER = "eu-central-1"
CONTEXT = {"tenant": "blue", "purpose": "invoices"}


@pytest.fixture(scope="module")
def sides(tmp_path_factory):
    """Us and them, on a server of two Regions."""
    folder = tmp_path_factory.mktemp("messages")
    server = Server(folder, environment={"STRONGROOM_REGIONS": f"{REGION},{OTHER}"}).start()
    javascript = JavaScriptSdk(server, folder)
    kms = server.client("kms", secure=True)
    primary = kms.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
    replica = kms.replicate_key(KeyId=primary, ReplicaRegion=OTHER)["ReplicaKeyMetadata"]["Arn"]
    yield SimpleNamespace(
        ours=Ours(server, folder),
        python=PythonSdk(server),
        javascript=javascript,
        cli=EncryptionCli(server, folder),
        key=kms.create_key()["KeyMetadata"]["Arn"],
        primary=primary,
        replica=replica,
    )
    javascript.stop()
    server.stop()


@pytest.fixture
def ours(sides):
    return sides.ours


@pytest.fixture(params=["python", "javascript"])
def sdk(sides, request):
    return getattr(sides, request.param)


@pytest.fixture(params=["python", "javascript", "cli"])
def any_of_them(sides, request):
    return getattr(sides, request.param)


def exchange(ours, theirs, keys, document=b"attack at dawn", opening=None, policy=STRICT, **told):
    """What either side writes under `keys` the other opens, with `opening` if it takes others."""
    opening = opening or keys
    assert theirs.decrypt(opening, ours.encrypt(keys, document, **told), policy=policy) == document
    assert ours.decrypt(opening, theirs.encrypt(keys, document, **told), policy=policy) == document


@pytest.mark.parametrize("size", [16, 24, 32])
def test_raw_aes_keys(ours, sdk, size):
    exchange(ours, sdk, [Aes(secrets.token_bytes(size))], context=CONTEXT)


@pytest.mark.parametrize("padding", ["pkcs1", "oaep-sha1", "oaep-sha256", "oaep-sha384", "oaep-sha512"])
def test_raw_rsa_keys(ours, sides, sdk, padding):
    keys = [Rsa(padding)]
    if padding == "pkcs1" and sdk is sides.javascript:  # Node encrypts with it, and no longer decrypts
        assert ours.decrypt(keys, sdk.encrypt(keys, b"hello", CONTEXT)) == b"hello"
    else:
        exchange(ours, sdk, keys, context=CONTEXT)


def test_a_kms_key_named_to_open(ours, sides, any_of_them):
    exchange(ours, any_of_them, [Kms(sides.key)], context=CONTEXT)


def test_a_kms_key_found_by_discovery(ours, sides, any_of_them):
    exchange(ours, any_of_them, [Kms(sides.key)], opening=[Discovery(ACCOUNT)])


def test_discovery_stays_in_its_accounts(ours, sides, any_of_them):
    elsewhere = [Discovery("999988887777")]
    with pytest.raises(Refused):
        any_of_them.decrypt(elsewhere, ours.encrypt([Kms(sides.key)], b"hello"))
    with pytest.raises(Refused) as refused:
        ours.decrypt(elsewhere, any_of_them.encrypt([Kms(sides.key)], b"hello"))
    assert refused.value.code == KEY


def test_a_multi_region_key_opens_in_the_other_region(ours, sides, sdk):
    here, there = [Kms(sides.primary, multi_region=True)], [Kms(sides.replica, multi_region=True)]
    exchange(ours, sdk, here, opening=there, context=CONTEXT)
    exchange(ours, sdk, there, opening=here, context=CONTEXT)


def test_a_multi_region_key_found_by_discovery_in_the_other_region(ours, sides, sdk):
    exchange(ours, sdk, [Kms(sides.replica, multi_region=True)], opening=[Discovery(ACCOUNT, multi_region=True)])


def test_each_key_of_several_opens_alone(ours, sides, sdk):
    aes, kms = Aes(secrets.token_bytes(32)), Kms(sides.key)
    for one in (aes, kms):
        exchange(ours, sdk, [kms, aes], opening=[one], context=CONTEXT)
    exchange(ours, sdk, [aes], opening=[kms, aes])


@pytest.mark.parametrize("suite", SUITES, ids="{:04x}".format)
def test_every_suite(ours, sdk, suite):
    document = secrets.token_bytes(10_000)
    exchange(ours, sdk, [Aes(bytes(32))], document, policy=policy_for(suite), suite=suite, context=CONTEXT)


@pytest.mark.parametrize(
    ("frame", "size"),
    [(1, 5), (17, 0), (17, 16), (17, 17), (17, 35), (128, 128), (4096, 0), (4096, 4096), (4096, 8191), (MIB, MIB + 1)],
)
def test_frames_of_every_length(ours, sides, sdk, frame, size):
    document, keys = secrets.token_bytes(size), [Aes(bytes(32))]
    assert sdk.decrypt(keys, ours.encrypt(keys, document, frame_length=frame)) == document
    if sdk is sides.javascript or frame % 128 == 0:  # Python writes no others
        assert ours.decrypt(keys, sdk.encrypt(keys, document, frame_length=frame)) == document


@pytest.mark.parametrize("suite", [0x0014, 0x0178, 0x0214, 0x0478, 0x0578], ids="{:04x}".format)
@pytest.mark.parametrize("size", [0, 17, MIB])
def test_messages_without_frames(ours, sides, suite, size):
    document, keys = secrets.token_bytes(size), [Aes(bytes(32))]
    message = sides.python.encrypt(keys, document, CONTEXT, suite=suite, frame_length=0)
    assert ours.decrypt(keys, message, policy=policy_for(suite)) == document


def test_contexts_beyond_ascii(ours, sdk):
    """Sorted by their UTF-8, which is not the order of UTF-16 that JavaScript has of itself."""
    context = {"\ufffd": "replacement", "\U0001f512": "lock", "größe": "zwölf", "值": "", "a": "=b="}
    exchange(ours, sdk, [Aes(bytes(32))], context=context)


def test_a_required_context_is_not_in_the_message_and_must_be_given(ours, sides):
    keys, theirs = [Aes(secrets.token_bytes(32))], sides.python
    for writer, reader in ((ours, theirs), (theirs, ours)):
        message = writer.encrypt(keys, b"hello", CONTEXT, required=["tenant"])
        assert b"purpose" in message and b"tenant" not in message
        assert reader.decrypt(keys, message, {"tenant": "blue"}) == b"hello"
        for wrong in ({}, {"tenant": "red"}, {"purpose": "invoices"}):
            with pytest.raises(Refused):
                reader.decrypt(keys, message, wrong)


def test_a_context_that_the_message_contradicts(ours, sides):
    keys = [Kms(sides.key)]
    for reader, theirs in ((ours, sides.python), (sides.python, ours), (sides.cli, ours)):
        message = theirs.encrypt(keys, b"hello", CONTEXT)
        assert reader.decrypt(keys, message, {"tenant": "blue"}) == b"hello"
        with pytest.raises(Refused) as refused:
            reader.decrypt(keys, message, {"tenant": "red"})
        assert reader is not ours or refused.value.code == REFUSED


@pytest.mark.parametrize("suite", [0x0178, 0x0378], ids="{:04x}".format)
def test_a_message_that_does_not_commit_is_refused_unless_allowed(ours, sides, any_of_them, suite):
    keys = [Kms(sides.key)]
    with pytest.raises(Refused):
        any_of_them.decrypt(keys, ours.encrypt(keys, b"hello", suite=suite), policy=STRICT)
    message = any_of_them.encrypt(keys, b"hello", suite=suite)
    with pytest.raises(Refused) as refused:
        ours.decrypt(keys, message, policy=STRICT)
    assert refused.value.code == REFUSED
    assert ours.decrypt(keys, message, policy=LENIENT) == b"hello"


def test_more_keys_than_allowed(ours, sides, sdk):
    keys = [Kms(sides.key), Aes(bytes(32))]
    with pytest.raises(Refused):
        sdk.decrypt(keys, ours.encrypt(keys, b"hello"), max_keys=1)
    with pytest.raises(Refused) as refused:
        ours.decrypt(keys, sdk.encrypt(keys, b"hello"), max_keys=1)
    assert refused.value.code == REFUSED


def test_another_key(ours, sdk):
    key, other = [Aes(secrets.token_bytes(32))], [Aes(secrets.token_bytes(32))]
    with pytest.raises(Refused):
        sdk.decrypt(other, ours.encrypt(key, b"hello"))
    with pytest.raises(Refused) as refused:
        ours.decrypt(other, sdk.encrypt(key, b"hello"))
    assert refused.value.code == KEY


def test_what_was_changed_or_cut_is_refused(ours, sdk):
    """In the header's context, the first frame, the last frame and the signature."""
    keys, document = [Aes(bytes(32))], secrets.token_bytes(200)
    for writer, reader in ((ours, sdk), (sdk, ours)):
        message = writer.encrypt(keys, document, CONTEXT, frame_length=128)
        cut = [message[:length] for length in (0, 1, 40, len(message) // 2, len(message) - 110, len(message) - 1)]
        for place in (message.index(b"invoices"), len(message) - 300, len(message) - 120, len(message) - 3):
            changed = bytearray(message)
            changed[place] ^= 1
            cut.append(bytes(changed))
        for number, wrong in enumerate(cut):
            with pytest.raises(Refused) as refused:
                reader.decrypt(keys, wrong)
            # A changed context is one under which the key does not open.
            assert reader is not ours or refused.value.code == (KEY if number == 6 else INPUT), number
