import { setTimeout as sleep } from 'node:timers/promises'
import { fork, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type postgres from 'postgres'
import type { FailpointName } from '../../agent/src/kind/failpoints.ts'
import { isEnded, type Operation, type OperationRequest } from '../../agent/src/contract/index.ts'
import { agentClient } from '../support/agent.ts'
import { agentEnvironment } from '../support/agentProcess.ts'
import { CRASHING_AGENT_PROGRAM } from '../support/programs.ts'
import { freePort } from '../support/server.ts'
import type { CrashPlan } from './crashingAgent.ts'

/** Runs one agent after another, each until it is killed; the next one takes over. */
export interface AgentRelay {
  /**
   * Repeats the request until an agent answers, since one may be killed in the meantime. Returns the operation's ID.
   */
  request(kind: OperationRequest['kind'], parameters?: Record<string, unknown>): Promise<number>
  steer(id: number, cause: 'pause' | 'resume'): Promise<void>
  ended(id: number): Promise<Operation>
  /** Requests an operation and waits for it; throws if it does not succeed. */
  run(kind: OperationRequest['kind'], parameters?: Record<string, unknown>): Promise<Operation>
  stop(): Promise<void>
}

export interface CrashSchedule {
  /** Points at which no agent has been killed yet; each agent is killed at the first of them that it reaches. */
  readonly points: Set<FailpointName>
  /** How the next agent is killed. */
  how(): { arrival: number; delayMs: number }
  died(point: FailpointName): Promise<void>
  /** The address of the next agent. */
  lives?(url: string): void
}

/** How long a request is repeated until there is an operation. */
const MAX_REPEATED_MS = 180_000

export async function startAgentRelay(
  url: string,
  sql: postgres.Sql,
  file: string,
  killing: CrashSchedule,
): Promise<AgentRelay> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-relay-'))
  await writeFile(join(folder, 'rollout.yaml'), file)
  let spare = warm()
  let stopped = false
  let generation = 0
  let current = await next()

  function warm(): Promise<ChildProcess> {
    const child = fork(CRASHING_AGENT_PROGRAM, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    return new Promise((resolve) => child.once('message', () => resolve(child)))
  }

  async function next(): Promise<{ child: ChildProcess; url: string; gone: Promise<void> }> {
    const child = await spare
    const grave = join(folder, `grave-${++generation}`)
    const port = await freePort()
    const doom: CrashPlan = {
      environment: agentEnvironment(url, folder, port, 'agent-1'),
      points: [...killing.points],
      crashFile: grave,
      ...killing.how(),
    }
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve())).then(async () => {
      if (stopped) return
      const point = await readFile(grave, 'utf8').catch(() => null)
      if (point === null) throw new Error('an agent exited without being killed')
      killing.points.delete(point as FailpointName)
      // Expires the lease, so that the test does not wait for it.
      await sql`update sti.operation set lease_until = '-infinity' where lease_until is not null`
      await sql`update sti.lane set lease_until = '-infinity' where lease_until is not null`
      await killing.died(point as FailpointName)
      current = await next()
    })
    // The next caller gets this error.
    gone.catch(() => undefined)
    child.send(doom)
    spare = warm()
    const at = `http://127.0.0.1:${port}`
    killing.lives?.(at)
    return { child, url: at, gone }
  }

  /** The answer of whichever agent is running. */
  async function withCurrentAgent<T>(what: (client: ReturnType<typeof agentClient>) => Promise<T>): Promise<T> {
    for (;;) {
      const asked = current
      try {
        return await what(agentClient(asked.url, 'vehicles'))
      } catch (error) {
        // Without an answer, or while an agent starts, the question is repeated; that an operation is unknown is an answer.
        if (error instanceof UnexpectedAnswer || /: 4\d\d /.test((error as Error).message)) throw error
        if (asked.child.exitCode !== null || asked.child.signalCode !== null) await asked.gone
        await sleep(20)
      }
    }
  }

  async function post(path: string, body: unknown): Promise<Operation> {
    const key = { 'idempotency-key': randomUUID() }
    const until = Date.now() + MAX_REPEATED_MS
    for (;;) {
      const { status, body: answer } = await withCurrentAgent((client) => client.post<Operation>(path, body, key))
      if (status === 202 && answer.persisted) return answer
      // The flag is off, but has no operation yet; or an agent that has just started has not reached the database.
      const comesLater =
        status === 202 || status === 503 || /not been reached|has not been read/.test(JSON.stringify(answer))
      if (Date.now() > until || !comesLater) throw new UnexpectedAnswer(`${path}: ${status} ${JSON.stringify(answer)}`)
      await sleep(20)
    }
  }

  const request: AgentRelay['request'] = async (kind, parameters = {}) =>
    (await post('/v1/rollouts/vehicles/operations', { kind, environment: 'staging', parameters, reason: 'test' })).id
  const ended: AgentRelay['ended'] = async (id) => {
    for (;;) {
      const operation = await withCurrentAgent((client) => client.get<Operation>(`/v1/operations/${id}`))
      if (isEnded(operation.state) || operation.state === 'paused') return operation
      await sleep(20)
    }
  }
  return {
    request,
    ended,
    async steer(id, cause) {
      try {
        await post(`/v1/operations/${id}/${cause}`, {})
      } catch (error) {
        // Already accepted by an agent that was killed before it answered.
        const asked = cause === 'pause' ? /is paused/ : /is (queued|running)/
        if (!(error instanceof UnexpectedAnswer && asked.test(error.message))) throw error
      }
    },
    async run(kind, parameters) {
      const operation = await ended(await request(kind, parameters))
      if (operation.state !== 'succeeded') throw new Error(`${kind} ${operation.state}: ${operation.error}`)
      return operation
    },
    async stop() {
      stopped = true
      const children = [current.child, await spare]
      await Promise.all(
        children.map(async (child) => {
          if (child.exitCode !== null || child.signalCode !== null) return
          const exit = new Promise((resolve) => child.once('exit', resolve))
          child.kill('SIGKILL')
          await exit
        }),
      )
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An agent gave an unexpected answer. */
class UnexpectedAnswer extends Error {}
