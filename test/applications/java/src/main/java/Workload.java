import com.fasterxml.jackson.databind.JsonNode;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/** Requests of many users; each thread has rows of its own, so that the last write of every row is known. */
final class Workload {
  private static final List<String> KINDS = List.of("truck", "bike", "car");

  private record Known(String kind, String name) {}

  private final Store store;
  private final FlagClient flag;
  private final Random random = new Random();
  private final List<Map<String, Known>> rows = new ArrayList<>();
  private final Map<String, Integer> operations = new TreeMap<>();
  private final Map<String, Integer> errors = new TreeMap<>();
  private final List<String> wrong = new ArrayList<>();
  private boolean paused;
  private int active;

  Workload(Store store, JsonNode settings) {
    this.store = store;
    flag = settings.get("release").asText().equals("typed") ? null : new FlagClient(settings.get("flag"), "application");
    int workers = settings.get("workers").asInt();
    for (int worker = 0; worker < workers; worker++) rows.add(new HashMap<>());
    int at = 0;
    for (JsonNode row : settings.get("rows"))
      rows.get(at++ % workers).put(row.get(0).asText(), new Known(row.get(1).asText(), row.get(2).asText()));
    for (Map<String, Known> own : rows) {
      Thread thread = new Thread(() -> work(own));
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void work(Map<String, Known> own) {
    try {
      while (true) {
        synchronized (this) {
          while (paused) wait();
          active++;
        }
        String model = "typed";
        String error = null;
        try {
          model = chooseModel();
          request(model, own);
        } catch (RuntimeException failure) {
          error = describe(failure);
        }
        synchronized (this) {
          operations.merge(model, 1, Integer::sum);
          if (error != null) errors.merge(error, 1, Integer::sum);
          active--;
          notifyAll();
        }
        Thread.sleep(5);
      }
    } catch (InterruptedException interrupted) {
      throw new IllegalStateException(interrupted);
    }
  }

  private String chooseModel() {
    return flag == null || flag.evaluate("user-" + random.nextInt(10_000)).getValue() ? "typed" : "legacy";
  }

  private void request(String model, Map<String, Known> own) {
    double dice = random.nextDouble();
    String kind = KINDS.get(random.nextInt(3));
    String name = model + " " + UUID.randomUUID();
    if (dice < 0.2 || own.size() < 10) {
      own.put(store.create(model, kind, name), new Known(kind, name));
      return;
    }
    String id = List.copyOf(own.keySet()).get(random.nextInt(own.size()));
    Known known = own.get(id);
    if (dice < 0.5) {
      store.change(model, id, kind);
      own.put(id, new Known(kind, known.name()));
    } else if (dice < 0.7) {
      store.rename(model, id, name);
      own.put(id, new Known(known.kind(), name));
    } else if (dice < 0.9) {
      Store.Row found = store.find(model, id);
      if (found == null || !known.equals(new Known(found.kind(), found.name())))
        synchronized (this) {
          wrong.add(id + " by " + model + ": " + found + " instead of " + known);
        }
    } else {
      store.remove(model, id);
      own.remove(id);
    }
  }

  synchronized void pause() throws InterruptedException {
    paused = true;
    while (active > 0) wait();
  }

  synchronized void resume() {
    paused = false;
    notifyAll();
  }

  synchronized Map<String, Object> status() {
    return new HashMap<>(
        Map.of("operations", Map.copyOf(operations), "errors", Map.copyOf(errors), "wrong", List.copyOf(wrong)));
  }

  /** Every row, while the threads are paused. */
  List<List<String>> known() {
    List<List<String>> known = new ArrayList<>();
    for (Map<String, Known> own : rows)
      own.forEach((id, row) -> known.add(List.of(id, row.kind(), row.name())));
    return known;
  }

  /** Reads every row through the mapped classes. */
  List<String> check(String model) {
    Map<String, Known> expected = new HashMap<>();
    for (List<String> row : known()) expected.put(row.get(0), new Known(row.get(1), row.get(2)));
    Map<String, Known> found = new HashMap<>();
    for (Store.Row row : store.list(model)) found.put(row.id(), new Known(row.kind(), row.name()));
    Set<String> ids = new HashSet<>(expected.keySet());
    ids.addAll(found.keySet());
    return ids.stream()
        .filter(id -> !Objects.equals(expected.get(id), found.get(id)))
        .map(id -> id + " by " + model + ": " + found.get(id) + " instead of " + expected.get(id))
        .toList();
  }

  /** The SQLSTATE and the first line of the message, without values. */
  private static String describe(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause())
      if (cause instanceof SQLException sql && sql.getSQLState() != null)
        return sql.getSQLState() + " " + sql.getMessage().lines().findFirst().orElse("");
    return error.getClass().getSimpleName() + ": " + error.getMessage();
  }
}
