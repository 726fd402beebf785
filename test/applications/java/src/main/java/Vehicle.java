import jakarta.persistence.DiscriminatorColumn;
import jakarta.persistence.DiscriminatorValue;
import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Inheritance;
import jakarta.persistence.InheritanceType;
import jakarta.persistence.Table;

/** The classes of single-table inheritance. They do not know the legacy columns. */
@Entity
@Table(name = "vehicles")
@Inheritance(strategy = InheritanceType.SINGLE_TABLE)
@DiscriminatorColumn(name = "\"DTYPE\"")
abstract class Vehicle {
  @Id
  @GeneratedValue(strategy = GenerationType.IDENTITY)
  Long id;

  String name;

  abstract String kind();

  static Vehicle of(String kind) {
    return switch (kind) {
      case "truck" -> new Truck();
      case "bike" -> new Bike();
      default -> new Car();
    };
  }

  @Entity
  @DiscriminatorValue("Truck")
  static class Truck extends Vehicle {
    @Override
    String kind() {
      return "truck";
    }
  }

  @Entity
  @DiscriminatorValue("Bike")
  static class Bike extends Vehicle {
    @Override
    String kind() {
      return "bike";
    }
  }

  @Entity
  @DiscriminatorValue("Car")
  static class Car extends Vehicle {
    @Override
    String kind() {
      return "car";
    }
  }
}
