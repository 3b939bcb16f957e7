// The AWS Encryption SDK for JavaScript against KMS: reads a JSON line of work, prints a JSON line of what it saw.
//
// It also opens a message that another implementation made (`theirs`), and hands out one of its own (`ours`).

import { buildClient, CommitmentPolicy, KmsKeyringNode } from "@aws-crypto/client-node";

const { keyArn, theirs, context } = JSON.parse(process.argv[2]);
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const keyring = new KmsKeyringNode({ generatorKeyId: keyArn });

const document = Buffer.alloc(100_000, "strongroom");
const { result } = await encrypt(keyring, document, { encryptionContext: context });
const { plaintext, messageHeader } = await decrypt(keyring, result);
const opened = await decrypt(keyring, Buffer.from(theirs, "base64"));

// One byte of the data key's context, which the header holds in the clear.
const changed = Buffer.from(result);
changed[changed.indexOf("invoices")] ^= 1;
const refused = await decrypt(keyring, changed).then(() => "opened", (error) => error.message);

console.log(
  JSON.stringify({
    same: document.equals(plaintext),
    context: messageHeader.encryptionContext.purpose,
    theirs: opened.plaintext.toString(),
    ours: result.toString("base64"),
    refused,
  }),
);
