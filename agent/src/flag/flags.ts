import { createHash } from 'node:crypto'
import type { Actor, FlagStatus } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { noopFailpoint, type FailpointHook } from '../kind/failpoints.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { recordClientAcceptance, type ClockOffset } from './clientSync.ts'
import { FlagRefusal } from './errors.ts'
import { evaluateServedFlag, type Evaluation } from './evaluation.ts'
import {
  createInMemoryFlag,
  toVersionMark,
  NO_VERSION,
  toServedFlag,
  type InMemoryFlag,
  type LastEvaluation,
  toFlagStatus,
} from './inMemoryFlag.ts'
import { createPendingWrites } from './pendingWrites.ts'
import { createFlagPoller } from './flagPoller.ts'
import { writeFlagChange, type FlagChange } from './flagStore.ts'

/** How long the response to turning off waits for the database; the flag is already off by then. */
const TURN_OFF_RESPONSE_TIMEOUT_MS = 500

export interface FlagsDependencies {
  readonly database: Database
  readonly environment: string
  /** The name of this process. */
  readonly agent: string
  readonly rollouts: readonly Rollout[]
  readonly log: (line: Record<string, unknown>) => void
  readonly now?: () => number
  readonly reached?: FailpointHook
}

export interface FlagChangeRequest {
  readonly idempotencyKey: string
  /** Hash of the request: the same key with another hash is a conflict. */
  readonly requestHash: string
  /** Changes the flag only if it has this version. Default: the version that this agent read last. */
  readonly expectedVersion?: number
  /** The ramp that this step belongs to. */
  readonly rampOperation?: number
}

export interface TurnOffRequest {
  readonly kind: 'flag' | 'rollback'
  readonly idempotencyKey: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** Default: hash of kind and parameters. */
  readonly requestHash?: string
}

export interface Flags {
  /** Starts to read the database every second. Serves every flag as off until `serveOff(null)` is called. */
  start(): void
  /** Stops reading and retrying. Pending changes are lost, and logged. */
  stop(): Promise<void>
  /** Serves every flag as off for a reason, such as a foreign database; null: serves the state in the database. */
  serveOff(reason: string | null): void
  /** Evaluates the flag with this key from memory. `client`: the X-Sti-Client header, or null. */
  evaluate(key: string, context: Readonly<Record<string, unknown>>, client: string | null): Evaluation
  evaluateAll(context: Readonly<Record<string, unknown>>, client: string | null): Evaluation[]
  /** Seconds since the database last confirmed all flags; null: never. */
  ageSeconds(): number | null
  /**
   * Writes a change, then serves it; the caller checks the prerequisites. Refused if the flag changed since this agent
   * last read it, or while turning it off is still pending. Returns the id of the operation.
   */
  change(
    rollout: Rollout,
    to: { readonly enabled: boolean; readonly percentage: number },
    actor: Actor,
    reason: string | null,
    request: FlagChangeRequest & { readonly force: boolean },
  ): Promise<number>
  /** Turns the flag off in memory, then in the database. `persisted: false`: the write is being retried. */
  turnOff(
    rollout: Rollout,
    actor: Actor,
    reason: string | null,
    request: TurnOffRequest,
  ): Promise<{ readonly persisted: boolean; readonly operationId: number | null }>
  /** A person confirms that a silent client no longer uses the flag. */
  acceptClient(rollout: string, client: string, actor: Actor, reason: string): Promise<void>
  status(rollout: string): FlagStatus
  /** The last evaluation by this process; null: none yet. */
  lastEvaluation(rollout: string): LastEvaluation | null
  /** Reports the propagation time, in seconds, of each change made through this agent. */
  onPropagation(listener: (rollout: string, seconds: number) => void): void
}

export function createFlags(dependencies: FlagsDependencies): Flags {
  const { database, environment, agent, rollouts, log, now = Date.now, reached = noopFailpoint } = dependencies
  const offset: ClockOffset = { milliseconds: 0 }
  const listeners: ((rollout: string, seconds: number) => void)[] = []
  let offReason: string | null = 'the identity of the database is not verified yet'
  const flags = new Map<string, InMemoryFlag>()
  for (const rollout of rollouts) {
    const report = (seconds: number): void => listeners.forEach((listener) => listener(rollout.name, seconds))
    flags.set(
      rollout.name,
      createInMemoryFlag(rollout, now, () => offset.milliseconds, report),
    )
  }
  const byKey = new Map([...flags.values()].map((flag) => [flag.key, flag]))

  const pending = createPendingWrites(
    { database, reached },
    ({ number, change }, written) => {
      const flag = requireFlag(change.rollout)
      const isLatest = written.kind === 'written' || written.last
      flag.clients.confirmPending(number, isLatest && written.state ? written.state.version : NO_VERSION)
      if (written.state) refresh.confirm(flag, written.state)
      log({ level: 'info', event: 'flag-off-written', rollout: change.rollout, operation: written.operationId })
    },
    (change, error) => refresh.reportFault(error, change.rollout),
  )
  const refresh = createFlagPoller({
    database,
    flags,
    offset,
    log,
    now,
    mayRead: () => offReason === null,
    hasPending: () => pending.count() > 0,
    mark: currentMark,
  })
  pending.hold(true)

  function requireFlag(rollout: string): InMemoryFlag {
    const flag = flags.get(rollout)
    if (!flag) throw new FlagRefusal('unknown-rollout', `The rollout ${rollout} does not exist.`)
    return flag
  }

  function currentMark(flag: InMemoryFlag): ReturnType<typeof toVersionMark> {
    return toVersionMark(flag, pending.last(flag.rollout), offReason)
  }

  function evaluate(flag: InMemoryFlag, context: Readonly<Record<string, unknown>>, client: string | null): Evaluation {
    const answer = evaluateServedFlag(flag.key, toServedFlag(flag, pending.last(flag.rollout), offReason), context)
    flag.lastEvaluation = { at: now(), client }
    const trackedClient = flag.clients.recordRequest(client, currentMark(flag), 'value' in answer && answer.value)
    if (trackedClient !== null) flag.propagation.recordSeen(trackedClient)
    return answer
  }

  return {
    start: refresh.start,
    async stop() {
      pending.stop()
      if (pending.count() > 0) log({ level: 'error', event: 'flag-off-lost', count: pending.count() })
      await refresh.stop()
    },
    serveOff(reason) {
      if (reason === offReason) return
      offReason = reason
      refresh.forget()
      pending.hold(reason !== null)
    },
    evaluate(key, context, client) {
      const flag = byKey.get(key)
      if (flag) return evaluate(flag, context, client)
      return { key, errorCode: 'FLAG_NOT_FOUND', errorDetails: `${environment} has no flag with this key.` }
    },
    evaluateAll: (context, client) => [...flags.values()].map((flag) => evaluate(flag, context, client)),
    ageSeconds() {
      const ages = [...flags.values()].map((flag) => flag.confirmedAt)
      const oldest = ages.includes(null) || ages.length === 0 ? null : Math.min(...(ages as number[]))
      return oldest === null ? null : Math.max(0, now() - oldest) / 1000
    },
    async change(rollout, target, actor, reason, request) {
      const flag = requireFlag(rollout.name)
      if (offReason !== null) throw new FlagRefusal('refused', `The flag is served as off: ${offReason}.`)
      if (pending.last(rollout.name) > 0)
        throw new FlagRefusal(
          'database-away',
          'The flag was turned off, and the database has not recorded it yet: wait until it has.',
        )
      if (!flag.confirmed)
        throw new FlagRefusal('database-away', 'The flag has not been read from the database yet: try again shortly.')
      const percentage = target.enabled ? target.percentage : 0
      const change: FlagChange = {
        ...changeBase(rollout, actor, reason),
        ...request,
        kind: 'flag',
        enabled: target.enabled,
        percentage,
        parameters: {
          enabled: target.enabled,
          percentage: target.percentage,
          force: request.force,
          ...(request.rampOperation === undefined ? {} : { rampOperation: request.rampOperation }),
        },
        message: target.enabled ? `The flag was turned on for ${percentage}%.` : 'The flag was turned off.',
        expectedVersion: request.expectedVersion ?? flag.confirmed.version,
        servedSince: null,
      }
      const written = await writeFlagChange(database.state, change)
      switch (written.kind) {
        case 'other-request':
          throw new FlagRefusal('conflict', 'This Idempotency-Key was used for another request: send a new key.')
        case 'changed-meanwhile':
          throw new FlagRefusal('conflict', 'The flag changed in the meantime: check its state, then try again.')
        case 'earlier':
          return written.operationId
        case 'written':
          refresh.confirm(flag, written.state)
          flag.propagation.begin(now(), flag.clients, currentMark(flag), true)
          log({
            level: 'info',
            event: 'flag',
            rollout: rollout.name,
            to: target,
            actor,
            reason,
            operation: written.operationId,
          })
          return written.operationId
      }
    },
    async turnOff(rollout, actor, reason, request) {
      const flag = requireFlag(rollout.name)
      const pendingWrite = pending.add({
        ...changeBase(rollout, actor, reason),
        kind: request.kind,
        enabled: false,
        percentage: 0,
        parameters: request.parameters,
        idempotencyKey: request.idempotencyKey,
        requestHash: request.requestHash ?? hashTurnOffRequest([request.kind, request.parameters]),
        message: 'The flag was turned off.',
        expectedVersion: null,
        servedSince: new Date(now()).toISOString(),
      })
      flag.propagation.begin(now(), flag.clients, currentMark(flag), true)
      log({ level: 'info', event: 'flag-off', rollout: rollout.name, actor, reason, ...request })
      const timeout = new Promise<null>((resolve) => setTimeout(resolve, TURN_OFF_RESPONSE_TIMEOUT_MS, null).unref())
      const written = await Promise.race([pendingWrite, timeout])
      return { persisted: written !== null, operationId: written?.operationId ?? null }
    },
    async acceptClient(rollout, client, actor, reason) {
      const flag = requireFlag(rollout)
      const silence = flag.clients.silence(client)
      if (!silence) throw new FlagRefusal('refused', `${client} is not a client of this flag.`)
      if (!silence.silent)
        throw new FlagRefusal(
          'refused',
          `${client} last sent a request ${Math.round(silence.seconds)} s ago: only a client that has been silent for 60 s after an evaluation of on can be accepted.`,
        )
      const accepted = await recordClientAcceptance(database.state, { rollout, client, actor, reason })
      if (!accepted)
        throw new FlagRefusal('conflict', `${client} sent a request or was accepted in the meantime: check its state.`)
      flag.clients.accept(client, actor.name)
    },
    status(rollout) {
      const flag = requireFlag(rollout)
      return toFlagStatus(flag, toServedFlag(flag, pending.last(rollout), offReason), currentMark(flag), now())
    },
    lastEvaluation: (rollout) => requireFlag(rollout).lastEvaluation,
    onPropagation: (listener) => listeners.push(listener),
  }

  function changeBase(rollout: Rollout, actor: Actor, reason: string | null) {
    const { name, hash, derivationHash } = rollout
    return { rollout: name, fileHash: hash, derivationHash, actor, reason, agent }
  }
}

function hashTurnOffRequest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
