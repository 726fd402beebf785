import { randomBytes } from 'node:crypto'
import { VEHICLE_KINDS, legacyKind, type Vehicle, type VehicleInput } from '../service/vehicle.ts'
import type { trackExpectedRows } from './expectedRows.ts'

export interface TrafficCounters {
  requests: number
  reads: number
  writes: number
  readsByType: number
  /** Updates and creations that were answered. */
  changes: number
  writesByType: number
  /** Answers other than the right one: a status of failure, no answer, or a vehicle of the wrong kind. */
  errors: number
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

/** One request of the mix: 70 % lists, 10 % single reads, 12 % updates, 5 % creations, 3 % deletions. */
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
  if (response.headers.get('x-goes-by') === 'type') counters.readsByType++
  const { vehicles } = (await response.json()) as { vehicles: Vehicle[] }
  if (vehicles.some((one) => one.kind !== kind || legacyKind(one) !== kind)) {
    counters.wrongAnswers++
    counters.lastError = `a list of ${kind} holds another kind`
  }
}

async function readVehicle(base: string, seedRows: number, counters: TrafficCounters): Promise<void> {
  const id = 1 + Math.floor(Math.random() * seedRows)
  const response = await sendRequest(counters, 'reads', `${base}/vehicles/${id}`, undefined, [404])
  if (!response) return
  if (response.headers.get('x-goes-by') === 'type') counters.readsByType++
  if (response.status === 404) return void (await response.arrayBuffer())
  const vehicle = (await response.json()) as Vehicle
  if (vehicle.kind !== legacyKind(vehicle)) {
    counters.wrongAnswers++
    counters.lastError = `vehicle ${id} is read as ${vehicle.kind}`
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
 * The row as it must be from now on: what was asked for. Of the legacy columns new code says only what they must mean:
 * a truck stays one whether it is a bike as well or not.
 */
async function recordWrite(counters: TrafficCounters, response: Response, requested: VehicleInput): Promise<Vehicle> {
  counters.changes++
  if (response.headers.get('x-goes-by') === 'type') counters.writesByType++
  const vehicle = (await response.json()) as Vehicle
  const kind = legacyKind(requested)
  if (vehicle.kind !== kind || legacyKind(vehicle) !== kind) {
    counters.wrongAnswers++
    counters.lastError = `vehicle ${vehicle.id} was written as ${kind} and is ${vehicle.kind}`
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

/** The answer, or null where it is an error, which is counted. */
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
    throw new Error(`answered ${response.status}`)
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
