import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.openfeature.sdk.FlagEvaluationDetails;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.Map;
import java.util.logging.Level;
import java.util.logging.LogManager;

/**
 * An application on Hibernate with pgjdbc. The test drives it by commands, one JSON object a line; it answers each with
 * one line.
 */
public final class Application {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static Workload workload;

  public static void main(String[] arguments) throws Exception {
    LogManager.getLogManager().getLogger("").setLevel(Level.SEVERE);
    PrintStream answers = System.out;
    System.setOut(System.err);
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine())
      answers.println(JSON.writeValueAsString(answer(JSON.readTree(line))));
    System.exit(0);
  }

  private static Object answer(JsonNode command) throws InterruptedException {
    switch (command.get("command").asText()) {
      case "start":
        workload = new Workload(new Store(command), command);
        return Map.of("versions", versions());
      case "pause":
        workload.pause();
        Map<String, Object> status = workload.status();
        status.put("rows", workload.known());
        return status;
      case "resume":
        workload.resume();
        return Map.of();
      case "status":
        return workload.status();
      case "check":
        return Map.of("wrong", workload.check(command.get("model").asText()));
      case "evaluate":
        return evaluateOnce(command.get("flag"));
      default:
        throw new IllegalArgumentException("unknown command " + command);
    }
  }

  /** What the SDK answers, and after how many milliseconds. */
  private static Object evaluateOnce(JsonNode flag) {
    FlagClient client = new FlagClient(flag, "single");
    long began = System.nanoTime();
    FlagEvaluationDetails<Boolean> details = client.evaluate("user-1");
    Map<String, Object> answer = new HashMap<>();
    answer.put("value", details.getValue());
    answer.put("reason", details.getReason());
    answer.put("errorCode", details.getErrorCode());
    answer.put("milliseconds", (System.nanoTime() - began) / 1_000_000);
    return answer;
  }

  private static Map<String, String> versions() {
    return Map.of(
        "Hibernate", org.hibernate.Version.getVersionString(),
        "pgjdbc", org.postgresql.util.DriverInfo.DRIVER_VERSION);
  }
}
