import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Amazon's S3 encryption clients for Java, for the tests: reads a JSON line of work, does it, prints a JSON line, until its input ends.
 *
 * <p>Work has "client" ("V1", "V2" of the older SDK; "V4"), "do" (put, get, delete, reencrypt), "bucket", "object", "file" (what is
 * written or where to put what was read), "key" and the rest that {@link Current} and {@link Older} name. The answer is {} or
 * {"error": the messages of the exception and its causes}.
 */
public final class Main {
    public static void main(String[] arguments) throws Exception {
        URI endpoint = URI.create(arguments[0]);
        Current current = new Current(endpoint);
        Older older = new Older(endpoint, arguments[1]);
        ObjectMapper json = new ObjectMapper();
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // what a library prints is no answer
        BufferedReader works = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = works.readLine(); line != null; line = works.readLine()) {
            ObjectNode answer = json.createObjectNode();
            try {
                run(current, older, json.readTree(line));
            } catch (Exception refused) {
                answer.put("error", told(refused));
            }
            answers.println(answer);
        }
        System.exit(0);
    }

    private static void run(Current current, Older older, JsonNode work) throws Exception {
        boolean v4 = work.get("client").asText().equals("V4");
        Path file = Path.of(work.path("file").asText());
        switch (work.get("do").asText() + (v4 ? "" : " by an older client")) {
            case "put" -> {
                if (work.has("partBytes")) {
                    current.putParts(work, file, work.get("partBytes").asInt());
                } else {
                    current.put(work, file);
                }
            }
            case "get" -> current.get(work, file);
            case "delete" -> current.delete(work);
            case "reencrypt" -> current.reencrypt(work);
            case "put by an older client" -> older.put(work, file);
            case "get by an older client" -> older.get(work, file);
            default -> throw new IllegalArgumentException("unknown work: " + work.get("do"));
        }
    }

    private static String told(Throwable refused) {
        StringBuilder words = new StringBuilder();
        for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
            words.append(cause.getClass().getSimpleName()).append(": ").append(cause.getMessage()).append("; ");
        }
        return words.toString();
    }
}
