/** The demo's table: two booleans say what a vehicle is, its own trigger keeps updated_at. */
const TYPES_FILE_PART = `rollout: vehicles
table: public.vehicles
discriminator: { column: type, dataType: text }
types:
  - { name: Truck, when: is_truck, restore: { is_truck: true, is_bike: false } }
  - { name: Bike, when: is_bike, restore: { is_truck: false, is_bike: true } }
otherwise: { name: Car, restore: { is_truck: false, is_bike: false } }
legacyColumns: [is_truck, is_bike]
triggers: { touch_updated_at: skips }
constraint: notNull
flag: { key: vehicles-sti }
validation: { every: 7d, requires: [integrity] }
`

/** With limits that a test can reach: the defaults want half an hour and 64 MB. */
const THROTTLE_FILE_PART = `throttle: { oldestSnapshotSeconds: 3, replicationLagBytes: 1000000, replicationLagSeconds: 3, slotRetainedBytes: 30000000 }
signals:
  - { name: advisory-locks, sql: "select count(*) from pg_locks where locktype = 'advisory'", limit: 5 }
`

export const vehiclesFile = (application: string): string => `${TYPES_FILE_PART}${THROTTLE_FILE_PART}api:
  histogram: { url: '${application}/metrics', name: http_request_duration_seconds, errors: { status: '5..' } }
checks:
  - name: only-trucks-have-more-axles
    violations: select id from public.vehicles where type <> 'Truck' and axles <> 2
  - { name: list-of-trucks, request: { url: '${application}/vehicles?kind=truck', sameWithFlag: true } }
  - { name: healthy, request: { url: '${application}/healthz' } }
`

/** Partitioned, and with a condition that can raise: of a row without weight it divides by zero. */
export const PARTITIONS_FILE = `rollout: vehicles
table: public.vehicles
types:
  - { name: Truck, when: 1000 / weight < 2, restore: { weight: 1000 } }
otherwise: { name: Car, restore: { weight: 100 } }
legacyColumns: [weight]
flag: { key: vehicles-sti }
validation: { every: 7d, requires: [integrity] }
`
