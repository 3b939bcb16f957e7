// The AWS SDK for JavaScript v3 against the server: prints one JSON line of what it saw, which the test judges.

import { createHash, randomBytes } from "node:crypto";
import { CreateKeyCommand, DecryptCommand, EncryptCommand, GenerateDataKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const MIB = 1024 * 1024;
const s3 = new S3Client({});
const kms = new KMSClient({});
const Bucket = `javascript-${randomBytes(6).toString("hex")}`;
const seen = {};

const keyArn = (await kms.send(new CreateKeyCommand({}))).KeyMetadata.Arn;
const sealed = await kms.send(new EncryptCommand({ KeyId: keyArn, Plaintext: Buffer.from("hello") }));
const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }));
seen.kms = Buffer.from(opened.Plaintext).toString();
seen.dataKeyLength = (await kms.send(new GenerateDataKeyCommand({ KeyId: keyArn, KeySpec: "AES_256" }))).Plaintext.length;

await s3.send(new CreateBucketCommand({ Bucket }));
const customerKey = randomBytes(32);
const customer = {
  SSECustomerAlgorithm: "AES256",
  SSECustomerKey: customerKey.toString("base64"),
  SSECustomerKeyMD5: createHash("md5").update(customerKey).digest("base64"),
};
const kmsKey = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: keyArn };
const modes = {
  "sse-s3": [{ ServerSideEncryption: "AES256" }, {}],
  "sse-kms": [kmsKey, {}],
  "bucket-key": [{ ...kmsKey, BucketKeyEnabled: true }, {}],
  "dsse-kms": [{ ...kmsKey, ServerSideEncryption: "aws:kms:dsse" }, {}],
  "sse-c": [customer, customer],
};
seen.modes = {};
for (const [name, [write, read]] of Object.entries(modes)) {
  const small = randomBytes(70_000);
  await s3.send(new PutObjectCommand({ Bucket, Key: `${name}/small`, Body: small, ...write }));
  const large = randomBytes(11 * MIB + 3);
  await new Upload({ client: s3, params: { Bucket, Key: `${name}/large`, Body: large, ...write }, queueSize: 3 }).done();
  const back = async (Key) => Buffer.from(await (await s3.send(new GetObjectCommand({ Bucket, Key, ...read }))).Body.transformToByteArray());
  seen.modes[name] = [small.equals(await back(`${name}/small`)), large.equals(await back(`${name}/large`))];
}

// A stream of unknown hash: the SDK sends aws-chunked with an unsigned trailing checksum.
await s3.send(new PutObjectCommand({ Bucket, Key: "chunked", Body: "chunked body", ChecksumAlgorithm: "CRC32C" }));
await s3.send(new CopyObjectCommand({ Bucket, Key: "copy", CopySource: `${Bucket}/chunked` }));
seen.listed = (await s3.send(new ListObjectsV2Command({ Bucket, Delimiter: "/" }))).Contents.map((item) => item.Key);

const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "copy" }), { expiresIn: 60 });
seen.presigned = await (await fetch(url)).text();

console.log(JSON.stringify(seen));
