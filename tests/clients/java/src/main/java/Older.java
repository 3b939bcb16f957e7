import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.kms.AWSKMS;
import com.amazonaws.services.kms.AWSKMSClientBuilder;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3EncryptionClientBuilder;
import com.amazonaws.services.s3.AmazonS3EncryptionClientV2Builder;
import com.amazonaws.services.s3.model.CryptoConfiguration;
import com.amazonaws.services.s3.model.CryptoConfigurationV2;
import com.amazonaws.services.s3.model.CryptoMode;
import com.amazonaws.services.s3.model.CryptoStorageMode;
import com.amazonaws.services.s3.model.EncryptedPutObjectRequest;
import com.amazonaws.services.s3.model.EncryptionMaterials;
import com.amazonaws.services.s3.model.EncryptionMaterialsProvider;
import com.amazonaws.services.s3.model.GetObjectRequest;
import com.amazonaws.services.s3.model.KMSEncryptionMaterialsProvider;
import com.amazonaws.services.s3.model.StaticEncryptionMaterialsProvider;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;

/**
 * The two encryption clients of the AWS SDK for Java 1. The first ("V1") writes AES-CBC under "EncryptionOnly", and AES-GCM with the
 * old wrapping algorithms under "AuthenticatedEncryption"; the second ("V2") writes and reads the V2 format alone.
 */
@SuppressWarnings("deprecation")
final class Older {
    private final EndpointConfiguration endpoint;
    private final AWSKMS kms;

    Older(URI endpoint, String region) {
        this.endpoint = new EndpointConfiguration(endpoint.toString(), region);
        kms = AWSKMSClientBuilder.standard().withEndpointConfiguration(this.endpoint).build();
    }

    void put(JsonNode work, Path file) throws Exception {
        EncryptedPutObjectRequest request =
                new EncryptedPutObjectRequest(work.get("bucket").asText(), work.get("object").asText(), file.toFile());
        if (work.has("context")) {
            request.setMaterialsDescription(Keys.strings(work.get("context")));
        }
        client(work).putObject(request);
    }

    void get(JsonNode work, Path file) throws Exception {
        GetObjectRequest request = new GetObjectRequest(work.get("bucket").asText(), work.get("object").asText());
        try (InputStream plaintext = client(work).getObject(request).getObjectContent()) {
            Files.copy(plaintext, file, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private AmazonS3 client(JsonNode work) throws GeneralSecurityException {
        CryptoMode mode = CryptoMode.valueOf(work.path("mode").asText("StrictAuthenticatedEncryption"));
        CryptoStorageMode storage =
                work.path("instruction").asBoolean() ? CryptoStorageMode.InstructionFile : CryptoStorageMode.ObjectMetadata;
        if (work.get("client").asText().equals("V1")) {
            return AmazonS3EncryptionClientBuilder.standard().withEndpointConfiguration(endpoint).withPathStyleAccessEnabled(true)
                    .withCryptoConfiguration(new CryptoConfiguration(mode).withStorageMode(storage)).withKmsClient(kms)
                    .withEncryptionMaterials(materials(new Keys(work.get("key")))).build();
        }
        return AmazonS3EncryptionClientV2Builder.standard().withEndpointConfiguration(endpoint).withPathStyleAccessEnabled(true)
                .withCryptoConfiguration(new CryptoConfigurationV2(mode).withStorageMode(storage)).withKmsClient(kms)
                .withEncryptionMaterialsProvider(materials(new Keys(work.get("key")))).build();
    }

    private static EncryptionMaterialsProvider materials(Keys keys) throws GeneralSecurityException {
        if (keys.isAes() || keys.isRsa()) {
            EncryptionMaterials materials = keys.isAes() ? new EncryptionMaterials(keys.aes()) : new EncryptionMaterials(keys.rsa());
            return new StaticEncryptionMaterialsProvider(materials.addDescriptions(keys.description()));
        }
        return new KMSEncryptionMaterialsProvider(keys.kms());
    }
}
