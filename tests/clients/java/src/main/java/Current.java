import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.crypto.SecretKey;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.SdkPartType;
import software.amazon.encryption.s3.CommitmentPolicy;
import software.amazon.encryption.s3.S3EncryptionClient;
import software.amazon.encryption.s3.algorithms.AlgorithmSuite;
import software.amazon.encryption.s3.internal.InstructionFileConfig;
import software.amazon.encryption.s3.internal.ReEncryptInstructionFileRequest;
import software.amazon.encryption.s3.materials.AesKeyMaterial;
import software.amazon.encryption.s3.materials.AesKeyring;
import software.amazon.encryption.s3.materials.KmsKeyring;
import software.amazon.encryption.s3.materials.MaterialsDescription;
import software.amazon.encryption.s3.materials.PartialRsaKeyPair;
import software.amazon.encryption.s3.materials.RawKeyMaterial;
import software.amazon.encryption.s3.materials.RawKeyring;
import software.amazon.encryption.s3.materials.RsaKeyMaterial;
import software.amazon.encryption.s3.materials.RsaKeyring;
import software.amazon.encryption.s3.materials.S3Keyring;

/** The Amazon S3 Encryption Client 4.x: writes V3, V2 on request, reads all. */
final class Current {
    /** The client never closes what it reads of instruction files and of objects that it refuses, each over a connection of its own. */
    private static final int CONNECTIONS = 5000;

    private final S3Client s3;
    private final S3AsyncClient asynchronous;
    private final KmsClient kms;

    Current(URI endpoint) {
        s3 = S3Client.builder().endpointOverride(endpoint).forcePathStyle(true)
                .httpClientBuilder(ApacheHttpClient.builder().maxConnections(CONNECTIONS)).build();
        asynchronous = S3AsyncClient.builder().endpointOverride(endpoint).forcePathStyle(true)
                .httpClientBuilder(NettyNioAsyncHttpClient.builder().maxConcurrency(CONNECTIONS)).build();
        kms = KmsClient.builder().endpointOverride(endpoint).build();
    }

    void put(JsonNode work, Path file) throws Exception {
        client(work).putObject(
                put -> put.bucket(bucket(work)).key(key(work)).metadata(Keys.strings(work.get("metadata"))).overrideConfiguration(context(work)),
                RequestBody.fromFile(file));
    }

    /** An upload of parts of this many bytes, in their order: the cipher runs through them. */
    void putParts(JsonNode work, Path file, int partBytes) throws Exception {
        S3EncryptionClient client = client(work);
        String upload = client.createMultipartUpload(
                create -> create.bucket(bucket(work)).key(key(work)).overrideConfiguration(context(work))).uploadId();
        byte[] all = Files.readAllBytes(file);
        List<CompletedPart> parts = new ArrayList<>();
        for (int start = 0; start < all.length; start += partBytes) {
            byte[] part = Arrays.copyOfRange(all, start, Math.min(all.length, start + partBytes));
            int number = parts.size() + 1;
            boolean last = start + partBytes >= all.length;
            String tag = client.uploadPart(
                    request -> request.bucket(bucket(work)).key(key(work)).uploadId(upload).partNumber(number)
                            .sdkPartType(last ? SdkPartType.LAST : SdkPartType.DEFAULT)
                            .contentLength((long) part.length),
                    RequestBody.fromBytes(part)).eTag();
            parts.add(CompletedPart.builder().partNumber(number).eTag(tag).build());
        }
        client.completeMultipartUpload(
                done -> done.bucket(bucket(work)).key(key(work)).uploadId(upload).multipartUpload(list -> list.parts(parts)));
    }

    void get(JsonNode work, Path file) throws Exception {
        byte[] plaintext = client(work).getObjectAsBytes(get -> get.bucket(bucket(work)).key(key(work))
                .range(work.has("range") ? work.get("range").asText() : null).overrideConfiguration(context(work))).asByteArray();
        Files.write(file, plaintext);
    }

    void delete(JsonNode work) throws Exception {
        client(work).deleteObject(delete -> delete.bucket(bucket(work)).key(key(work)));
    }

    void reencrypt(JsonNode work) throws Exception {
        client(work).reEncryptInstructionFile(ReEncryptInstructionFileRequest.builder().bucket(bucket(work)).key(key(work))
                .newKeyring((RawKeyring<?>) keyring(work.get("newKey"), work)).enforceRotation(work.path("enforce").asBoolean()).build());
    }

    private S3EncryptionClient client(JsonNode work) throws GeneralSecurityException {
        boolean v2 = work.path("version").asText("V3").equals("V2");
        return S3EncryptionClient.builderV4()
                .wrappedClient(s3)
                .wrappedAsyncClient(asynchronous)
                .keyring(keyring(work.get("key"), work))
                .instructionFileConfig(InstructionFileConfig.builder()
                        .instructionFileClient(s3).enableInstructionFilePutObject(work.path("instruction").asBoolean()).build())
                .encryptionAlgorithm(v2 ? AlgorithmSuite.ALG_AES_256_GCM_IV12_TAG16_NO_KDF
                        : AlgorithmSuite.ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY)
                .commitmentPolicy(CommitmentPolicy.valueOf(work.path("commitment")
                        .asText(v2 ? "FORBID_ENCRYPT_ALLOW_DECRYPT" : "REQUIRE_ENCRYPT_REQUIRE_DECRYPT")))
                .enableLegacyUnauthenticatedModes(work.path("legacyModes").asBoolean())
                .build();
    }

    private S3Keyring keyring(JsonNode json, JsonNode work) throws GeneralSecurityException {
        Keys keys = new Keys(json);
        boolean legacy = work.path("legacyWrapping").asBoolean();
        MaterialsDescription description = described(keys);
        if (keys.isAes()) {
            Map<MaterialsDescription, RawKeyMaterial<SecretKey>> others = new HashMap<>();
            for (JsonNode other : work.path("otherKeys")) {
                Keys more = new Keys(other);
                others.put(described(more), new AesKeyMaterial(described(more), more.aes()));
            }
            return AesKeyring.builder().wrappingKey(keys.aes()).materialsDescription(description)
                    .additionalDecryptionKeyMaterial(others).enableLegacyWrappingAlgorithms(legacy).build();
        }
        if (keys.isRsa()) {
            Map<MaterialsDescription, RawKeyMaterial<PartialRsaKeyPair>> others = new HashMap<>();
            for (JsonNode other : work.path("otherKeys")) {
                Keys more = new Keys(other);
                others.put(described(more), new RsaKeyMaterial(described(more), pair(more)));
            }
            return RsaKeyring.builder().wrappingKeyPair(pair(keys)).materialsDescription(description)
                    .additionalDecryptionKeyMaterial(others).enableLegacyWrappingAlgorithms(legacy).build();
        }
        return KmsKeyring.builder().kmsClient(kms).wrappingKeyId(keys.kms()).enableLegacyWrappingAlgorithms(legacy).build();
    }

    private static PartialRsaKeyPair pair(Keys keys) throws GeneralSecurityException {
        return new PartialRsaKeyPair(keys.rsaPrivate(), keys.rsaPublic());
    }

    private static MaterialsDescription described(Keys keys) {
        return MaterialsDescription.builder().putAll(keys.description()).build();
    }

    private static Consumer<AwsRequestOverrideConfiguration.Builder> context(JsonNode work) {
        return work.has("context") ? S3EncryptionClient.withAdditionalConfiguration(Keys.strings(work.get("context"))) : nothing -> {};
    }

    private static String bucket(JsonNode work) {
        return work.get("bucket").asText();
    }

    private static String key(JsonNode work) {
        return work.get("object").asText();
    }
}
