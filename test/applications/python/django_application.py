"""An application on Django with psycopg. Its classes are proxy models; the discriminator is a smallint."""

from urllib.parse import urlparse

import django
from django.conf import settings as django_settings
from django.db import models

from workload import serve

KIND_CLASSES = {}


def map_models(settings):
    url = urlparse(settings["databaseUrl"])
    database = {"ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username}
    database |= {"PASSWORD": url.password, "HOST": url.hostname, "PORT": url.port}
    django_settings.configure(DATABASES={"default": database}, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField")
    django.setup()
    codes = {kind: int(code) for kind, code in settings["types"].items()}

    class LegacyVehicle(models.Model):
        """What the table was before: the kind is in the legacy columns. It does not know the type."""

        id = models.BigAutoField(primary_key=True)
        name = models.TextField()
        is_truck = models.BooleanField(default=False)
        category = models.TextField(null=True)

        class Meta:
            app_label, db_table, managed = "fleet", "vehicles", False

    class Vehicle(models.Model):
        """The row by its type. It does not know the legacy columns."""

        id = models.BigAutoField(primary_key=True)
        name = models.TextField()
        type = models.SmallIntegerField()

        class Meta:
            app_label, db_table, managed = "fleet", "vehicles", False

        @classmethod
        def from_db(cls, db, field_names, values):
            vehicle = super().from_db(db, field_names, values)
            vehicle.__class__ = KIND_CLASSES[vehicle.type]
            return vehicle

    class Truck(Vehicle):
        class Meta:
            app_label, proxy = "fleet", True

    class Bike(Vehicle):
        class Meta:
            app_label, proxy = "fleet", True

    class Car(Vehicle):
        class Meta:
            app_label, proxy = "fleet", True

    for kind, proxy in (("truck", Truck), ("bike", Bike), ("car", Car)):
        KIND_CLASSES[codes[kind]] = proxy
    return LegacyVehicle, Vehicle, codes


def legacy_values(kind):
    return {"is_truck": kind == "truck", "category": "bike" if kind == "bike" else None}


class Store:
    """Each method is a request. save() writes every column of the model."""

    def __init__(self, settings):
        self.legacy, self.typed, self.codes = map_models(settings)
        self.kinds = {KIND_CLASSES[code]: kind for kind, code in self.codes.items()}

    def objects(self, model):
        return (self.typed if model == "typed" else self.legacy).objects

    def create(self, model, kind, name):
        values = {"type": self.codes[kind]} if model == "typed" else legacy_values(kind)
        return str(self.objects(model).create(name=name, **values).pk)

    def change(self, model, row_id, kind):
        vehicle = self.objects(model).get(pk=row_id)
        values = {"type": self.codes[kind]} if model == "typed" else legacy_values(kind)
        for name, value in values.items():
            setattr(vehicle, name, value)
        vehicle.save()

    def rename(self, model, row_id, name):
        vehicle = self.objects(model).get(pk=row_id)
        vehicle.name = name
        vehicle.save()

    def find(self, model, row_id):
        vehicle = self.objects(model).filter(pk=row_id).first()
        return None if vehicle is None else (self.kind(model, vehicle), vehicle.name)

    def remove(self, model, row_id):
        self.objects(model).get(pk=row_id).delete()

    def list(self, model):
        return [(str(row.pk), self.kind(model, row), row.name) for row in self.objects(model).all()]

    def kind(self, model, vehicle):
        if model == "typed":
            return self.kinds[type(vehicle)]
        return "truck" if vehicle.is_truck else "bike" if vehicle.category == "bike" else "car"


serve(Store, ["Django", "psycopg", "openfeature-sdk", "openfeature-provider-ofrep"])
