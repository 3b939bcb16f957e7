// `@aws-sdk/client-kms`: keys, aliases, contexts and data keys; prints one JSON line of what it saw, which the test judges.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
  paginateListKeys,
  ReEncryptCommand,
} from "@aws-sdk/client-kms";

const kms = new KMSClient({});
const seen = {};
const EncryptionContext = { department: "finance", purpose: "ü" };
const refused = (command) => kms.send(command).then(() => "answered", (error) => error.name);

const key = (await kms.send(new CreateKeyCommand({ Description: "from JavaScript" }))).KeyMetadata;
const AliasName = `alias/javascript-${randomBytes(6).toString("hex")}`;
await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.KeyId }));
seen.alias = (await kms.send(new DescribeKeyCommand({ KeyId: AliasName }))).KeyMetadata.Arn === key.Arn;
seen.created = Math.abs(key.CreationDate.getTime() - Date.now()) < 60_000;

const sealed = await kms.send(new EncryptCommand({ KeyId: AliasName, Plaintext: Buffer.from("hello"), EncryptionContext }));
const opened = await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob, EncryptionContext }));
seen.opened = Buffer.from(opened.Plaintext).toString();
seen.wrongContext = await refused(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }));

// A file under a data key: what an application does with KMS.
const made = await kms.send(new GenerateDataKeyCommand({ KeyId: key.KeyId, KeySpec: "AES_256", EncryptionContext }));
const nonce = randomBytes(12);
const cipher = createCipheriv("aes-256-gcm", made.Plaintext, nonce);
const file = Buffer.concat([cipher.update("a file"), cipher.final()]);
const dataKey = await kms.send(new DecryptCommand({ CiphertextBlob: made.CiphertextBlob, EncryptionContext }));
const decipher = createDecipheriv("aes-256-gcm", dataKey.Plaintext, nonce).setAuthTag(cipher.getAuthTag());
seen.file = Buffer.concat([decipher.update(file), decipher.final()]).toString();

const other = (await kms.send(new CreateKeyCommand({}))).KeyMetadata;
const moved = await kms.send(
  new ReEncryptCommand({ CiphertextBlob: sealed.CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: other.Arn }),
);
seen.moved = Buffer.from((await kms.send(new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob }))).Plaintext).toString();

const listed = [];
for await (const page of paginateListKeys({ client: kms, pageSize: 3 }, {})) listed.push(...page.Keys.map((entry) => entry.KeyId));
seen.listed = listed.includes(key.KeyId) && listed.includes(other.KeyId);

await kms.send(new DisableKeyCommand({ KeyId: key.KeyId }));
seen.disabled = await refused(new EncryptCommand({ KeyId: key.KeyId, Plaintext: Buffer.from("x") }));
seen.unknown = await refused(new EncryptCommand({ KeyId: "alias/unknown", Plaintext: Buffer.from("x") }));

console.log(JSON.stringify(seen));
