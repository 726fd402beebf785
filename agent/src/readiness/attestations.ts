import type { Actor, Attestation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { SignOffItem } from './signOffItems.ts'

interface AttestationRow {
  readonly id: bigint
  readonly item: string
  readonly subject: string | null
  readonly note: string
  readonly actor: Actor
  readonly at: Date
  readonly expires_at: Date
  readonly withdrawn_at: Date | null
  readonly withdrawn_by: Actor | null
  readonly withdrawn_note: string | null
  readonly expired: boolean
  readonly last: boolean
}

/** The sign-offs of a rollout, newest first, each judged by the database clock. */
export async function readAttestations(
  sql: Sql,
  rollout: string,
  signOffItems: readonly SignOffItem[],
): Promise<Attestation[]> {
  const rows = await sql<AttestationRow[]>`
    select *, expires_at <= clock_timestamp() as expired,
      id = max(id) over (partition by item) as last
    from sti.attestation where rollout = ${rollout} order by id desc limit 500`
  const subjects = new Map(signOffItems.map(({ item, subject }) => [item, subject]))
  return rows.map((row) => {
    const why = findAttestationFault(row, subjects)
    return {
      id: Number(row.id),
      item: row.item,
      note: row.note,
      by: row.actor,
      at: row.at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      withdrawnAt: row.withdrawn_at?.toISOString() ?? null,
      withdrawnBy: row.withdrawn_by,
      withdrawnNote: row.withdrawn_note,
      counts: why === null,
      why,
    }
  })
}

function findAttestationFault(row: AttestationRow, subjects: ReadonlyMap<string, string | null>): string | null {
  if (row.withdrawn_at !== null) return `withdrawn by ${row.withdrawn_by!.name}: ${row.withdrawn_note}`
  if (row.expired) return `expired on ${row.expires_at.toISOString().slice(0, 10)}`
  if (!subjects.has(row.item)) return 'the rollout file no longer contains this item'
  if (subjects.get(row.item) !== row.subject) return 'its entry in the rollout file has changed since'
  return row.last ? null : 'superseded by a later sign-off'
}

/** Stores a sign-off and its event in one statement. */
export async function saveAttestation(
  sql: Sql,
  rollout: string,
  signOff: { readonly item: SignOffItem; readonly note: string; readonly actor: Actor; readonly expiresAt: Date },
): Promise<void> {
  await sql`
    with attested as (
      insert into sti.attestation (rollout, item, subject, note, actor, expires_at)
      values (${rollout}, ${signOff.item.item}, ${signOff.item.subject}, ${signOff.note}, ${sql.json(signOff.actor)}, ${signOff.expiresAt})
      returning id, expires_at
    )
    select sti.append_event(null, ${rollout}, ${sql.json(signOff.actor)}, 'attestation', ${`signed off: ${signOff.item.item}`}, ${signOff.note}, null,
      jsonb_build_object('attestation', id, 'item', ${signOff.item.item}::text, 'expiresAt', expires_at)) from attested`
}

/** Withdraws the valid sign-offs of an item. False: there is none. */
export async function withdrawAttestation(
  sql: Sql,
  rollout: string,
  withdrawal: { readonly item: string; readonly note: string; readonly actor: Actor },
): Promise<boolean> {
  const rows = await sql`
    with withdrawn as (
      update sti.attestation set withdrawn_at = clock_timestamp(), withdrawn_by = ${sql.json(withdrawal.actor)}, withdrawn_note = ${withdrawal.note}
      where rollout = ${rollout} and item = ${withdrawal.item} and withdrawn_at is null and expires_at > clock_timestamp()
      returning id
    ), withdrawn_ids as (select max(id) as id, jsonb_agg(id) as ids from withdrawn having count(*) > 0)
    select sti.append_event(null, ${rollout}, ${sql.json(withdrawal.actor)}, 'attestation', ${`sign-off withdrawn: ${withdrawal.item}`}, ${withdrawal.note},
      jsonb_build_object('attestations', ids), null) from withdrawn_ids`
  return rows.length > 0
}
