import type postgres from 'postgres'

/**
 * Requests of one client: 50% read a row by key, 40% update by key a column that does not affect the type, 10% insert. Keys
 * are uniform and the same for each client in each run.
 */
export function createRequests(sql: postgres.Sql, rows: number, client: number): () => Promise<void> {
  const random = xorshift32(client + 1)
  let inserted = 0
  return async () => {
    const what = random()
    const id = 1 + Math.floor(random() * rows)
    if (what < 0.5) {
      await sql`select name, plate, is_truck, is_bike, axles, updated_at from public.vehicles where id = ${id}`
    } else if (what < 0.9) {
      await sql`update public.vehicles set axles = ${2 + (id % 5)} where id = ${id}`
    } else {
      const name = `new vehicle ${client} ${++inserted}`
      await sql`insert into public.vehicles (name, plate, is_truck, is_bike, axles, updated_at)
        values (${name}, md5(${name}), false, ${inserted % 2 === 0}, 2, now())`
    }
  }
}

/** Rows on either side of one: its own page and the pages next to it. */
const NEIGHBORS = 200

/** Updates of one client: each of a row next to `key`, of a column that does not affect the type. */
export function createNeighborUpdates(sql: postgres.Sql, key: number, client: number): () => Promise<void> {
  const random = xorshift32(client + 1)
  return async () => {
    const distance = 1 + Math.floor(random() * NEIGHBORS)
    const id = random() < 0.5 ? key - distance : key + distance
    await sql`update public.vehicles set axles = ${2 + Math.floor(random() * 5)} where id = ${id}`
  }
}

/** Seeded random numbers in [0, 1): xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
function xorshift32(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 4_294_967_296
  }
}
