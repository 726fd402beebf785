import type { Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { openIncident } from './incidentStore.ts'

/**
 * Opens an incident for the rollout's last backfill if it failed and was started with `--rollback-on-error`. It is opened
 * once, by whichever agent reads it first, so that it is also opened if the agent that ran the backfill crashed.
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
      isCurrentChange: true,
      severity: 'critical',
      drill: false,
      source: 'operation',
      alertCount: 1,
      summary: `Backfill ${id} failed: ${error ?? 'no error message'}`,
      reading: null,
      rolledBack: null,
      reasons: ['The backfill was started with --rollback-on-error, so the flag is turned off if it was on.'],
      actor,
      startedAt: at.getTime(),
    })
  }
}
