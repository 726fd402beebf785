import type { Acceptance, AcceptedSubject, Actor } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

const MAX_ACCEPTANCES = 500

interface AcceptanceRow {
  readonly id: bigint
  readonly check_name: string
  readonly subject: string
  readonly reason: string
  readonly actor: Actor
  readonly at: Date
  readonly expires_at: Date
  readonly withdrawn_at: Date | null
  readonly withdrawn_by: Actor | null
  readonly withdrawn_reason: string | null
  readonly expired: boolean
  readonly last: boolean
}

/** What was accepted for a rollout, newest first, each judged by the clock of the database. */
export async function readAcceptances(sql: Sql, rollout: string): Promise<Acceptance[]> {
  const rows = await sql<AcceptanceRow[]>`
    select *, expires_at <= clock_timestamp() as expired, id = max(id) over (partition by check_name, subject) as last
    from sti.acceptance where rollout = ${rollout} order by id desc limit ${MAX_ACCEPTANCES}`
  return rows.map((row) => {
    const why = invalidReason(row)
    return {
      id: Number(row.id),
      check: row.check_name,
      subject: row.subject,
      reason: row.reason,
      by: row.actor,
      at: row.at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      withdrawnAt: row.withdrawn_at?.toISOString() ?? null,
      withdrawnBy: row.withdrawn_by,
      withdrawnReason: row.withdrawn_reason,
      valid: why === null,
      why,
    }
  })
}

function invalidReason(row: AcceptanceRow): string | null {
  if (row.withdrawn_at !== null) return `withdrawn by ${row.withdrawn_by!.name}: ${row.withdrawn_reason}`
  if (row.expired) return `expired on ${row.expires_at.toISOString().slice(0, 10)}`
  return row.last ? null : 'superseded by a later acceptance'
}

export interface NewAcceptance {
  readonly check: string
  readonly subjects: readonly string[]
  readonly reason: string
  readonly actor: Actor
  readonly expiresAt: Date
}

/** Stores an acceptance of each subject, and one event, in one statement. */
export async function saveAcceptances(sql: Sql, rollout: string, accepted: NewAcceptance): Promise<void> {
  const subjects = sql.json([...accepted.subjects])
  await sql`
    with accepted as (
      insert into sti.acceptance (rollout, check_name, subject, reason, actor, expires_at)
      select ${rollout}, ${accepted.check}, subject, ${accepted.reason}, ${sql.json(accepted.actor)}, ${accepted.expiresAt}
      from jsonb_array_elements_text(${subjects}::jsonb) as s(subject)
      returning id
    ), accepted_ids as (select jsonb_agg(id) as ids from accepted)
    select sti.append_event(null, ${rollout}, ${sql.json(accepted.actor)}, 'acceptance', ${`accepted: ${accepted.check}`}, ${accepted.reason}, null,
      jsonb_build_object('acceptances', ids, 'check', ${accepted.check}::text, 'subjects', ${subjects}::jsonb,
        'expiresAt', ${accepted.expiresAt}::timestamptz)) from accepted_ids`
}

/** Withdraws the valid acceptances of these subjects, with one event. Returns how many there were. */
export async function withdrawAcceptances(
  sql: Sql,
  rollout: string,
  withdrawal: Omit<NewAcceptance, 'expiresAt'>,
): Promise<number> {
  const subjects = sql.json([...withdrawal.subjects])
  const [row] = await sql<{ count: number }[]>`
    with withdrawn as (
      update sti.acceptance set withdrawn_at = clock_timestamp(), withdrawn_by = ${sql.json(withdrawal.actor)}, withdrawn_reason = ${withdrawal.reason}
      where rollout = ${rollout} and check_name = ${withdrawal.check} and withdrawn_at is null and expires_at > clock_timestamp()
        and subject in (select jsonb_array_elements_text(${subjects}::jsonb))
      returning id
    ), withdrawn_ids as (select jsonb_agg(id) as ids, count(*)::int as count from withdrawn having count(*) > 0)
    select count, sti.append_event(null, ${rollout}, ${sql.json(withdrawal.actor)}, 'acceptance', ${`acceptance withdrawn: ${withdrawal.check}`},
      ${withdrawal.reason}, jsonb_build_object('acceptances', ids, 'check', ${withdrawal.check}::text, 'subjects', ${subjects}::jsonb), null)
    from withdrawn_ids`
  return row?.count ?? 0
}

export const toAcceptedSubject = ({ subject, reason, by, expiresAt }: Acceptance): AcceptedSubject => ({
  subject,
  reason,
  by: by.name,
  expiresAt,
})

/** The valid acceptance of each of these subjects, and the subjects that have none. */
export function matchAcceptances(
  acceptances: readonly Acceptance[],
  check: string,
  subjects: readonly string[],
): { readonly accepted: readonly Acceptance[]; readonly open: readonly string[] } {
  const valid = new Map(
    acceptances.filter((one) => one.valid && one.check === check).map((one) => [one.subject, one] as const),
  )
  return {
    accepted: subjects.flatMap((subject) => valid.get(subject) ?? []),
    open: subjects.filter((subject) => !valid.has(subject)),
  }
}
