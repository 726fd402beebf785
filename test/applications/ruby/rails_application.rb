# frozen_string_literal: true

# An application on Active Record, with the single-table inheritance of Rails.

require 'active_record'
require 'pg'
require_relative 'workload'

# What the table was before: the kind is in the legacy columns. It does not know the type, whose name would turn
# single-table inheritance on.
class LegacyVehicle < ActiveRecord::Base
  self.table_name = 'vehicles'
  self.ignored_columns += %w[type]

  def self.values(kind)
    { is_truck: kind == 'truck', category: kind == 'bike' ? 'bike' : nil }
  end

  def kind
    return 'truck' if is_truck

    category == 'bike' ? 'bike' : 'car'
  end
end

# The classes of single-table inheritance. They do not know the legacy columns.
class Vehicle < ActiveRecord::Base
  self.ignored_columns += %w[is_truck category]
end

class Bike < Vehicle
end

class Car < Vehicle
end

module Admin
  class Truck < Vehicle
  end
end

# Each method is one transaction.
class Store
  def initialize(types)
    @classes = types.transform_values(&:constantize)
    @kinds = @classes.invert
  end

  def create(model, kind, name)
    created = typed?(model) ? @classes[kind].create!(name: name) : LegacyVehicle.create!(name: name, **LegacyVehicle.values(kind))
    created.id.to_s
  end

  def change(model, id, kind)
    if typed?(model)
      Vehicle.find(id).becomes!(@classes[kind]).save!
    else
      LegacyVehicle.find(id).update!(LegacyVehicle.values(kind))
    end
  end

  def rename(model, id, name)
    base(model).find(id).update!(name: name)
  end

  def find(model, id)
    row(model, base(model).find(id)).drop(1)
  end

  def remove(model, id)
    base(model).find(id).destroy!
  end

  def list(model)
    base(model).all.map { |vehicle| row(model, vehicle) }
  end

  private

  def typed?(model)
    model == 'typed'
  end

  def base(model)
    typed?(model) ? Vehicle : LegacyVehicle
  end

  def row(model, vehicle)
    [vehicle.id.to_s, typed?(model) ? @kinds[vehicle.class] : vehicle.kind, vehicle.name]
  end
end

serve({ activerecord: ActiveRecord.version.to_s, pg: PG::VERSION }) do |settings|
  # One connection for each worker, and one for the commands.
  ActiveRecord::Base.establish_connection(url: settings['databaseUrl'], pool: settings['workers'] + 1)
  Store.new(settings['types'])
end
