// `@aws-sdk/client-kms`: keys, aliases, contexts, data keys, signatures; prints one JSON line of what it saw, which the test judges.

import { constants, createCipheriv, createDecipheriv, createPublicKey, publicEncrypt, randomBytes, verify } from "node:crypto";
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  KMSClient,
  paginateListKeys,
  ReEncryptCommand,
  SignCommand,
  VerifyMacCommand,
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

// Keys whose public half works outside: Node verifies and encrypts, KMS signs and decrypts.
const create = async (KeySpec, KeyUsage) => (await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage }))).KeyMetadata.KeyId;
const publicKey = async (KeyId) =>
  createPublicKey({ key: Buffer.from((await kms.send(new GetPublicKeyCommand({ KeyId }))).PublicKey), format: "der", type: "spki" });
const Message = Buffer.from("a message");
const signer = await create("ECC_NIST_P256", "SIGN_VERIFY");
const { Signature } = await kms.send(new SignCommand({ KeyId: signer, Message, SigningAlgorithm: "ECDSA_SHA_256" }));
seen.signature = verify("sha256", Message, await publicKey(signer), Signature);
const opener = await create("RSA_2048", "ENCRYPT_DECRYPT");
const options = { key: await publicKey(opener), padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
const outside = publicEncrypt(options, Message);
const inside = await kms.send(new DecryptCommand({ KeyId: opener, CiphertextBlob: outside, EncryptionAlgorithm: "RSAES_OAEP_SHA_256" }));
seen.oaep = Buffer.from(inside.Plaintext).toString();
const hmac = { KeyId: await create("HMAC_256", "GENERATE_VERIFY_MAC"), Message, MacAlgorithm: "HMAC_SHA_256" };
const { Mac } = await kms.send(new GenerateMacCommand(hmac));
seen.mac = (await kms.send(new VerifyMacCommand({ ...hmac, Mac }))).MacValid;

await kms.send(new DisableKeyCommand({ KeyId: key.KeyId }));
seen.disabled = await refused(new EncryptCommand({ KeyId: key.KeyId, Plaintext: Buffer.from("x") }));
seen.unknown = await refused(new EncryptCommand({ KeyId: "alias/unknown", Plaintext: Buffer.from("x") }));

console.log(JSON.stringify(seen));
