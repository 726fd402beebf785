import type { CheckResult, ConfusionCell, ValidationLayer, LayerResult, Validation } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { OperationClaim } from '../kind/kind.ts'
import { FenceLostError } from '../kind/operationErrors.ts'
import type { Rollout } from '../rollout/rollout.ts'

interface ValidationRow {
  readonly id: bigint
  readonly file_hash: string
  readonly derivation_hash: string
  readonly started_at: Date
  readonly ended_at: Date | null
  readonly verdict: Validation['verdict']
  readonly layers: LayerResult[]
  readonly coverage: number | null
  readonly integrity_score: number | null
  readonly total_rows: bigint | null
  readonly checksum: string | null
  readonly confusion_matrix: Validation['confusion']
  readonly checks: CheckResult[]
}

/** A check result as JSON; `c` is sti.check_result. */
const CHECK_RESULT_SQL = `jsonb_build_object('check', c.check_name, 'layer', c.layer, 'unit', c.unit, 'verdict', c.verdict, 'value', c.value,
  'limit', c.limit_value, 'discrepancies', c.discrepancies, 'detail', c.detail, 'acceptable', c.acceptable, 'accepted', c.accepted, 'sampleKeys', c.sample_keys,
  'query', c.query, 'seconds', c.duration_seconds)`
const CHECK_ORDER_SQL = `array_position(array['integrity', 'performance', 'system', 'business'], c.layer), c.check_name`

/**
 * The newest validation that ran every layer in `required` completely, or else the newest validation. Null: none has
 * finished.
 */
export async function readLatestValidation(
  sql: Sql,
  rollout: string,
  required: readonly ValidationLayer[] = [],
): Promise<Validation | null> {
  const [row] = await sql<ValidationRow[]>`
    select v.*, (select coalesce(jsonb_agg(${sql.unsafe(CHECK_RESULT_SQL)} order by ${sql.unsafe(CHECK_ORDER_SQL)}), '[]')
      from sti.check_result c where c.validation_id = v.id) as checks
    from sti.validation v where rollout = ${rollout} and ended_at is not null
    order by (select count(distinct l->>'layer') from jsonb_array_elements(v.layers) l
        where (l->>'complete')::boolean and l->>'layer' in (select jsonb_array_elements_text(${sql.json([...required])}::jsonb)))
        = ${required.length} desc, id desc limit 1`
  return row ? toValidation(row) : null
}

/** A finished validation by its ID, or null. */
export async function readValidationById(sql: Sql, rollout: string, id: number): Promise<Validation | null> {
  const [row] = await sql<ValidationRow[]>`
    select v.*, (select coalesce(jsonb_agg(${sql.unsafe(CHECK_RESULT_SQL)} order by ${sql.unsafe(CHECK_ORDER_SQL)}), '[]')
      from sti.check_result c where c.validation_id = v.id) as checks
    from sti.validation v where rollout = ${rollout} and id = ${id} and ended_at is not null`
  return row ? toValidation(row) : null
}

/** The newest result of each check in validation `since` and later ones. */
export async function readLatestCheckResults(sql: Sql, rollout: string, since: number): Promise<CheckResult[]> {
  const rows = await sql<{ result: CheckResult }[]>`
    select distinct on (${sql.unsafe(CHECK_ORDER_SQL)}) ${sql.unsafe(CHECK_RESULT_SQL)} as result
    from sti.check_result c join sti.validation v on v.id = c.validation_id
    where v.rollout = ${rollout} and v.ended_at is not null and v.id >= ${since}
    order by ${sql.unsafe(CHECK_ORDER_SQL)}, v.id desc`
  return rows.map((row) => row.result)
}

/** The newest value of a check, regardless of its verdict, and when that validation began; null: no value yet. */
export async function readLatestCheckValue(
  sql: Sql,
  rollout: string,
  check: string,
): Promise<{ value: number; startedAt: Date } | null> {
  const [row] = await sql<{ value: number; startedAt: Date }[]>`
    select c.value, v.started_at as "startedAt" from sti.check_result c join sti.validation v on v.id = c.validation_id
    where v.rollout = ${rollout} and v.ended_at is not null and c.check_name = ${check} and c.value is not null
    order by v.id desc limit 1`
  return row ?? null
}

/** Results of the newest validation with a complete integrity layer. */
export interface CoverageSummary {
  readonly coverage: number
  readonly integrityScore: number
  /** ISO 8601. */
  readonly startedAt: string
}

export async function readCoverageSummary(sql: Sql, rollout: string): Promise<CoverageSummary | null> {
  const [row] = await sql<{ coverage: number; score: number; started_at: Date }[]>`
    select coverage, integrity_score as score, started_at from sti.validation
    where rollout = ${rollout} and ended_at is not null and coverage is not null and integrity_score is not null
    order by id desc limit 1`
  return row ? { coverage: row.coverage, integrityScore: row.score, startedAt: row.started_at.toISOString() } : null
}

/** Checks of these layers that failed after validation `since` and have not passed again. */
export async function readFailedChecksSince(
  sql: Sql,
  rollout: string,
  since: number,
  layers: readonly ValidationLayer[],
): Promise<{ check: string; layer: ValidationLayer }[]> {
  const rows = await sql<{ check: string; layer: ValidationLayer }[]>`
    select check_name as check, layer from (
      select distinct on (c.layer, c.check_name) c.check_name, c.layer, c.verdict
      from sti.check_result c join sti.validation v on v.id = c.validation_id
      where v.rollout = ${rollout} and v.ended_at is not null and v.id > ${since}
        and c.layer in (select jsonb_array_elements_text(${sql.json([...layers])}::jsonb))
        and c.verdict in ('pass', 'fail')
      order by c.layer, c.check_name, v.id desc) last
    where verdict = 'fail' order by check_name`
  return [...rows]
}

function toValidation(row: ValidationRow): Validation {
  return {
    id: Number(row.id),
    fileHash: row.file_hash,
    derivationHash: row.derivation_hash,
    startedAt: row.started_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    verdict: row.verdict,
    layers: row.layers,
    coverage: row.coverage,
    integrityScore: row.integrity_score,
    totalRows: row.total_rows === null ? null : Number(row.total_rows),
    checksum: row.checksum,
    confusion: row.confusion_matrix,
    checks: row.checks,
  }
}

type NewValidation = Omit<Validation, 'id' | 'fileHash' | 'derivationHash' | 'startedAt' | 'endedAt' | 'confusion'> & {
  readonly confusion: readonly ConfusionCell[]
}

/**
 * Stores a validation and its check results in one statement. Returns the result of the operation.
 * @throws FenceLostError if another agent has claimed the operation in the meantime
 */
export async function saveValidation(
  sql: Sql,
  claim: OperationClaim,
  source: { rollout: Rollout; startedAt: Date },
  validation: NewValidation,
): Promise<Record<string, unknown>> {
  await sql`
    with saved as (
      insert into sti.validation (id, rollout, file_hash, derivation_hash, started_at, ended_at, verdict, layers, coverage,
        integrity_score, total_rows, checksum, confusion_matrix)
      select o.id, ${source.rollout.name}, ${source.rollout.hash}, ${source.rollout.derivationHash}, ${source.startedAt}::timestamptz, clock_timestamp(), ${validation.verdict}::text,
        ${sql.json(validation.layers)}::jsonb, ${validation.coverage}::float8, ${validation.integrityScore}::float8,
        ${validation.totalRows}::bigint, ${validation.checksum}::text, ${sql.json(validation.confusion)}::jsonb
      from sti.operation o where o.id = ${claim.id} and o.epoch = ${claim.epoch} and o.claim = ${claim.claim} for no key update
      on conflict (id) do nothing
      returning id
    )
    insert into sti.check_result (validation_id, check_name, layer, unit, verdict, value, limit_value, discrepancies, detail,
      acceptable, accepted, sample_keys, query, duration_seconds)
    select saved.id, c."check", c.layer, c.unit, c.verdict, c.value, c."limit", c.discrepancies, c.detail, c.acceptable, c.accepted, c."sampleKeys", c.query, c.seconds
    from saved, jsonb_to_recordset(${sql.json(validation.checks)}::jsonb) as c("check" text, layer text, unit text, verdict text,
      value double precision, "limit" double precision, discrepancies bigint, detail text, acceptable jsonb, accepted jsonb, "sampleKeys" jsonb,
      query text, seconds double precision)`
  const result = await readOperationResult(sql, claim.id)
  if (result === null) throw new FenceLostError('another agent has claimed this validation')
  return result
}

/** The result of a validation's operation; null until the validation is stored. */
export async function readOperationResult(sql: Sql, operationId: bigint): Promise<Record<string, unknown> | null> {
  const [row] = await sql<ValidationRow[]>`
    select * from sti.validation where id = ${operationId} and ended_at is not null`
  if (!row) return null
  const { verdict, layers, coverage, integrityScore, totalRows } = toValidation({ ...row, checks: [] })
  return {
    validation: Number(row.id),
    verdict,
    coverage,
    rows: totalRows,
    integrityScore,
    layers: Object.fromEntries(layers.map((layer) => [layer.layer, layer.verdict])),
  }
}
