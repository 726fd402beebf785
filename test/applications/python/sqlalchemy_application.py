"""An application on SQLAlchemy, with the driver that the command line names: psycopg or asyncpg."""

import asyncio
import sys
import threading

from sqlalchemy import BigInteger, Enum, Identity, Text, create_engine, select, update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from workload import serve


class LegacyBase(DeclarativeBase):
    pass


class LegacyVehicle(LegacyBase):
    """What the table was before: the kind is in the legacy columns. It does not know the type."""

    __tablename__ = "vehicles"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    name: Mapped[str]
    is_truck: Mapped[bool] = mapped_column(default=False)
    category: Mapped[str | None]


def legacy_values(kind):
    return {"is_truck": kind == "truck", "category": "bike" if kind == "bike" else None}


def legacy_kind(vehicle):
    return "truck" if vehicle.is_truck else "bike" if vehicle.category == "bike" else "car"


def map_types(types, data_type):
    """The classes of single-table inheritance. They do not know the legacy columns."""
    if data_type == "vehicle_type":
        column_type = Enum(*types.values(), name=data_type, create_type=False)
    else:
        column_type = Text()

    class TypedBase(DeclarativeBase):
        pass

    class Vehicle(TypedBase):
        __tablename__ = "vehicles"
        id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
        name: Mapped[str]
        type: Mapped[str] = mapped_column(column_type)
        __mapper_args__ = {"polymorphic_on": "type", "polymorphic_abstract": True}

    class Truck(Vehicle):
        __mapper_args__ = {"polymorphic_identity": types["truck"]}

    class Bike(Vehicle):
        __mapper_args__ = {"polymorphic_identity": types["bike"]}

    class Car(Vehicle):
        __mapper_args__ = {"polymorphic_identity": types["car"]}

    return Vehicle, {"truck": Truck, "bike": Bike, "car": Car}


class Store:
    """Each method is one transaction."""

    def __init__(self, run, settings):
        self.run = run
        self.types = settings["types"]
        self.base, self.classes = map_types(self.types, settings["dataType"])
        self.kinds = {mapped: kind for kind, mapped in self.classes.items()}

    def create(self, model, kind, name):
        def work(session):
            if model == "typed":
                vehicle = self.classes[kind](name=name)
            else:
                vehicle = LegacyVehicle(name=name, **legacy_values(kind))
            session.add(vehicle)
            session.flush()
            return str(vehicle.id)

        return self.run(work)

    def change(self, model, row_id, kind):
        def work(session):
            if model == "typed":
                # The class of an object cannot change: the statement writes the discriminator.
                values = update(self.base).where(self.base.id == int(row_id)).values(type=self.types[kind])
                session.execute(values.execution_options(synchronize_session=False))
            else:
                vehicle = session.get(LegacyVehicle, int(row_id))
                for name, value in legacy_values(kind).items():
                    setattr(vehicle, name, value)

        self.run(work)

    def rename(self, model, row_id, name):
        def work(session):
            session.get(self.base if model == "typed" else LegacyVehicle, int(row_id)).name = name

        self.run(work)

    def find(self, model, row_id):
        def work(session):
            vehicle = session.get(self.base if model == "typed" else LegacyVehicle, int(row_id))
            return None if vehicle is None else (self.kind(model, vehicle), vehicle.name)

        return self.run(work)

    def remove(self, model, row_id):
        def work(session):
            session.delete(session.get(self.base if model == "typed" else LegacyVehicle, int(row_id)))

        self.run(work)

    def list(self, model):
        def work(session):
            vehicles = session.scalars(select(self.base if model == "typed" else LegacyVehicle))
            return [(str(vehicle.id), self.kind(model, vehicle), vehicle.name) for vehicle in vehicles]

        return self.run(work)

    def kind(self, model, vehicle):
        return self.kinds[type(vehicle)] if model == "typed" else legacy_kind(vehicle)


def open_store(settings):
    url = settings["databaseUrl"].replace("postgres://", f"postgresql+{driver}://", 1)
    workers = settings["workers"]
    if driver == "psycopg":
        engine = create_engine(url, pool_size=workers)

        def run(work):
            with Session(engine) as session, session.begin():
                return work(session)

    else:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        async_engine = create_async_engine(url, pool_size=workers)

        async def transaction(work):
            async with AsyncSession(async_engine) as session, session.begin():
                return await session.run_sync(work)

        def run(work):
            return asyncio.run_coroutine_threadsafe(transaction(work), loop).result()

    return Store(run, settings)


driver = sys.argv[1]
serve(open_store, ["SQLAlchemy", driver, "openfeature-sdk", "openfeature-provider-ofrep"])
