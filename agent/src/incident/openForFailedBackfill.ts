import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { openIncident } from './incidentStore.ts'

/**
 * Opens the incident of the last backfill of a rollout when it failed and was started with `--rollback-on-error`: once,
 * whichever agent looks first, and also when the one that ran it died just then.
 */
export async function openIncidentForFailedBackfill(sql: Sql, rollout: string, actor: Actor): Promise<void> {
  const failed = await sql<{ id: bigint; code: string | null; error: string | null; at: Date }[]>`
    select id, error_code as code, error, ended_at as at from sti.operation o
    where rollout = ${rollout} and kind = 'backfill' and state = 'failed' and parameters->>'rollbackOnError' in ('true', 'data')
      and not exists (select from sti.operation later where later.rollout = o.rollout and later.kind = 'backfill' and later.id > o.id)
      and not exists (select from sti.incident i where i.rollout = o.rollout and i.change = 'backfill-' || o.id
        and i.rule in ('StiErrorBudgetExceeded', 'StiBackfillFailed'))`
  for (const { id, code, error, at } of failed) {
    await openIncident(sql, {
      rollout,
      rule: code === 'error-budget' ? 'StiErrorBudgetExceeded' : 'StiBackfillFailed',
      change: `backfill-${id}`,
      severity: 'critical',
      drill: false,
      source: 'operation',
      alertCount: 1,
      summary: `Backfill ${id} failed: ${error ?? 'without a sentence'}`,
      reading: null,
      rolledBack: null,
      reasons: ['It was started with --rollback-on-error: the flag goes off if it was on.'],
      actor,
      startedAt: at.getTime(),
    })
  }
}
