import { shardsSql } from '../citus/queryShards.ts'
import { pollAutovacuum } from './autovacuum.ts'
import type { BoundedConnection } from './boundedConnection.ts'
import { connectionRatio, pollDatabaseActivity } from './databaseActivity.ts'
import { createRefCountedPolls, type Poll } from './poll.ts'
import { isKnown, type Reading } from './reading.ts'
import { pollReplicationLag } from './replicationLag.ts'
import { createWorkerQuery, type WorkerAddress } from './serverQuery.ts'
import { pollServer, SERVER_INTERVAL_MS, type ServerReadings } from './serverReadings.ts'

/** The readings of a worker of Citus. */
export interface NodeReadings extends ServerReadings {
  /** `host:port`, as the coordinator has it. */
  readonly node: string
}

export interface NodeWatch {
  /** The workers that have a shard of the table now. */
  read(): Reading<readonly NodeReadings[]>
  stop(): void
}

export interface NodePolls {
  /** Reads the workers of a table, which `workers` lists, until the watch is stopped. `table` is SQL, with its schema. */
  watch(table: string, workers: Poll<Reading<readonly WorkerAddress[]>>): NodeWatch
  stop(): void
}

export interface NodePollsOptions {
  readonly openConnection: (purpose: string) => BoundedConnection
  readonly ownApplicationPrefix: string
  readonly now: () => number
}

/** Each reading of a worker is a statement of the coordinator, too. */
const LOCK_WAITERS_INTERVAL_MS = 1_000

/** Reads the workers of Citus through the coordinator. Operations that run at the same time share what they read. */
export function createNodePolls({ openConnection, ownApplicationPrefix, now }: NodePollsOptions): NodePolls {
  const nodes = new Map<string, ReturnType<typeof pollNode>>()

  function pollNode(node: string, address: WorkerAddress) {
    // Of its own, so that a worker that does not answer delays no other.
    const server = createWorkerQuery(openConnection(`node ${node}`), ownApplicationPrefix, address)
    const shared = { server, intervalMs: SERVER_INTERVAL_MS, now }
    const { polls, ...read } = pollServer(server, server, now, LOCK_WAITERS_INTERVAL_MS)
    const activity = pollDatabaseActivity(shared)
    const replicationLag = pollReplicationLag(shared)
    const all: readonly Poll<unknown>[] = [...polls, activity, replicationLag]
    return { server, ...read, activity, replicationLag, polls: all, watch: createRefCountedPolls(all) }
  }

  function hold(node: string, address: WorkerAddress, table: string): { readings: NodeReadings; stop: () => void } {
    const polled = nodes.get(node) ?? pollNode(node, address)
    nodes.set(node, polled)
    const autovacuum = pollAutovacuum({
      server: polled.server,
      intervalMs: SERVER_INTERVAL_MS,
      now,
      relations: shardsSql(table),
    })
    const stops = [createRefCountedPolls([autovacuum])(), polled.watch()]
    return {
      readings: {
        node,
        lockWaiters: polled.lockWaiters.read,
        replicationLag: polled.replicationLag.read,
        slots: polled.slots.read,
        archive: polled.archive.read,
        oldestSnapshot: polled.oldestSnapshot.read,
        oldestTransaction: () => polled.activity.read().oldestTransaction,
        connections: () => connectionRatio(polled.activity.read()),
        autovacuum: autovacuum.read,
        walRate: polled.walRate.read,
      },
      stop: () => stops.forEach((stop) => stop()),
    }
  }

  return {
    watch(table, workers) {
      const held = new Map<string, ReturnType<typeof hold>>()
      const releaseExcept = (names: ReadonlySet<string>): void => {
        for (const [node, { stop }] of held) {
          if (names.has(node)) continue
          stop()
          held.delete(node)
        }
      }
      return {
        read() {
          const listed = workers.read()
          if (!isKnown(listed)) return listed
          const addresses = new Map(listed.value.map((address) => [`${address.host}:${address.port}`, address]))
          releaseExcept(new Set(addresses.keys()))
          for (const [node, address] of addresses) if (!held.has(node)) held.set(node, hold(node, address, table))
          return { value: [...held.values()].map(({ readings }) => readings), at: listed.at }
        },
        stop: () => releaseExcept(new Set()),
      }
    },
    stop() {
      for (const { polls } of nodes.values()) polls.forEach((poll) => poll.stop())
    },
  }
}
