import { fork } from 'node:child_process'
import { join } from 'node:path'

/** One database of a fleet, with its agent. */
export interface FleetMemberSpec {
  readonly name: string
  readonly environment: string
  /** In each table. */
  readonly rows: number
  /** Schemas that each have the table; without it, the schema public has it. */
  readonly tenants?: number
  /** How far its rollout is when the fleet is ready. */
  readonly stage: 'new' | 'expanded' | 'enabled'
}

/** What the program of the fleet gets; it answers with `done` after each. */
export type FleetMessage =
  | { readonly stop: string }
  | { readonly start: string }
  | { readonly sql: string; readonly member: string }
  | { readonly end: true }

/** What the program of the fleet sends once every agent is ready. */
export interface FleetReady {
  readonly members: readonly { readonly name: string; readonly environment: string; readonly url: string }[]
  readonly tokens: { readonly viewer: string; readonly editor: string; readonly admin: string }
}

export interface RunningFleet extends FleetReady {
  send(message: FleetMessage): Promise<void>
}

/** Starts the agents of a fleet in a process of its own, with a PostgreSQL server for their databases. */
export async function startFleet(
  grafanaUrl: string,
  rollout: string,
  members: readonly FleetMemberSpec[],
): Promise<RunningFleet> {
  const root = join(import.meta.dirname, '../..')
  const child = fork(join(root, 'test/support/fleetProgram.ts'), [grafanaUrl, rollout, JSON.stringify(members)], {
    cwd: root,
    execArgv: ['--import', 'tsx'],
  })
  const ended = new Promise<never>((_, fail) =>
    child.once('exit', (code) => fail(new Error(`The program of the fleet ended with exit code ${code}.`))),
  )
  ended.catch(() => undefined)
  const answer = <T>(): Promise<T> =>
    Promise.race([new Promise<T>((done) => child.once('message', (message) => done(message as T))), ended])
  const ready = await answer<FleetReady>()
  return {
    ...ready,
    async send(message) {
      const done = answer()
      child.send(message)
      await done
    },
  }
}
