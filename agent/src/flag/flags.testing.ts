import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Actor } from '../contract/index.ts'
import { connect, type Database } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { createFlags, type Flags, type FlagsDependencies } from './flags.ts'

/** What this room needs of a rollout. */
export const vehicles = {
  name: 'vehicles',
  hash: 'f'.repeat(64),
  file: { flag: { key: 'vehicles-sti' } },
} as unknown as Rollout

export const ann: Actor = { name: 'ann', level: 'editor', via: 'grafana' }

export interface TestAgent {
  readonly flags: Flags
  readonly database: Database
  readonly lines: Record<string, unknown>[]
  close(): Promise<void>
}

/** A started agent's flags over a real database; `serving` false: its identity is not confirmed. */
export async function startAgent(
  url: string,
  name: string,
  extra: Partial<FlagsDependencies> & { serving?: boolean; migrated?: boolean } = {},
): Promise<TestAgent> {
  const database = connect(url, name)
  if (!extra.migrated) await migrate(database, false)
  const lines: Record<string, unknown>[] = []
  const flags = createFlags({
    database,
    environment: 'staging',
    agent: name,
    rollouts: [vehicles],
    log: (line) => lines.push(line),
    ...extra,
  })
  if (extra.serving !== false) flags.serveOff(null)
  flags.start()
  return {
    flags,
    database,
    lines,
    async close() {
      await flags.stop()
      await database.close()
    },
  }
}

export function isOn(flags: Flags, client: string | null = null): boolean {
  const answer = flags.evaluate('vehicles-sti', { targetingKey: 'user-1' }, client)
  return 'value' in answer && answer.value
}

export async function until(what: string, condition: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s for: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

let keys = 0
export const request = (requestHash = 'hash') => ({ idempotencyKey: `key-${++keys}`, requestHash, force: false })
export const off = (kind: 'flag' | 'rollback' = 'flag') => ({
  kind,
  idempotencyKey: `off-${++keys}`,
  parameters: kind === 'rollback' ? { scope: 'flag' } : { enabled: false },
})

export async function enable(agent: TestAgent, percentage = 100): Promise<number> {
  await until('the flag was read', () => agent.flags.ageSeconds() !== null)
  return agent.flags.change(vehicles, { enabled: true, percentage }, ann, 'tests', request())
}

export interface Link {
  readonly url: string
  /** Breaks every connection and refuses new ones, until `mend`. */
  cut(): void
  mend(): void
  /** Keeps back the next answer with this text, and what follows it on that connection. Resolves when it has one. */
  keepBack(text: string): Promise<void>
  release(): void
  close(): Promise<void>
}

/** A way to the database that can be cut for one agent alone. */
export async function link(url: string): Promise<Link> {
  const target = new URL(url)
  const port = Number(target.port)
  const sockets = new Set<Socket>()
  let open = true
  let wanted: { text: string; found: () => void } | null = null
  const kept: { from: Socket; deliver: () => void }[] = []
  const server = createServer((near) => {
    if (!open) return void near.destroy()
    const far = dial(port, target.hostname)
    near.pipe(far)
    far.on('data', (answer) => {
      const deliver = (): void => void near.write(answer)
      const found = wanted !== null && answer.includes(wanted.text)
      if (!found && !kept.some(({ from }) => from === far)) return deliver()
      kept.push({ from: far, deliver })
      if (found) wanted!.found()
      if (found) wanted = null
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(one)
          other.destroy()
        })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    open = false
    for (const socket of sockets) socket.destroy()
  }
  target.port = String((server.address() as AddressInfo).port)
  return {
    url: target.toString(),
    cut,
    mend: () => void (open = true),
    keepBack: (text) => new Promise((found) => (wanted = { text, found })),
    release() {
      for (const { deliver } of kept.splice(0)) deliver()
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
