"""How fast messages are written and read, beside AWS's package in the same run, in this thread's processor time.

    python python/bench.py        with strongroom and aws-encryption-sdk[MPL] installed, as `cargo xtask test` leaves them in target/clients
"""

import io
import secrets
import sys
import time

import aws_encryption_sdk
from aws_cryptographic_material_providers.mpl import AwsCryptographicMaterialProviders
from aws_cryptographic_material_providers.mpl.config import MaterialProvidersConfig
from aws_cryptographic_material_providers.mpl.models import AesWrappingAlg, CreateRawAesKeyringInput
from aws_encryption_sdk.identifiers import AlgorithmSuite

import strongroom

#: Rounds of each measurement; ours and AWS's take turns, and the best of each counts.
ROUNDS = 5
#: Seconds that a round takes at least.
SECONDS = 0.2
SUITES = ("AES_256_GCM_HKDF_SHA512_COMMIT_KEY", "AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384")
FRAMES = (4096, 1 << 20)
SIZES = (1024, 1 << 20, 16 << 20)
STREAM = 16 << 20


def seconds(run):
    """For one run, on average over a round."""
    start, runs = time.thread_time(), 0
    while (taken := time.thread_time() - start) < SECONDS or not runs:
        run()
        runs += 1
    return taken / runs


def compared(ours, theirs):
    """The best of both, in seconds."""
    rounds = [(seconds(ours), seconds(theirs)) for _ in range(ROUNDS)]
    return min(ours for ours, _ in rounds), min(theirs for _, theirs in rounds)


def drained(stream):
    with stream:
        for _ in stream:
            pass


def cases():
    """Suite, frame length, size, what is done, and both ways to do it."""
    key = secrets.token_bytes(32)
    providers = AwsCryptographicMaterialProviders(config=MaterialProvidersConfig())
    theirs = providers.create_raw_aes_keyring(
        CreateRawAesKeyringInput(
            key_namespace="bench", key_name="key", wrapping_key=key, wrapping_alg=AesWrappingAlg.ALG_AES256_GCM_IV12_TAG16
        )
    )
    ours = strongroom.RawAESKeyring("bench", "key", key)
    client, sdk = strongroom.EncryptionSDKClient(), aws_encryption_sdk.EncryptionSDKClient()
    for suite in SUITES:
        for frame_length in FRAMES:
            how = {"algorithm": strongroom.AlgorithmSuite[suite], "frame_length": frame_length, "keyring": ours}
            their = {"algorithm": AlgorithmSuite[suite], "frame_length": frame_length, "keyring": theirs}
            number = how["algorithm"].value
            for size in SIZES:
                plaintext = secrets.token_bytes(size)
                message = client.encrypt(source=plaintext, **how)[0]
                yield number, frame_length, size, "encrypt", lambda: client.encrypt(source=plaintext, **how), lambda: sdk.encrypt(source=plaintext, **their)
                yield (
                    number, frame_length, size, "decrypt",
                    lambda: client.decrypt(source=message, keyring=ours), lambda: sdk.decrypt(source=message, keyring=theirs),
                )
            plaintext = secrets.token_bytes(STREAM)
            message = client.encrypt(source=plaintext, **how)[0]
            yield (
                number, frame_length, STREAM, "stream, encrypt",
                lambda: drained(client.stream("e", source=io.BytesIO(plaintext), **how)),
                lambda: drained(sdk.stream(mode="e", source=io.BytesIO(plaintext), **their)),
            )
            yield (
                number, frame_length, STREAM, "stream, decrypt",
                lambda: drained(client.stream("d", source=io.BytesIO(message), keyring=ours)),
                lambda: drained(sdk.stream(mode="d", source=io.BytesIO(message), keyring=theirs)),
            )


def figure(size, seconds):
    """Of short messages microseconds, of long ones MiB/s."""
    return f"{seconds * 1e6:.0f} µs" if size < 1 << 20 else f"{size / seconds / (1 << 20):.0f} MiB/s"


def main():
    print(f"Python {sys.version.split()[0]}, aws-encryption-sdk {aws_encryption_sdk.__version__}\n")
    print("| suite | frames | message | operation | strongroom | aws-encryption-sdk | times |\n|---|---|---|---|---|---|---|")
    for suite, frame_length, size, operation, ours, theirs in cases():
        ours, theirs = compared(ours, theirs)
        length, frame = (f"{size >> 20} MiB" if size >> 20 else f"{size >> 10} KiB"), "1 MiB" if frame_length >> 20 else "4 KiB"
        print(f"| {suite:04x} | {frame} | {length} | {operation} | {figure(size, ours)} | {figure(size, theirs)} | {theirs / ours:.0f} |", flush=True)


if __name__ == "__main__":
    main()
