import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Actor } from '../contract/index.ts'
import { connect, type Database } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { createFlags, type Flags, type FlagsDependencies } from './flags.ts'
import { waitFor } from '../../../test/support/waitFor.ts'

/** The part of a rollout that flags need. */
export const vehiclesRollout = {
  name: 'vehicles',
  hash: 'f'.repeat(64),
  derivationHash: 'd'.repeat(64),
  file: { flag: { key: 'vehicles-sti', longestRequest: 30 } },
} as unknown as Rollout

export const ann: Actor = { name: 'ann', level: 'editor', via: 'grafana' }

export interface FlagTestAgent {
  readonly flags: Flags
  readonly database: Database
  readonly lines: Record<string, unknown>[]
  close(): Promise<void>
}

/** The flags of a started agent with a real database; with `serving` false, its identity is not confirmed. */
export async function startFlagTestAgent(
  url: string,
  name: string,
  options: Partial<FlagsDependencies> & { serving?: boolean; migrated?: boolean } = {},
): Promise<FlagTestAgent> {
  const database = connect(url, name)
  if (!options.migrated) await migrate(database, false)
  const lines: Record<string, unknown>[] = []
  const flags = createFlags({
    database,
    environment: 'staging',
    agent: name,
    rollouts: [vehiclesRollout],
    log: (line) => lines.push(line),
    ...options,
  })
  if (options.serving !== false) flags.serveOff(null)
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

/** A single evaluation, or one of a caching client. */
export function isOn(flags: Flags, name: string | null = null, instance: string | null = null): boolean {
  const answer = flags.evaluate('vehicles-sti', { targetingKey: 'user-1' }, { name, instance })
  return 'value' in answer && answer.value
}

let keyCount = 0
export const changeRequest = (requestHash = 'hash') => ({
  idempotencyKey: `key-${++keyCount}`,
  requestHash,
  force: false,
})
export const turnOffRequest = (kind: 'flag' | 'rollback' = 'flag') => ({
  kind,
  idempotencyKey: `off-${++keyCount}`,
  parameters: kind === 'rollback' ? { scope: 'flag' } : { enabled: false },
})

export async function enableFlag(agent: FlagTestAgent, percentage = 100): Promise<number> {
  await waitFor('the flag was read', () => agent.flags.ageSeconds() !== null)
  return agent.flags.change(vehiclesRollout, { enabled: true, percentage }, ann, 'tests', changeRequest())
}

export interface SeverableProxy {
  readonly url: string
  /** Breaks every connection and refuses new ones, until `mend`. */
  cut(): void
  restore(): void
  /**
   * Withholds the next response that contains this text, and everything after it on that connection. Resolves once it
   * has one.
   */
  holdBack(text: string): Promise<void>
  release(): void
  close(): Promise<void>
}

/** A connection to the database that can be cut for one agent only. */
export async function createSeverableProxy(url: string): Promise<SeverableProxy> {
  const target = new URL(url)
  const port = Number(target.port)
  const sockets = new Set<Socket>()
  let open = true
  let awaited: { text: string; found: () => void } | null = null
  const heldBack: { from: Socket; deliver: () => void }[] = []
  const server = createServer((near) => {
    if (!open) return void near.destroy()
    const far = dial(port, target.hostname)
    near.pipe(far)
    far.on('data', (answer) => {
      const deliver = (): void => void near.write(answer)
      const found = awaited !== null && answer.includes(awaited.text)
      if (!found && !heldBack.some(({ from }) => from === far)) return deliver()
      heldBack.push({ from: far, deliver })
      if (found) awaited!.found()
      if (found) awaited = null
    })
    for (const [first, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(first)
      first
        .on('error', () => other.destroy())
        .on('close', () => {
          sockets.delete(first)
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
    restore: () => void (open = true),
    holdBack: (text) => new Promise((found) => (awaited = { text, found })),
    release() {
      for (const { deliver } of heldBack.splice(0)) deliver()
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
