import type { FlagClient } from '../contract/index.ts'

/** Clients tracked by name, per flag; further clients count as the unnamed one. */
export const MAX_TRACKED_CLIENTS = 1_000
export const UNNAMED_CLIENT = '(unnamed)'
/** Milliseconds without a request after which a client is removed, or silent if its last evaluation was on. */
export const SILENT_AFTER_MS = 60_000
/** An accepted client without another request is deleted after a day. */
const ACCEPTED_CLIENT_TTL_MS = 24 * 3_600_000

/** The state of the flag behind an evaluation: its version, and the number of pending changes on top. */
export interface VersionMark {
  readonly version: number
  readonly pending: number
}

/** Not `>=`: after a restore of the database, the same versions belong to other changes. */
export function isUpToDate(mark: VersionMark, current: VersionMark): boolean {
  return current.pending > 0 ? mark.pending >= current.pending : mark.version === current.version
}

interface TrackedClient {
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
  readonly lastSeenAt: number
  readonly stamp: number
  readonly version: number
  readonly answeredOn: boolean
  readonly acceptedBy: string | null
}

export interface ClientRegistry {
  /** Records a request evaluated at `mark`. Returns the name that the client counts as, or null if it is not counted. */
  recordRequest(name: string | null, mark: VersionMark, on: boolean): string | null
  /** A pending change was written: clients that have received it have this version. */
  confirmPending(pending: number, version: number): void
  /** Merges newer rows of other agents. */
  merge(rows: readonly FlagClientRow[]): void
  /** Removes expired clients. */
  expire(): void
  accept(name: string, by: string): void
  /** Seconds since the last request of a client, and if it counts as silent; null: unknown client. */
  silence(name: string): { readonly seconds: number; readonly silent: boolean } | null
  /** Named clients with a request in the last 60 s. */
  liveClients(): Map<string, VersionMark>
  list(current: VersionMark): FlagClient[]
  /** Rows that changed since the last call and must be written; `markDirty` returns rows that could not be written. */
  takeDirty(): FlagClientRow[]
  markDirty(rows: readonly FlagClientRow[]): void
}

/** `clockOffset`: ms to add to this process's clock to get the database's, which all agents write. */
export function createClientRegistry(now: () => number, clockOffset: () => number = () => 0): ClientRegistry {
  const clients = new Map<string, TrackedClient>()

  const isSilent = (client: TrackedClient): boolean => now() - client.lastSeenAt > SILENT_AFTER_MS && client.answeredOn
  const isGone = (client: TrackedClient): boolean => {
    const age = now() - client.lastSeenAt
    if (client.acceptedBy !== null) return age > ACCEPTED_CLIENT_TTL_MS
    return age > SILENT_AFTER_MS && !client.answeredOn
  }

  function trackedName(header: string | null, on: boolean): string | null {
    const name = header?.trim() ?? ''
    const usable = /^[\x21-\x7e][\x20-\x7e]{0,199}$/.test(name) && name !== UNNAMED_CLIENT
    if (usable && (clients.has(name) || clients.size < MAX_TRACKED_CLIENTS)) return name
    // Any number of processes may send no name: one evaluation of off does not show that all of them have received it.
    return on ? UNNAMED_CLIENT : null
  }

  return {
    recordRequest(header, mark, on) {
      const name = trackedName(header, on)
      if (name === null) return null
      const previous = clients.get(name)
      const sameState = previous?.version === mark.version && previous.pending === mark.pending
      clients.set(name, {
        lastSeenAt: now(),
        version: mark.version,
        pending: mark.pending,
        answeredOn: on || (sameState && previous.answeredOn),
        acceptedBy: null,
        stamp: Math.max(Math.round(now() + clockOffset()), (previous?.stamp ?? 0) + 1),
        dirty: true,
      })
      return name
    },
    confirmPending(pending, version) {
      for (const client of clients.values())
        if (client.pending >= pending) Object.assign(client, { version, dirty: true })
    },
    merge(rows) {
      for (const row of rows) {
        const known = clients.get(row.client)
        if (!known || row.stamp > known.stamp) clients.set(row.client, { ...row, pending: 0, dirty: false })
        else if (row.stamp === known.stamp) known.acceptedBy = row.acceptedBy
      }
    },
    expire() {
      for (const [name, client] of clients) if (isGone(client)) clients.delete(name)
    },
    accept(name, by) {
      const client = clients.get(name)
      if (client) client.acceptedBy = by
    },
    silence(name) {
      const client = clients.get(name)
      return client ? { seconds: (now() - client.lastSeenAt) / 1000, silent: isSilent(client) } : null
    },
    liveClients() {
      const live = new Map<string, VersionMark>()
      for (const [name, client] of clients)
        if (name !== UNNAMED_CLIENT && now() - client.lastSeenAt <= SILENT_AFTER_MS) live.set(name, client)
      return live
    },
    list(current) {
      return [...clients]
        .filter(([, client]) => !isGone(client))
        .map(([name, client]) => ({
          client: name,
          lastSeenAt: new Date(client.lastSeenAt).toISOString(),
          answeredOn: client.answeredOn,
          // A process that ended while the flag was on had the current state; it is stale only after a change.
          stale: client.acceptedBy === null && !isUpToDate(client, current),
          acceptedBy: client.acceptedBy,
        }))
        .sort((a, b) => a.client.localeCompare(b.client))
    },
    takeDirty() {
      const rows: FlagClientRow[] = []
      for (const [name, client] of clients) {
        if (!client.dirty) continue
        client.dirty = false
        rows.push({ ...client, client: name })
      }
      return rows
    },
    markDirty(rows) {
      for (const row of rows) {
        const client = clients.get(row.client)
        if (client) client.dirty = true
      }
    },
  }
}
