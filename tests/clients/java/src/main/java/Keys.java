import com.fasterxml.jackson.databind.JsonNode;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/**
 * A wrapping key as the tests name it: {"aes": base64}, {"rsaPublic": base64 SPKI, "rsaPrivate": base64 PKCS#8, either or both}, or
 * {"kms": ARN}, each with a "description" for raw keys.
 */
record Keys(JsonNode json) {
    boolean isAes() {
        return json.has("aes");
    }

    boolean isRsa() {
        return json.has("rsaPublic") || json.has("rsaPrivate");
    }

    String kms() {
        return json.get("kms").asText();
    }

    SecretKey aes() {
        return new SecretKeySpec(bytes("aes"), "AES");
    }

    PublicKey rsaPublic() throws GeneralSecurityException {
        return json.has("rsaPublic") ? KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(bytes("rsaPublic"))) : null;
    }

    PrivateKey rsaPrivate() throws GeneralSecurityException {
        return json.has("rsaPrivate") ? KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(bytes("rsaPrivate"))) : null;
    }

    KeyPair rsa() throws GeneralSecurityException {
        return new KeyPair(rsaPublic(), rsaPrivate());
    }

    Map<String, String> description() {
        return strings(json.get("description"));
    }

    /** An object of strings; empty if there is none. */
    static Map<String, String> strings(JsonNode object) {
        Map<String, String> strings = new LinkedHashMap<>();
        if (object != null) {
            object.fields().forEachRemaining(field -> strings.put(field.getKey(), field.getValue().asText()));
        }
        return strings;
    }

    private byte[] bytes(String name) {
        return Base64.getDecoder().decode(json.get(name).asText());
    }
}
