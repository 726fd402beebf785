import type { FlagClient } from '../contract/index.ts'

/** Clients tracked per flag; further ones count as the unnamed one. */
export const MAX_TRACKED_CLIENTS = 1_000
/** Caching clients of one name that are distinguished; further ones count as one. */
export const MAX_INSTANCES_PER_NAME = 20
export const UNNAMED_CLIENT = '(unnamed)'
/** Milliseconds without a request after which a caching client is silent if it was answered on, and removed if not. */
export const SILENT_AFTER_MS = 60_000
/** An accepted client without another request is deleted after a day. */
const ACCEPTED_CLIENT_TTL_MS = 24 * 3_600_000
/** The instance that stands for all instances of a name beyond MAX_INSTANCES_PER_NAME. */
const FURTHER_INSTANCES = '*'

/** The state of the flag behind an evaluation: its version, and the number of pending changes on top. */
export interface VersionMark {
  readonly version: number
  readonly pending: number
}

/** Not `>=`: after a restore of the database, the same versions belong to other changes. */
export function isUpToDate(mark: VersionMark, current: VersionMark): boolean {
  return current.pending > 0 ? mark.pending >= current.pending : mark.version === current.version
}

/** Who sent an evaluation request. */
export interface FlagRequester {
  /** The header X-Sti-Client; null: none. */
  readonly name: string | null
  /**
   * For a caching client, which requests all flags at once and keeps the response: the hash of what only this process knows,
   * its X-Sti-Instance or the secret part of the ETag that it was given. Null: a single evaluation, which is used at once.
   */
  readonly instance: string | null
}

interface TrackedClient {
  readonly name: string
  readonly instance: string
  lastSeenAt: number
  version: number
  pending: number
  /** At least one evaluation at this state was on. With a percentage, others may be off. */
  answeredOn: boolean
  acceptedBy: string | null
  /** Time of the last request in ms, by the clock of the database; strictly increasing, so that rows compare exactly. */
  stamp: number
  dirty: boolean
}

/** A row of sti.flag_client; `lastSeenAt` on this process's clock, `stamp` on the database's, both in ms. */
export interface FlagClientRow {
  readonly client: string
  /** Empty: a client that sends a request for each use. Else a caching client. */
  readonly instance: string
  readonly lastSeenAt: number
  readonly stamp: number
  readonly version: number
  readonly answeredOn: boolean
  readonly acceptedBy: string | null
}

/** A client of the registry, as the database knows it. */
export type ClientKey = Pick<FlagClientRow, 'client' | 'instance'>

export interface ClientRegistry {
  /** Records a request evaluated at `mark`. Returns the key that the client counts as, or null if it is not counted. */
  recordRequest(requester: FlagRequester, mark: VersionMark, on: boolean): string | null
  /** A pending change was written: clients that have seen it have seen this version. */
  confirmPending(pending: number, version: number): void
  /** Merges newer rows of other agents. */
  merge(rows: readonly FlagClientRow[]): void
  /** Removes expired clients. */
  expire(): void
  accept(clients: readonly ClientKey[], by: string): void
  /** Named clients with a request in the last 60 s, by key. */
  liveClients(): Map<string, VersionMark>
  list(current: VersionMark): (FlagClient & ClientKey)[]
  /** Rows that changed since the last call and must be written; `markDirty` returns rows that could not be written. */
  takeDirty(): FlagClientRow[]
  markDirty(rows: readonly FlagClientRow[]): void
}

export interface ClientRegistryOptions {
  readonly now: () => number
  /** How long the application may act on a single evaluation. */
  readonly longestRequestMs: number
  /** Milliseconds to add to this process's clock to get the database's, which all agents write. */
  readonly clockOffset?: () => number
}

export function createClientRegistry(options: ClientRegistryOptions): ClientRegistry {
  const { now, longestRequestMs, clockOffset = () => 0 } = options
  const clients = new Map<string, TrackedClient>()

  const age = (client: TrackedClient): number => now() - client.lastSeenAt
  const isSilent = (client: TrackedClient): boolean =>
    isCaching(client) && client.answeredOn && client.acceptedBy === null && age(client) > SILENT_AFTER_MS
  const isGone = (client: TrackedClient): boolean => {
    if (client.acceptedBy !== null) return age(client) > ACCEPTED_CLIENT_TTL_MS
    if (!client.answeredOn) return age(client) > SILENT_AFTER_MS
    // Nothing acts on a single evaluation any more once the longest request is over.
    return !isCaching(client) && age(client) > longestRequestMs
  }

  /** The name and instance to track a request by; null: it is not counted. */
  function identify(requester: FlagRequester, on: boolean): ClientKey | null {
    const name = requester.name?.trim() ?? ''
    const usable = /^[\x21-\x7e][\x20-\x7e]{0,199}$/.test(name) && name !== UNNAMED_CLIENT
    const instance = requester.instance ?? ''
    const exact = { client: usable ? name : UNNAMED_CLIENT, instance }
    if (clients.has(keyOf(exact))) {
      // Any number of processes can share no name: one evaluation of off does not show that all of them have seen it.
      const single = usable || instance !== ''
      return single || on ? exact : null
    }
    if (clients.size < MAX_TRACKED_CLIENTS && (usable || (instance !== '' && on))) {
      if (instance === '' || countInstances(exact.client) < MAX_INSTANCES_PER_NAME) return exact
      return on ? { client: exact.client, instance: FURTHER_INSTANCES } : null
    }
    if (!on) return null
    return { client: UNNAMED_CLIENT, instance: instance === '' ? '' : FURTHER_INSTANCES }
  }

  function countInstances(name: string): number {
    let count = 0
    for (const client of clients.values()) if (client.name === name && isCaching(client)) count++
    return count
  }

  return {
    recordRequest(requester, mark, on) {
      const identity = identify(requester, on)
      if (identity === null) return null
      const key = keyOf(identity)
      const previous = clients.get(key)
      const sameState = previous?.version === mark.version && previous.pending === mark.pending
      clients.set(key, {
        name: identity.client,
        instance: identity.instance,
        lastSeenAt: now(),
        version: mark.version,
        pending: mark.pending,
        answeredOn: on || (sameState && previous.answeredOn),
        acceptedBy: null,
        stamp: Math.max(Math.round(now() + clockOffset()), (previous?.stamp ?? 0) + 1),
        dirty: true,
      })
      return key
    },
    confirmPending(pending, version) {
      for (const client of clients.values())
        if (client.pending >= pending) Object.assign(client, { version, dirty: true })
    },
    merge(rows) {
      for (const row of rows) {
        const known = clients.get(keyOf(row))
        if (!known || row.stamp > known.stamp)
          clients.set(keyOf(row), { ...row, name: row.client, pending: 0, dirty: false })
        else if (row.stamp === known.stamp) known.acceptedBy = row.acceptedBy
      }
    },
    expire() {
      for (const [key, client] of clients) if (isGone(client)) clients.delete(key)
    },
    accept(accepted, by) {
      for (const identity of accepted) {
        const client = clients.get(keyOf(identity))
        if (client) client.acceptedBy = by
      }
    },
    liveClients() {
      const live = new Map<string, VersionMark>()
      for (const [key, client] of clients)
        if (client.name !== UNNAMED_CLIENT && age(client) <= SILENT_AFTER_MS && !isGone(client)) live.set(key, client)
      return live
    },
    list(current) {
      return [...clients.values()]
        .filter((client) => !isGone(client))
        .map((client) => ({
          client: client.name,
          instance: client.instance,
          caching: isCaching(client),
          lastSeenAt: new Date(client.lastSeenAt).toISOString(),
          answeredOn: client.answeredOn,
          // A process that ended while the flag was on had the current state; it is stale only after a change.
          stale: client.acceptedBy === null && !isUpToDate(client, current),
          silent: isSilent(client),
          acceptedBy: client.acceptedBy,
        }))
        .sort((a, b) => a.client.localeCompare(b.client) || a.instance.localeCompare(b.instance))
    },
    takeDirty() {
      const rows: FlagClientRow[] = []
      for (const client of clients.values()) {
        if (!client.dirty) continue
        client.dirty = false
        rows.push({ ...client, client: client.name })
      }
      return rows
    },
    markDirty(rows) {
      for (const row of rows) {
        const client = clients.get(keyOf(row))
        if (client) client.dirty = true
      }
    },
  }
}

const isCaching = ({ instance }: { readonly instance: string }): boolean => instance !== ''

/** A name has no control characters, so that no two pairs have the same key. */
const keyOf = ({ client, instance }: ClientKey): string => `${client}\n${instance}`
