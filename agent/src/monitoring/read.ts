import type { Monitoring, Operation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { JournaledChange } from '../engine/facts.ts'
import { NORMAL_SAMPLING_SECONDS } from '../signals/signals.ts'
import type { SettingBefore } from './settings.ts'

/** Whether a change in the journal is one of enhanced monitoring; all others are of the table. */
export function ofMonitoring({ kind }: { readonly kind: string }): boolean {
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
    samplingSeconds: row?.sampling_seconds ?? NORMAL_SAMPLING_SECONDS,
    changes: changes.map((change) => ({
      ...valuesOf(change, row?.sampling_seconds),
      object: change.object,
      at: change.appliedAt,
      operationId: change.operationId,
    })),
    refused: row === undefined ? [] : ((last?.result?.['refused'] as string[] | undefined) ?? []),
  }
}

function valuesOf(
  { kind, before }: JournaledChange,
  seconds: number | undefined,
): { before: string | null; now: string } {
  if (kind === 'sampling')
    return { before: `${NORMAL_SAMPLING_SECONDS} s`, now: `${seconds ?? NORMAL_SAMPLING_SECONDS} s` }
  const { value, now } = before as SettingBefore
  return { before: value, now }
}
