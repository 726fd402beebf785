import { createPoll, type Poll } from './poll.ts'
import type { Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

/** The WAL that the replication slots of the server retain. */
export interface SlotRetention {
  /** The slot that retains the most WAL; null: there is none. */
  readonly slot: string | null
  readonly retainedBytes: number
  /** max_slot_wal_keep_size: a slot that retains more can lose WAL that it needs; null: no limit. */
  readonly keptAtMostBytes: number | null
  /** A slot whose wal_status is `unreserved` (about to lose WAL that it needs) or `lost`. */
  readonly endangered: { readonly slot: string; readonly status: 'unreserved' | 'lost' } | null
}

export interface SlotRetentionOptions {
  readonly server: ServerQuery
  readonly intervalMs: number
  readonly now: () => number
}

interface SlotsRow {
  slots: { slot: string; status: string | null; bytes: number | null }[]
  megabytes: number
}

export function pollSlotRetention({ server, intervalMs, now }: SlotRetentionOptions): Poll<Reading<SlotRetention>> {
  return createPoll<Reading<SlotRetention>>({
    intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<SlotRetention>> {
    const at = now()
    const row = await server.read<SlotsRow>(
      () => `
      select /* sti */ (select setting::float8 from pg_settings where name = 'max_slot_wal_keep_size') as megabytes,
        (select coalesce(jsonb_agg(jsonb_build_object('slot', slot_name, 'status', wal_status,
          'bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) order by slot_name), '[]')
        from pg_replication_slots) as slots`,
    )
    let largest: { slot: string | null; retainedBytes: number } = { slot: null, retainedBytes: 0 }
    let endangered: SlotRetention['endangered'] = null
    for (const { slot, status, bytes } of row.slots) {
      if (bytes !== null && bytes >= largest.retainedBytes) largest = { slot, retainedBytes: bytes }
      if (status === 'unreserved' || status === 'lost') endangered ??= { slot, status }
    }
    const keptAtMostBytes = row.megabytes < 0 ? null : row.megabytes * 1024 ** 2
    return { value: { ...largest, keptAtMostBytes, endangered }, at }
  }
}
