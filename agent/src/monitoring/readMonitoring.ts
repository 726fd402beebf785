import type { Monitoring, Operation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { JournaledChange } from '../kind/facts.ts'
import { DEFAULT_SAMPLE_INTERVAL_SECONDS } from '../signals/signals.ts'
import type { PreviousSetting } from './monitoringSettings.ts'

/** Whether a change in the journal is one of enhanced monitoring; all others are of the table. */
export function isMonitoringChange({ kind }: { readonly kind: string }): boolean {
  return kind === 'setting' || kind === 'sampling'
}

/** What is on now. `last`: the last operation that switched it on. */
export async function readMonitoring(
  sql: Sql,
  rollout: string,
  changes: readonly (JournaledChange & { readonly operationId: number })[],
  last: Operation | null,
): Promise<Monitoring> {
  const [row] = await sql<{ sampling_seconds: number }[]>`
    select sampling_seconds from sti.monitoring where rollout = ${rollout}`
  const sampling = changes.find(({ kind }) => kind === 'sampling')
  return {
    enhanced: row !== undefined,
    since: row === undefined ? null : (sampling?.appliedAt ?? null),
    samplingSeconds: row?.sampling_seconds ?? DEFAULT_SAMPLE_INTERVAL_SECONDS,
    changes: changes.map((change) => ({
      ...changeValues(change, row?.sampling_seconds),
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
