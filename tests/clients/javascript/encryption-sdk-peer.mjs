// The AWS Encryption SDK for JavaScript as a process that lives: reads JSON lines of work, prints JSON lines of answers.
//
// Work: do ("encrypt", "decrypt"), keys (a list, of which the first generates), data (base64), context, suite, frameLength, policy,
// maxKeys. Answer: data (base64) and the context, or error.

import { createInterface } from "node:readline";
import { constants } from "node:crypto";
import {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from "@aws-crypto/client-node";
import { KMS } from "@aws-sdk/client-kms";

const { RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING } = constants;
const OAEP = { "oaep-sha1": "sha1", "oaep-sha256": "sha256", "oaep-sha384": "sha384", "oaep-sha512": "sha512" };

function keyring(key) {
  if (key.aes) {
    const bytes = Uint8Array.from(Buffer.from(key.aes, "base64")); // of their own: the SDK takes no slice of a pool
    return new RawAesKeyringNode({
      keyNamespace: key.namespace,
      keyName: key.name,
      unencryptedMasterKey: bytes,
      wrappingSuite: RawAesWrappingSuiteIdentifier[`AES${bytes.length * 8}_GCM_IV12_TAG16_NO_PADDING`],
      utf8Sorting: true, // as the specification has it; without, its messages open in JavaScript alone
    });
  }
  if (key.padding) {
    return new RawRsaKeyringNode({
      keyNamespace: key.namespace,
      keyName: key.name,
      rsaKey: { publicKey: key.public, privateKey: key.private },
      padding: key.padding === "pkcs1" ? RSA_PKCS1_PADDING : RSA_PKCS1_OAEP_PADDING,
      oaepHash: OAEP[key.padding],
    });
  }
  const discoveryFilter = key.account ? { accountIDs: [key.account], partition: "aws" } : undefined;
  if (key.discovery && key.multiRegion) {
    const client = new KMS({ region: key.region });
    return new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({ client, discoveryFilter });
  }
  if (key.discovery) return new KmsKeyringNode({ discovery: true, discoveryFilter });
  if (key.multiRegion) {
    const client = new KMS({ region: key.arn.split(":")[3] });
    return new AwsKmsMrkAwareSymmetricKeyringNode({ client, keyId: key.arn });
  }
  return new KmsKeyringNode({ generatorKeyId: key.arn });
}

async function answer(work) {
  const commitmentPolicy = CommitmentPolicy[work.policy ?? "REQUIRE_ENCRYPT_REQUIRE_DECRYPT"];
  const { encrypt, decrypt } = buildClient({ commitmentPolicy, maxEncryptedDataKeys: work.maxKeys ?? false });
  const [generator, ...children] = work.keys.map(keyring);
  const all = children.length ? new MultiKeyringNode({ generator, children }) : generator;
  const data = Buffer.from(work.data, "base64");
  if (work.do === "encrypt") {
    const { suite: suiteId, frameLength, context: encryptionContext } = work;
    const { result } = await encrypt(all, data, { suiteId, frameLength, encryptionContext });
    return { data: result.toString("base64") };
  }
  const { plaintext, messageHeader } = await decrypt(all, data);
  return { data: plaintext.toString("base64"), context: messageHeader.encryptionContext };
}

for await (const line of createInterface({ input: process.stdin })) {
  const told = await answer(JSON.parse(line)).catch((error) => ({ error: `${error.name}: ${error.message}` }));
  console.log(JSON.stringify(told));
}
