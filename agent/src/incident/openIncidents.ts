import type { Severity } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { OpenIncident } from '../metrics/metricsSource.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { escalationLevels } from './escalation.ts'

/** Unacknowledged incidents of a rollout and of the environment as a whole. All but information page someone. */
export async function readOpenIncidents(sql: Sql, { name, file }: Rollout): Promise<OpenIncident[]> {
  const rows = await sql<{ rollout: string | null; severity: Severity; seconds: number }[]>`
    select rollout, severity, extract(epoch from clock_timestamp() - opened_at)::float8 as seconds from sti.incident
    where closed_at is null and acknowledged_at is null and (rollout = ${name} or rollout is null) order by id`
  const now = Date.now()
  return rows.map(({ rollout, severity, seconds }) => ({
    rollout,
    severity,
    openedAt: now - seconds * 1_000,
    escalationSeconds: escalationLevels(severity, rollout === null ? [] : file.contacts).map((level) => level.seconds),
  }))
}
