"""Messages under keys of KMS by the command line."""

import secrets

from client_cli import FAILED, KEY, REFUSED, USAGE, aws, environment, own, results, run  # noqa: F401
from strongroom import Server


def test_a_kms_key_seals_and_opens(server, kms, key_arn, aws, own):
    plain, context = secrets.token_bytes(100_000), ["-c", "purpose=test"]
    alias = f"alias/cli-{secrets.token_hex(4)}"
    kms.create_alias(AliasName=alias, TargetKeyId=key_arn)
    for name in (key_arn, key_arn.rsplit("/")[-1], alias):
        sealed = run("encrypt", "--kms-key", name, *context, stdin=plain, env=aws).stdout
        assert run("decrypt", "--kms-key", key_arn, *context, stdin=sealed, env=aws).stdout == plain
        assert run("decrypt", "--discovery", stdin=sealed, env=aws).stdout == plain
    (told,) = results(run("inspect", "--json", stdin=sealed))
    assert told["keys"] == [{"kind": "kms", "provider": "aws-kms", "name": key_arn}]
    account = key_arn.split(":")[4]
    run("decrypt", "--discovery", "--discovery-account", account, stdin=sealed, env=aws)
    run("decrypt", "--discovery", "--discovery-account", "1" * 12, stdin=sealed, env=aws, code=KEY)
    run("decrypt", "--kms-key", alias, stdin=sealed, env=aws, code=USAGE)
    run("encrypt", "--discovery", stdin=plain, env=aws, code=USAGE)
    run("decrypt", "--kms-key", key_arn, "-c", "purpose=other", stdin=sealed, env=aws, code=REFUSED)
    # An own key beside it opens without the service.
    both = run("encrypt", "--kms-key", key_arn, *own, stdin=plain, env=aws).stdout
    assert run("decrypt", *own, stdin=both).stdout == plain


def test_a_kms_that_refuses_or_is_not_there(server, kms, aws):
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    sealed = run("encrypt", "--kms-key", arn, stdin=b"text", env=aws).stdout
    kms.disable_key(KeyId=arn)
    run("encrypt", "--kms-key", arn, stdin=b"text", env=aws, code=KEY)
    refused = run("decrypt", "--kms-key", arn, stdin=sealed, env=aws, code=KEY)
    assert b"DisabledException" in refused.stderr
    stranger = {**aws, "AWS_SECRET_ACCESS_KEY": "wrong" * 8}
    run("encrypt", "--kms-key", arn, stdin=b"text", env=stranger, code=KEY)
    nowhere = {**aws, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    run("encrypt", "--kms-key", arn, stdin=b"text", env=nowhere, code=FAILED)
    run("decrypt", "--kms-key", arn, stdin=sealed, env=nowhere, code=FAILED)
    unset = {name: value for name, value in aws.items() if "KEY" not in name}
    run("encrypt", "--kms-key", arn, stdin=b"text", env={**unset, "HOME": "/nonexistent"}, code=USAGE)
    run("encrypt", "--kms-key", "arn:aws:kms:nonsense", stdin=b"text", env=aws, code=USAGE)


def test_a_kms_key_that_may_not_be_used(server, kms, iam, key_arn, aws):
    user = f"cli-{secrets.token_hex(4)}"
    iam.create_user(UserName=user)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    nobody = {**aws, "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    sealed = run("encrypt", "--kms-key", key_arn, stdin=b"text", env=aws).stdout
    for command in (["encrypt"], ["decrypt"]):
        denied = run(*command, "--kms-key", key_arn, stdin=sealed, env=nobody, code=KEY)
        assert b"AccessDeniedException" in denied.stderr


def test_a_member_of_a_multi_region_key_opens_what_another_sealed(tmp_path):
    server = Server(tmp_path, environment={"STRONGROOM_REGIONS": "us-east-1,eu-west-1"}).start()
    try:
        here, there = server.client("kms"), server.client("kms", region="eu-west-1")
        primary = here.create_key(MultiRegion=True)["KeyMetadata"]["Arn"]
        replica = here.replicate_key(KeyId=primary, ReplicaRegion="eu-west-1")["ReplicaKeyMetadata"]["Arn"]
        single = there.create_key()["KeyMetadata"]["Arn"]
        env = environment(server)
        sealed = run("encrypt", "--kms-key", primary, stdin=b"text", env=env).stdout
        assert run("decrypt", "--kms-key", replica, stdin=sealed, env=env).stdout == b"text"
        assert run("decrypt", "--discovery", "--discovery-region", "eu-west-1", stdin=sealed, env=env).stdout == b"text"
        run("decrypt", "--kms-key", single, stdin=sealed, env=env, code=KEY)
        here.disable_key(KeyId=primary)
        assert run("decrypt", "--kms-key", replica, stdin=sealed, env=env).stdout == b"text"
        run("decrypt", "--kms-key", primary, stdin=sealed, env=env, code=KEY)
    finally:
        server.stop()
