import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.hibernate.Session;
import org.hibernate.SessionFactory;
import org.hibernate.cfg.Configuration;

/** The table by Hibernate. Each method is one transaction. */
final class Store {
  /** A row as a request sees it. */
  record Row(String id, String kind, String name) {}

  private static final Map<String, String> TYPES = Map.of("truck", "Truck", "bike", "Bike", "car", "Car");

  private final SessionFactory factory;

  Store(JsonNode settings) {
    URI url = URI.create(settings.get("databaseUrl").asText());
    String[] user = url.getUserInfo().split(":");
    factory =
        new Configuration()
            .addAnnotatedClass(LegacyVehicle.class)
            .addAnnotatedClass(Vehicle.class)
            .addAnnotatedClass(Vehicle.Truck.class)
            .addAnnotatedClass(Vehicle.Bike.class)
            .addAnnotatedClass(Vehicle.Car.class)
            .setProperty(
                "hibernate.connection.url",
                "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath() + "?autosave=conservative")
            .setProperty("hibernate.connection.username", user[0])
            .setProperty("hibernate.connection.password", user[1])
            .setProperty("hibernate.connection.pool_size", settings.get("workers").asText())
            .buildSessionFactory();
  }

  String create(String model, String kind, String name) {
    return run(
        session -> {
          if (model.equals("typed")) {
            Vehicle vehicle = Vehicle.of(kind);
            vehicle.name = name;
            session.persist(vehicle);
            return vehicle.id.toString();
          }
          LegacyVehicle vehicle = new LegacyVehicle();
          vehicle.name = name;
          vehicle.setKind(kind);
          session.persist(vehicle);
          return vehicle.id.toString();
        });
  }

  void change(String model, String id, String kind) {
    run(
        session -> {
          if (model.equals("typed"))
            // The class of an object cannot change: the statement writes the discriminator.
            session
                .createNativeMutationQuery("update vehicles set \"DTYPE\" = :type where id = :id")
                .setParameter("type", TYPES.get(kind))
                .setParameter("id", Long.valueOf(id))
                .executeUpdate();
          else legacy(session, id).setKind(kind);
          return null;
        });
  }

  void rename(String model, String id, String name) {
    run(
        session -> {
          if (model.equals("typed")) typed(session, id).name = name;
          else legacy(session, id).name = name;
          return null;
        });
  }

  Row find(String model, String id) {
    return run(
        session -> {
          if (model.equals("typed")) {
            Vehicle vehicle = typed(session, id);
            return vehicle == null ? null : row(vehicle);
          }
          LegacyVehicle vehicle = legacy(session, id);
          return vehicle == null ? null : row(vehicle);
        });
  }

  void remove(String model, String id) {
    run(
        session -> {
          session.remove(model.equals("typed") ? typed(session, id) : legacy(session, id));
          return null;
        });
  }

  List<Row> list(String model) {
    return run(
        session ->
            model.equals("typed")
                ? session.createQuery("from Vehicle", Vehicle.class).list().stream().map(Store::row).toList()
                : session.createQuery("from LegacyVehicle", LegacyVehicle.class).list().stream()
                    .map(Store::row)
                    .toList());
  }

  private static Vehicle typed(Session session, String id) {
    return session.find(Vehicle.class, Long.valueOf(id));
  }

  private static LegacyVehicle legacy(Session session, String id) {
    return session.find(LegacyVehicle.class, Long.valueOf(id));
  }

  private static Row row(Vehicle vehicle) {
    return new Row(vehicle.id.toString(), vehicle.kind(), vehicle.name);
  }

  private static Row row(LegacyVehicle vehicle) {
    return new Row(vehicle.id.toString(), vehicle.kind(), vehicle.name);
  }

  private <T> T run(Function<Session, T> work) {
    return factory.fromTransaction(work);
  }
}
