import type { Vehicle, VehicleInput } from '../service/vehicle.ts'

/**
 * The rows that the traffic changed. The traffic is the only writer of the table, so every other seed row must be
 * unchanged, and every row above the seed must be in `created`.
 */
export interface ExpectedRows {
  readonly updated: readonly ExpectedRow[]
  /** Ids of deleted seed rows. */
  readonly deleted: readonly number[]
  readonly created: readonly ExpectedRow[]
  /** Ids of rows whose last write got no response, so that it may or may not have happened. */
  readonly unknown: readonly number[]
  /** Number of creations without a response. */
  readonly unknownCreations: number
}

export interface ExpectedRow extends VehicleInput {
  readonly id: number
}

/** Limits that keep the recorded rows bounded. */
const MAXIMUM_UPDATED_ROWS = 20_000
const MAXIMUM_DELETED_ROWS = 2_000
const MAXIMUM_CREATED_ROWS = 2_000

export function trackExpectedRows(seedRows: number) {
  const updated = new Map<number, ExpectedRow>()
  const deleted = new Set<number>()
  const created = new Map<number, ExpectedRow>()
  const unknown = new Set<number>()
  const busy = new Set<number>()
  let unknownCreations = 0
  const free = (id: number): boolean => !busy.has(id) && !deleted.has(id) && !unknown.has(id)
  const random = (below: number): number => Math.floor(Math.random() * below)
  const someCreated = (): number | null => [...created.keys()][random(created.size)] ?? null
  return {
    /** Id of a row to update, reserved until `release`: two concurrent writes would leave its state unknown. */
    takeForUpdate(): number | null {
      const touched = updated.size >= MAXIMUM_UPDATED_ROWS ? ([...updated.keys()][random(updated.size)] ?? null) : null
      const id = Math.random() < 0.2 ? someCreated() : (touched ?? 1 + random(seedRows))
      return id !== null && free(id) ? hold(id) : null
    },
    takeForDelete(): number | null {
      const seed = deleted.size < MAXIMUM_DELETED_ROWS && deleted.size < seedRows / 100 && Math.random() < 0.3
      const id = seed ? 1 + random(seedRows) : someCreated()
      return id !== null && free(id) ? hold(id) : null
    },
    mayCreate: () => created.size < MAXIMUM_CREATED_ROWS,
    wasCreated: (row: Vehicle) => void created.set(row.id, fieldsOf(row)),
    wasUpdated: (row: Vehicle) => void (row.id > seedRows ? created : updated).set(row.id, fieldsOf(row)),
    wasDeleted(id: number) {
      if (!created.delete(id)) {
        updated.delete(id)
        deleted.add(id)
      }
    },
    isUnknown: (id: number) => void unknown.add(id),
    isUnknownCreation: () => void unknownCreations++,
    release: (id: number) => void busy.delete(id),
    report: (): ExpectedRows => ({
      updated: [...updated.values()],
      deleted: [...deleted],
      created: [...created.values()],
      unknown: [...unknown],
      unknownCreations,
    }),
  }
  function hold(id: number): number {
    busy.add(id)
    return id
  }
}

const fieldsOf = ({ id, vin, name, isTruck, isBike, axles, ownerEmail, price }: Vehicle): ExpectedRow => ({
  id,
  vin,
  name,
  isTruck,
  isBike,
  axles,
  ownerEmail,
  price,
})
