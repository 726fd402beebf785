import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { startApplicationSessions } from '../support/applicationSessions.ts'
import { TOKENS } from '../support/agent.ts'

/** The expected legacy columns of each row, whichever code has written it. */
export interface LegacyRow {
  readonly name: string
  readonly is_truck: boolean
  readonly is_bike: boolean
  readonly axles: number | null
}

export type LegacyOracle = Map<string, LegacyRow>

export interface MixedTraffic {
  /** Writes that the database has confirmed, by the code that made them. */
  readonly writes: { old: number; new: number }
  /** The written keys. */
  readonly touched: Set<string>
  /** Resolves once this many writes were made in total. */
  waitForWrites(writes: number): Promise<void>
  stop(): Promise<void>
}

const LEGACY = {
  Truck: { is_truck: true, is_bike: false },
  Bike: { is_truck: false, is_bike: true },
  Car: { is_truck: false, is_bike: false },
} as const
const TYPES = Object.keys(LEGACY) as (keyof typeof LEGACY)[]
/** The number of writes after which an instance of the application evaluates the flag again. */
const WRITES_PER_FLAG_EVALUATION = 10

const randomItem = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!

/**
 * Starts instances of an application that supports both columns: with the flag on, an instance writes the type and no
 * legacy column, otherwise legacy columns and no type. Each owns the keys with its own remainder, and is a client
 * with its own name. It rests `restMs` after each write.
 */
export function startMixedTraffic(
  databaseUrl: string,
  agentUrl: string,
  oracle: LegacyOracle,
  instances: number,
  restMs = 0,
): MixedTraffic {
  const sql = postgres(databaseUrl, { max: instances, onnotice: () => undefined })
  const writes = { old: 0, new: 0 }
  const touched = new Set<string>()

  /** While no agent answers, the default of the code applies, which is off. */
  const flagOf = async (instance: number): Promise<boolean> => {
    const answer = await evaluateFlag(instance).catch(() => null)
    return answer?.ok === true && ((await answer.json()) as { value: boolean }).value
  }
  const evaluateFlag = (instance: number): Promise<Response> =>
    fetch(`${agentUrl}/ofrep/v1/evaluate/flags/vehicles-sti`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKENS.flag}`,
        'content-type': 'application/json',
        'x-sti-client': `instance-${instance}`,
      },
      body: JSON.stringify({ context: { targetingKey: String(instance) } }),
    })
  const sessions = startApplicationSessions(sql, instances, async (instance) => {
    const own = [...oracle.keys()].filter((id) => Number(id) % instances === instance)
    let on = await flagOf(instance)
    let n = 0
    return async () => {
      if (++n % WRITES_PER_FLAG_EVALUATION === 0) on = await flagOf(instance)
      const type = randomItem(TYPES)
      const axles = Math.random() < 0.1 ? null : 2 + Math.floor(Math.random() * 3)
      const at = Math.floor(Math.random() * own.length)
      const id = own[at]!
      const dice = Math.random()
      if (dice < 0.2) {
        const row: LegacyRow = { name: `written ${instance} ${n}`, ...LEGACY[type], axles }
        const [made] = on
          ? await sql`insert into public.vehicles (name, axles, type) values (${row.name}, ${axles}, ${type}) returning id`
          : await sql`insert into public.vehicles ${sql(row)} returning id`
        oracle.set(made!['id'] as string, row)
        touched.add(made!['id'] as string)
        own.push(made!['id'] as string)
      } else if (dice < 0.9) {
        const row: LegacyRow = { ...oracle.get(id)!, ...LEGACY[type], axles }
        if (on) await sql`update public.vehicles set type = ${type}, axles = ${axles} where id = ${id}`
        else await sql`update public.vehicles set ${sql({ ...LEGACY[type], axles })} where id = ${id}`
        oracle.set(id, row)
        touched.add(id)
      } else {
        await sql`delete from public.vehicles where id = ${id}`
        oracle.delete(id)
        own[at] = own.at(-1)!
        own.pop()
      }
      writes[on ? 'new' : 'old']++
      if (restMs > 0) await sleep(restMs)
    }
  })
  return {
    writes,
    touched,
    async waitForWrites(count) {
      const done = async (): Promise<void> => {
        while (writes.old + writes.new < count) await sleep(20)
      }
      await sessions.waitDuring(done())
    },
    stop: sessions.stop,
  }
}

/** The rows as they are now. */
export async function readRows(sql: postgres.Sql): Promise<LegacyOracle> {
  const rows = await sql<(LegacyRow & { id: string })[]>`select id, name, is_truck, is_bike, axles from public.vehicles`
  return new Map(rows.map(({ id, name, is_truck, is_bike, axles }) => [id, { name, is_truck, is_bike, axles }]))
}
