import com.fasterxml.jackson.databind.JsonNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.FlagEvaluationDetails;
import dev.openfeature.sdk.MutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import java.time.Duration;

/** The flag by the OpenFeature SDK. The default timeouts of 10 s would block the request. */
final class FlagClient {
  private final Client client;
  private final String key;

  FlagClient(JsonNode flag, String domain) {
    Duration timeout = Duration.ofMillis(flag.get("timeoutMs").asInt());
    OfrepProviderOptions options =
        OfrepProviderOptions.builder()
            .baseUrl(flag.get("url").asText())
            .requestTimeout(timeout)
            .connectTimeout(timeout)
            .headers(
                ImmutableMap.of(
                    "Authorization", ImmutableList.of("Bearer " + flag.get("token").asText()),
                    "X-Sti-Client", ImmutableList.of(flag.get("client").asText())))
            .build();
    OpenFeatureAPI.getInstance().setProviderAndWait(domain, OfrepProvider.constructProvider(options));
    client = OpenFeatureAPI.getInstance().getClient(domain);
    key = flag.get("key").asText();
  }

  FlagEvaluationDetails<Boolean> evaluate(String user) {
    return client.getBooleanDetails(key, false, new MutableContext(user));
  }
}
