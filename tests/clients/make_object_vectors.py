"""Makes crates/client/tests/vectors/objects.json: objects of Amazon's S3 encryption clients for Java, with keys that stay.

    STRONGROOM_BINARY=... target/clients/bin/python tests/clients/make_object_vectors.py

The keys are those of the file that is there, so that new objects come under the keys of the old ones.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from peers import Java, aes, rsa_pair  # noqa: E402
from strongroom import ROOT, Server  # noqa: E402

FILE = ROOT / "crates/client/tests/vectors/objects.json"
CONTEXT = {"tenant": "blue", "purpose": "invoices"}
SENTENCE = b"The quick brown fox jumps over the lazy dog, and a second time, since a block has but sixteen bytes."
WRITERS = {
    "V1": "AWS SDK for Java 1.12.797, AmazonS3EncryptionClient",
    "V2": "AWS SDK for Java 1.12.797, AmazonS3EncryptionClientV2",
    "V4": "Amazon S3 Encryption Client for Java 4.0.1",
}


def keys() -> dict:
    if FILE.exists():
        return json.loads(FILE.read_text())["keys"]
    described = aes(32, **{"Größe": "二百五十六", "quote": 'a "word"\n'})
    return {
        "aes-128": aes(16),
        "aes-192": aes(24),
        "aes-256": aes(32, use="archive"),
        "aes-256-described": described,
        "aes-256-next": aes(32, use="archive", year="2027"),
        "rsa-2048": rsa_pair(2048),
        "rsa-3072": rsa_pair(3072, use="archive"),
    }


def cases():
    """Name, who writes, key, plaintext, what else the writer is told."""
    raw = ["aes-128", "aes-192", "aes-256", "rsa-2048", "rsa-3072"]
    for place in ({}, {"instruction": True}):
        in_file = " with an instruction file" if place else ""
        for key in (*raw, "kms"):
            yield f"old wrapping, AES-CBC, {key}{in_file}", "V1", key, SENTENCE, place | {"mode": "EncryptionOnly"}
            yield f"old wrapping, AES-GCM, {key}{in_file}", "V1", key, SENTENCE, place | {"mode": "AuthenticatedEncryption"}
            context = {"context": CONTEXT} if key == "kms" else {}
            yield f"V2 format, {key}{in_file}", "V4", key, SENTENCE, place | context | {"version": "V2"}
            yield f"V3 format, {key}{in_file}", "V4", key, SENTENCE, place | context
    yield "V2 format by the client of its time", "V2", "aes-256", SENTENCE, {}
    for size in (0, 1, 15, 16, 17):
        plaintext = SENTENCE[:size]
        yield f"old wrapping, AES-CBC, {size} bytes", "V1", "aes-256", plaintext, {"mode": "EncryptionOnly"}
        yield f"V2 format, {size} bytes", "V4", "aes-256", plaintext, {"version": "V2"}
        yield f"V3 format, {size} bytes", "V4", "aes-256", plaintext, {}
    yield "V2 format, description beyond ASCII", "V4", "aes-256-described", SENTENCE, {"version": "V2", "instruction": True}
    yield "V3 format, description beyond ASCII", "V4", "aes-256-described", SENTENCE, {"instruction": True}


def stored(s3, name: str, **members) -> dict:
    answer = s3.get_object(Bucket="vectors", Key=name)
    told = {"metadata": answer["Metadata"], "body": base64.b64encode(answer["Body"].read()).decode()}
    if members.get("instruction"):
        file = s3.get_object(Bucket="vectors", Key=name + ".instruction")
        told |= {"instruction": file["Body"].read().decode(), "instruction_metadata": file["Metadata"]}
    return told


def unwrapped(kms, arn: str, fields: dict) -> dict:
    """What KMS answers for the wrapped key in these fields of metadata, for a test's own KMS to answer."""
    blob = base64.b64decode(fields.get("x-amz-3") or fields["x-amz-key-v2"])
    context = json.loads(fields.get("x-amz-t") or fields["x-amz-matdesc"])
    plaintext = kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, KeyId=arn)["Plaintext"]
    return {"key": arn, "context": context, "plaintext": base64.b64encode(plaintext).decode()}


def make(server: Server, java: Java) -> dict:
    s3, kms = server.client("s3", secure=True), server.client("kms", secure=True)
    s3.create_bucket(Bucket="vectors")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    known = keys()
    objects = []
    for name, writer, key, plaintext, told in cases():
        wrapping = {"kms": arn} if key == "kms" else known[key]
        java.put("vectors", name, plaintext, client=writer, key=wrapping, **told)
        case = {"name": name, "writer": WRITERS[writer], "key": key, "plaintext": base64.b64encode(plaintext).decode()}
        case |= {"context": told.get("context", {})} | stored(s3, name, **told)
        if key == "kms":
            case["kms"] = unwrapped(kms, arn, case["metadata"] | json.loads(case.get("instruction", "{}")))
        objects.append(case)
    for version in ("V2", "V3"):
        name = f"{version} format, instruction file encrypted anew"
        told = {"key": known["aes-256"], "version": version, "instruction": True}
        java.put("vectors", name, SENTENCE, **told)
        java.work(do="reencrypt", client="V4", bucket="vectors", object=name, newKey=known["aes-256-next"], enforce=True, **told)
        case = {"name": name, "writer": WRITERS["V4"], "key": "aes-256-next", "plaintext": base64.b64encode(SENTENCE).decode()}
        objects.append(case | {"context": {}} | stored(s3, name, **told))
    return {"keys": known, "objects": objects}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder)).start()
        java = Java(server, Path(folder))
        try:
            vectors = make(server, java)
        finally:
            java.stop()
            server.stop()
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(vectors, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    print(len(vectors["objects"]), "objects")


if __name__ == "__main__":
    main()
