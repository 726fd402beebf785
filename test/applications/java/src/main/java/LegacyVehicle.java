import jakarta.persistence.Entity;
import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** What the table was before: the kind is in the legacy columns. It does not know the type. */
@Entity
@Table(name = "vehicles")
class LegacyVehicle {
  @Id
  @GeneratedValue(strategy = GenerationType.IDENTITY)
  Long id;

  String name;
  boolean is_truck;
  String category;

  void setKind(String kind) {
    is_truck = kind.equals("truck");
    category = kind.equals("bike") ? "bike" : null;
  }

  String kind() {
    return is_truck ? "truck" : "bike".equals(category) ? "bike" : "car";
  }
}
