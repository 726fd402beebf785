import type { Monitoring, Operation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { JournaledChange } from '../kind/facts.ts'
import { DEFAULT_SAMPLE_INTERVAL_SECONDS } from '../signals/signals.ts'
import type { PreviousSetting } from './monitoringSettings.ts'

/** Tells if a journaled change belongs to enhanced monitoring; all other changes belong to the table. */
export function isMonitoringChange({ kind }: { readonly kind: string }): boolean {
  return kind === 'setting' || kind === 'sampling'
}

/** The current state. `last`: the last operation that enabled enhanced monitoring. */
export async function readMonitoring(
  sql: Sql,
  rollout: string,
  changes: readonly (JournaledChange & { readonly operationId: number })[],
  last: Operation | null,
): Promise<Monitoring> {
  const [row] = await sql<{ sampling_interval_seconds: number }[]>`
    select sampling_interval_seconds from sti.monitoring where rollout = ${rollout}`
  const sampling = changes.find(({ kind }) => kind === 'sampling')
  return {
    enhanced: row !== undefined,
    since: row === undefined ? null : (sampling?.appliedAt ?? null),
    samplingSeconds: row?.sampling_interval_seconds ?? DEFAULT_SAMPLE_INTERVAL_SECONDS,
    changes: changes.map((change) => ({
      ...changeValues(change, row?.sampling_interval_seconds),
      object: change.object,
      at: change.appliedAt,
      operationId: change.operationId,
    })),
    refused: row === undefined ? [] : ((last?.result?.['refused'] as string[] | undefined) ?? []),
  }
}

function changeValues(
  { kind, before }: JournaledChange,
  seconds: number | undefined,
): { before: string | null; now: string } {
  if (kind === 'sampling')
    return { before: `${DEFAULT_SAMPLE_INTERVAL_SECONDS} s`, now: `${seconds ?? DEFAULT_SAMPLE_INTERVAL_SECONDS} s` }
  const { value, now } = before as PreviousSetting
  return { before: value, now }
}
