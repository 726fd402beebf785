import { randomBytes } from 'node:crypto'
import { VEHICLE_KINDS, legacyKind, type Vehicle, type VehicleInput } from '../service/vehicle.ts'
import type { trackExpectedRows } from './expectedRows.ts'

export interface TrafficCounters {
  requests: number
  reads: number
  writes: number
  readsByType: number
  /** Updates and creations with a response. */
  changes: number
  writesByType: number
  /** Requests with an error status or without a response. */
  errors: number
  /** Responses with a vehicle of the wrong kind. */
  wrongAnswers: number
  skipped: number
  lastError: string | null
}

export const newTrafficCounters = (): TrafficCounters => ({
  requests: 0,
  reads: 0,
  writes: 0,
  readsByType: 0,
  changes: 0,
  writesByType: 0,
  errors: 0,
  wrongAnswers: 0,
  skipped: 0,
  lastError: null,
})

type RowTracker = ReturnType<typeof trackExpectedRows>

/** Sends one request: 70% lists, 10% single reads, 12% updates, 5% creations, 3% deletions. */
export async function sendRandomRequest(
  base: string,
  seedRows: number,
  expected: RowTracker,
  counters: TrafficCounters,
): Promise<void> {
  const dice = Math.random()
  if (dice < 0.7) return listVehicles(base, seedRows, counters)
  if (dice < 0.8) return readVehicle(base, seedRows, counters)
  if (dice < 0.92) return updateVehicle(base, expected, counters)
  if (dice < 0.97) return createVehicle(base, expected, counters)
  return deleteVehicle(base, expected, counters)
}

async function listVehicles(base: string, seedRows: number, counters: TrafficCounters): Promise<void> {
  const kind = VEHICLE_KINDS[Math.floor(Math.random() * VEHICLE_KINDS.length)] ?? 'truck'
  const after = Math.floor(Math.random() * seedRows)
  const response = await sendRequest(counters, 'reads', `${base}/vehicles?kind=${kind}&after=${after}`)
  if (!response) return
  if (response.headers.get('x-type-source') === 'type') counters.readsByType++
  const { vehicles } = (await response.json()) as { vehicles: Vehicle[] }
  if (vehicles.some((vehicle) => vehicle.kind !== kind || legacyKind(vehicle) !== kind)) {
    counters.wrongAnswers++
    counters.lastError = `a list of kind ${kind} contains another kind`
  }
}

async function readVehicle(base: string, seedRows: number, counters: TrafficCounters): Promise<void> {
  const id = 1 + Math.floor(Math.random() * seedRows)
  const response = await sendRequest(counters, 'reads', `${base}/vehicles/${id}`, undefined, [404])
  if (!response) return
  if (response.headers.get('x-type-source') === 'type') counters.readsByType++
  if (response.status === 404) return void (await response.arrayBuffer())
  const vehicle = (await response.json()) as Vehicle
  if (vehicle.kind !== legacyKind(vehicle)) {
    counters.wrongAnswers++
    counters.lastError = `vehicle ${id} was read as ${vehicle.kind}, not ${legacyKind(vehicle)}`
  }
}

async function updateVehicle(base: string, expected: RowTracker, counters: TrafficCounters): Promise<void> {
  const id = expected.takeForUpdate()
  if (id === null) return void counters.skipped++
  try {
    const body = randomVehicle()
    const response = await sendRequest(counters, 'writes', `${base}/vehicles/${id}`, { method: 'PUT', body })
    if (response) expected.wasUpdated(await recordWrite(counters, response, body))
    else expected.isUnknown(id)
  } finally {
    expected.release(id)
  }
}

async function createVehicle(base: string, expected: RowTracker, counters: TrafficCounters): Promise<void> {
  if (!expected.mayCreate()) return void counters.skipped++
  const body = randomVehicle()
  const response = await sendRequest(counters, 'writes', `${base}/vehicles`, { method: 'POST', body })
  if (response) expected.wasCreated(await recordWrite(counters, response, body))
  else expected.isUnknownCreation()
}

/**
 * The row that is expected from now on: the requested one. The legacy columns come from the response, because a write
 * by type sets only their meaning: a truck with is_bike set stays a truck.
 */
async function recordWrite(counters: TrafficCounters, response: Response, requested: VehicleInput): Promise<Vehicle> {
  counters.changes++
  if (response.headers.get('x-type-source') === 'type') counters.writesByType++
  const vehicle = (await response.json()) as Vehicle
  const kind = legacyKind(requested)
  if (vehicle.kind !== kind || legacyKind(vehicle) !== kind) {
    counters.wrongAnswers++
    counters.lastError = `vehicle ${vehicle.id} was written as ${kind} but is ${vehicle.kind}`
  }
  return { ...vehicle, name: requested.name, axles: requested.axles, price: requested.price }
}

async function deleteVehicle(base: string, expected: RowTracker, counters: TrafficCounters): Promise<void> {
  const id = expected.takeForDelete()
  if (id === null) return void counters.skipped++
  try {
    const response = await sendRequest(counters, 'writes', `${base}/vehicles/${id}`, { method: 'DELETE' })
    if (response) expected.wasDeleted(id)
    else expected.isUnknown(id)
  } finally {
    expected.release(id)
  }
}

/** The response, or null after an error, which is counted. */
async function sendRequest(
  counters: TrafficCounters,
  sort: 'reads' | 'writes',
  url: string,
  init: { method?: string; body?: VehicleInput } = {},
  acceptedStatuses: readonly number[] = [],
): Promise<Response | null> {
  counters.requests++
  counters[sort]++
  try {
    const response = await fetch(url, {
      method: init.method ?? 'GET',
      body: init.body ? JSON.stringify(init.body) : null,
      headers: { 'content-type': 'application/json', 'x-user': `user-${Math.floor(Math.random() * 5000)}` },
      signal: AbortSignal.timeout(5_000),
    })
    if (response.ok || acceptedStatuses.includes(response.status)) return response
    await response.arrayBuffer()
    throw new Error(`status ${response.status}`)
  } catch (error) {
    counters.errors++
    counters.lastError = `${init.method ?? 'GET'} ${new URL(url).pathname}: ${(error as Error).message}`
    return null
  }
}

function randomVehicle(): VehicleInput {
  const dice = Math.random()
  const isTruck = dice < 0.25
  return {
    vin: `NEW${randomBytes(8).toString('hex')}`,
    name: `changed ${randomBytes(4).toString('hex')}`,
    isTruck,
    isBike: dice >= 0.2 && dice < 0.5,
    axles: isTruck ? 2 + Math.floor(Math.random() * 4) : 2,
    ownerEmail: 'owner@example.com',
    price: Math.round(Math.random() * 9_000_000) / 100,
  }
}
