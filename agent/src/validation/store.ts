import type { CheckResult, ConfusionCell, Validation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

interface Row {
  readonly id: bigint
  readonly operation_id: bigint
  readonly file_hash: string
  readonly started_at: Date
  readonly ended_at: Date | null
  readonly verdict: Validation['verdict']
  readonly coverage: number | null
  readonly integrity_score: number | null
  readonly total_rows: bigint | null
  readonly checksum: string | null
  readonly confusion: ConfusionCell[]
  readonly checks: CheckResult[]
}

/** The newest validation that has ended, or null. */
export async function readValidation(sql: Sql, rollout: string): Promise<Validation | null> {
  const [row] = await sql<Row[]>`
    select v.*, coalesce((select jsonb_agg(jsonb_build_object('check', c.check_name, 'layer', c.layer, 'verdict', c.verdict,
        'value', c.value, 'limit', c.limit_value, 'discrepancies', c.discrepancies, 'detail', c.detail, 'sampleKeys', c.sample_keys)
        order by c.layer, c.check_name) from sti.check_result c where c.validation_id = v.id), '[]') as checks
    from sti.validation v where rollout = ${rollout} and ended_at is not null order by id desc limit 1`
  if (!row) return null
  return {
    id: Number(row.id),
    operationId: Number(row.operation_id),
    fileHash: row.file_hash,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    verdict: row.verdict,
    coverage: row.coverage,
    integrityScore: row.integrity_score,
    totalRows: row.total_rows === null ? null : Number(row.total_rows),
    checksum: row.checksum,
    confusion: row.confusion,
    checks: row.checks,
  }
}

export interface Measured {
  readonly verdict: Validation['verdict']
  readonly coverage: number | null
  readonly integrityScore: number | null
  readonly totalRows: number | null
  readonly checksum: string | null
  readonly confusion: readonly ConfusionCell[]
  readonly checks: readonly CheckResult[]
}

/** Keeps a validation and its checks, in one statement. */
export async function saveValidation(
  sql: Sql,
  of: { operationId: bigint; rollout: string; fileHash: string; startedAt: Date },
  measured: Measured,
): Promise<void> {
  await sql`
    with saved as (
      insert into sti.validation (operation_id, rollout, file_hash, started_at, ended_at, verdict, coverage, integrity_score,
        total_rows, checksum, confusion)
      values (${of.operationId}, ${of.rollout}, ${of.fileHash}, ${of.startedAt}, clock_timestamp(), ${measured.verdict},
        ${measured.coverage}, ${measured.integrityScore}, ${measured.totalRows}, ${measured.checksum}, ${sql.json(measured.confusion)})
      returning id
    )
    insert into sti.check_result (validation_id, check_name, layer, verdict, value, limit_value, discrepancies, detail, sample_keys)
    select saved.id, c."check", c.layer, c.verdict, c.value, c."limit", c.discrepancies, c.detail, c."sampleKeys"
    from saved, jsonb_to_recordset(${sql.json(measured.checks)}::jsonb) as c("check" text, layer text, verdict text,
      value double precision, "limit" double precision, discrepancies bigint, detail text, "sampleKeys" jsonb)`
}
