import { createHash } from 'node:crypto'
import type { Actor, FlagClient, FlagStatus } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { noopFailpoint, type FailpointHook } from '../kind/failpoints.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { recordClientAcceptance, type ClockOffset } from './clientSync.ts'
import { FlagRefusal } from './errors.ts'
import type { FlagRequester } from './clientRegistry.ts'
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
import type { OffSpool } from './offSpool.ts'
import { createPendingWrites, isOutdated } from './pendingWrites.ts'
import { createFlagPoller } from './flagPoller.ts'
import { writeFlagChange, type FlagChange } from './flagStore.ts'

/** After so many seconds, an off that the database has not stored makes the agent not ready. */
const MAX_PENDING_OFF_SECONDS = 5
/** How long the response to turning off waits for the database; the flag is already off by then. */
const TURN_OFF_RESPONSE_TIMEOUT_MS = 900

export interface FlagsDependencies {
  readonly database: Database
  readonly environment: string
  /** The name of this process. */
  readonly agent: string
  readonly rollouts: readonly Rollout[]
  readonly log: (line: Record<string, unknown>) => void
  readonly now?: () => number
  readonly reached?: FailpointHook
  /** Where offs are kept that the database has not stored; null: in memory only. */
  readonly spool?: OffSpool | null
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
  /** Stops reading and retrying. Pending changes that are in no file are lost, and logged. */
  stop(): Promise<void>
  /** Serves every flag as off for a reason, such as a foreign database; null: serves the state in the database. */
  serveOff(reason: string | null): void
  /** Evaluates the flag with this key from memory. */
  evaluate(key: string, context: Readonly<Record<string, unknown>>, requester: FlagRequester): Evaluation
  evaluateAll(context: Readonly<Record<string, unknown>>, requester: FlagRequester): Evaluation[]
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
  /** A person confirms that silent clients no longer use the flag: these by name, or every one that is stale. */
  acceptClients(rollout: string, clients: readonly string[] | 'all', actor: Actor, reason: string): Promise<void>
  /** Since when an off is not stored in the database; 0: there is none. */
  pendingOffSeconds(rollout: string): number
  /** Offs that the database has not stored for 5 s, one sentence each. */
  unstoredOffs(): string[]
  status(rollout: string): FlagStatus
  /** The last evaluation by this process; null: none yet. */
  lastEvaluation(rollout: string): LastEvaluation | null
  /** Reports the propagation time, in seconds, of each change made through this agent. */
  onPropagation(listener: (rollout: string, seconds: number) => void): void
}

export function createFlags(dependencies: FlagsDependencies): Flags {
  const {
    database,
    environment,
    agent,
    rollouts,
    log,
    now = Date.now,
    reached = noopFailpoint,
    spool = null,
  } = dependencies
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

  const pending = createPendingWrites({ database, spool, reached, now, log }, ({ number, change }, written) => {
    const flag = requireFlag(change.rollout)
    const isLatest = written.kind === 'written' || written.last
    flag.clients.confirmPending(number, isLatest && written.state ? written.state.version : NO_VERSION)
    if (written.state) refresh.confirm(flag, written.state)
    log({ level: 'info', event: 'flag-off-written', rollout: change.rollout, operation: written.operationId })
  })
  const refresh = createFlagPoller({
    database,
    flags,
    offset,
    log,
    now,
    mayRead: () => offReason === null,
    hasPending: () => pending.count().all > 0,
    mark: currentMark,
  })
  pending.hold(true)
  restoreOffs()

  /** The flags of these rollouts are served as off, whatever the database says, until it has stored that. */
  function restoreOffs(): void {
    const offs = (spool?.load() ?? []).filter(({ change }) => flags.has(change.rollout))
    pending.restore(offs)
    for (const { since, change } of offs)
      log({
        level: 'warning',
        event: 'flag-off-restored',
        rollout: change.rollout,
        actor: change.actor,
        reason: change.reason,
        since: new Date(since).toISOString(),
        message: 'The flag was turned off before this process started, and the database has not stored that.',
      })
  }

  function requireFlag(rollout: string): InMemoryFlag {
    const flag = flags.get(rollout)
    if (!flag) throw new FlagRefusal('unknown-rollout', `The rollout ${rollout} does not exist.`)
    return flag
  }

  function currentMark(flag: InMemoryFlag): ReturnType<typeof toVersionMark> {
    return toVersionMark(flag, pending.last(flag.rollout), offReason)
  }

  function evaluate(
    flag: InMemoryFlag,
    context: Readonly<Record<string, unknown>>,
    requester: FlagRequester,
  ): Evaluation {
    const answer = evaluateServedFlag(flag.key, toServedFlag(flag, pending.last(flag.rollout), offReason), context)
    flag.lastEvaluation = { at: now(), client: requester.name }
    const trackedClient = flag.clients.recordRequest(requester, currentMark(flag), 'value' in answer && answer.value)
    if (trackedClient !== null) flag.propagation.recordSeen(trackedClient)
    return answer
  }

  return {
    start: refresh.start,
    async stop() {
      pending.stop()
      const { all, unspooled } = pending.count()
      if (unspooled > 0) log({ level: 'error', event: 'flag-off-lost', count: unspooled })
      if (all > unspooled) log({ level: 'warning', event: 'flag-off-spooled', count: all - unspooled })
      await refresh.stop()
    },
    serveOff(reason) {
      if (reason === offReason) return
      offReason = reason
      refresh.forget()
      pending.hold(reason !== null)
    },
    evaluate(key, context, requester) {
      const flag = byKey.get(key)
      if (flag) return evaluate(flag, context, requester)
      return { key, errorCode: 'FLAG_NOT_FOUND', errorDetails: `${environment} has no flag with this key.` }
    },
    evaluateAll: (context, requester) => [...flags.values()].map((flag) => evaluate(flag, context, requester)),
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
          if (!written.last)
            throw new FlagRefusal(
              'superseded',
              `This Idempotency-Key was used for operation ${written.operationId}, and the flag has changed since: check its state, and send a new key to change it again.`,
            )
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
      const { outcome, markOwed } = pending.add({
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
      const written = await Promise.race([outcome, timeout])
      if (written === null) markOwed()
      else if (isOutdated(written))
        throw new FlagRefusal(
          'superseded',
          `This Idempotency-Key was used for operation ${written.operationId}, which turned the flag off. The flag has been turned on since: send a new key to turn it off again.`,
        )
      return { persisted: written !== null, operationId: written?.operationId ?? null }
    },
    async acceptClients(rollout, names, actor, reason) {
      const flag = requireFlag(rollout)
      const known = flag.clients.list(currentMark(flag))
      const chosen = names === 'all' ? known.filter(({ stale, silent }) => stale && silent) : chooseSilent(known, names)
      if (chosen.length === 0)
        throw new FlagRefusal('refused', 'No client is both stale and silent: sti status shows each client.')
      const accepted = await recordClientAcceptance(database.state, { rollout, clients: chosen, actor, reason })
      flag.clients.accept(accepted, actor.name)
      if (accepted.length < chosen.length)
        throw new FlagRefusal(
          'conflict',
          `${accepted.length} of ${chosen.length} clients were accepted; the others sent a request or were accepted in the meantime: check their state (sti status).`,
        )
    },
    pendingOffSeconds,
    unstoredOffs: () =>
      [...flags.keys()].flatMap((rollout) => {
        const off = pending.oldest(rollout)
        const seconds = pendingOffSeconds(rollout)
        if (off === null || seconds <= MAX_PENDING_OFF_SECONDS) return []
        const where = off.spooled
          ? 'A file of this agent keeps it'
          : 'It is in the memory of this agent only: do not restart it'
        return [
          `The flag of ${rollout} was turned off ${Math.round(seconds)} s ago, and the database has not stored that: ${off.fault ?? 'no answer yet'}. ${where}.`,
        ]
      }),
    status(rollout) {
      const flag = requireFlag(rollout)
      return toFlagStatus({
        flag,
        served: toServedFlag(flag, pending.last(rollout), offReason),
        mark: currentMark(flag),
        pendingOff: pending.oldest(rollout),
        now: now(),
      })
    },
    lastEvaluation: (rollout) => requireFlag(rollout).lastEvaluation,
    onPropagation: (listener) => listeners.push(listener),
  }

  function pendingOffSeconds(rollout: string): number {
    const off = pending.oldest(rollout)
    return off === null ? 0 : Math.max(0, now() - off.since) / 1000
  }

  function changeBase(rollout: Rollout, actor: Actor, reason: string | null) {
    const { name, hash, derivationHash } = rollout
    return { rollout: name, fileHash: hash, derivationHash, actor, reason, agent }
  }
}

/** @throws FlagRefusal if a name is unknown, or one of its clients may come back */
function chooseSilent(known: readonly FlagClient[], names: readonly string[]): FlagClient[] {
  return [...new Set(names)].flatMap((name) => {
    const named = known.filter(({ client }) => client === name)
    if (named.length === 0) throw new FlagRefusal('refused', `${name} is not a client of this flag.`)
    const silent = named.filter((client) => client.silent)
    if (silent.length > 0) return silent
    throw new FlagRefusal(
      'refused',
      named.some(({ caching }) => caching)
        ? `${name} last sent a request at ${named[0]!.lastSeenAt}: only a client that has been silent for 60 s after an evaluation of on can be accepted.`
        : `${name} sends a request for each use, so it does not need to be accepted: it is removed once its longest request has ended.`,
    )
  })
}

function hashTurnOffRequest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
