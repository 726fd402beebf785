import { createHash } from 'node:crypto'
import type { Sql } from '../database/connect.ts'
import { dryRun } from './dryRun.ts'
import { parseExpression } from './expression.ts'
import {
  conditionStatement,
  createProbeSql,
  expressionOf,
  OUTPUT_SETTINGS,
  PROBE_BODIES_SQL,
  valueStatement,
  type NameProbe,
} from './nameProbe.ts'
import { objectFault, toOutsideObjects, usedObjectsSql, type UsedObject } from './outsideObjects.ts'
import type { NameResolution, RestoreValue, Rollout, Table } from './rollout.ts'
import type { RestoreEntry } from './rolloutFile.ts'

/** Settings that change how PostgreSQL interprets a constant or an operator when it parses an expression. */
const SESSION_SETTINGS = [
  `set local timezone = 'Etc/GMT+12'; set local datestyle = 'ISO, MDY'; set local intervalstyle = 'postgres'; set local transform_null_equals = off`,
  `set local timezone = 'Etc/GMT-14'; set local datestyle = 'ISO, DMY'; set local intervalstyle = 'sql_standard'; set local transform_null_equals = on`,
] as const

/** An expression of the rollout file, and where it is. */
interface SourceExpression {
  readonly name: string
  readonly label: string
  readonly path: readonly PropertyKey[]
  readonly text: string
  readonly returns: 'boolean' | 'setof record'
}

export type NameResult = { readonly resolution: NameResolution } | { readonly faults: readonly string[] }

/**
 * Lets PostgreSQL resolve every name in the expressions of a rollout file once: nothing that another role creates later
 * can change what they mean. Runs none of them, and leaves nothing behind. An expression is resolved under two groups of
 * settings, so that a constant that depends on the session ('now', a time without a zone) is found.
 */
export async function resolveNames(sql: Sql, rollout: Rollout, table: Table): Promise<NameResult> {
  const expressions = sourceExpressions(rollout)
  const all = await resolveExpressions(sql, rollout, table, expressions)
  if ('refused' in all) {
    // One at a time, to say which of them PostgreSQL refuses.
    for (const expression of expressions) {
      const one = await resolveExpressions(sql, rollout, table, [expression])
      if ('refused' in one) return { faults: [refusalFault(rollout, expression, one)] }
    }
    const place = rollout.locate(['discriminator', 'dataType'])
    const { dataType } = rollout.discriminator
    return { faults: [`Cannot use the data type ${dataType}: ${all.refused}. Create it or choose another (${place}).`] }
  }
  const faults = [...sessionFaults(rollout, expressions, all), ...objectFaults(rollout, expressions, all.objects)]
  if (faults.length > 0) return { faults }
  const resolved = (name: string): string => all.texts[0]!.get(name)!
  return {
    resolution: {
      source: resolutionSource(rollout, table),
      dataType: all.dataType,
      conditions: rollout.conditions.map((_, i) => resolved(`when_${i}`)),
      restores: rollout.types.map((type, i) => {
        const values = rollout.restoreValues(type)
        return (
          values &&
          Object.fromEntries(
            [...values].map(([column, value], n): [string, RestoreEntry] => {
              const text = needsResolution(value) ? resolved(`restore_${i}_${n}`) : value.text
              return [column, value.kind === 'expression' ? { sql: text } : text]
            }),
          )
        )
      }),
      objects: toOutsideObjects(all.objects),
    },
  }
}

/** Changes if what the file derives, or the types of the columns that it reads change. */
export function resolutionSource(rollout: Rollout, table: Table): string {
  const columns = readableColumns(rollout, table).map(({ name, type }) => [name, type])
  return createHash('sha256')
    .update(JSON.stringify([rollout.derivationHash, columns]))
    .digest('hex')
}

const readableColumns = (rollout: Rollout, table: Table) =>
  table.columns.filter(({ name }) => [...rollout.legacyColumns, ...rollout.permanentColumns].includes(name))

function sourceExpressions(rollout: Rollout): SourceExpression[] {
  const conditions = rollout.conditions.map((text, i): SourceExpression => {
    const label = `The when of ${rollout.types[i]!}`
    return { name: `when_${i}`, label, path: ['types', i, 'when'], text, returns: 'boolean' }
  })
  const restores = rollout.types.flatMap((type, i) => {
    const path = i < rollout.conditions.length ? ['types', i, 'restore'] : ['otherwise', 'restore']
    return [...(rollout.restoreValues(type) ?? [])].flatMap(([column, value], n): SourceExpression[] => {
      if (!needsResolution(value)) return []
      const { text } = value
      const label = `The restore of ${column} for ${type}`
      return [{ name: `restore_${i}_${n}`, label, path: [...path, column], text, returns: 'setof record' }]
    })
  })
  return [...conditions, ...restores]
}

/** A plain constant has no name in it, and its type is that of the column that it is written to. */
function needsResolution({ kind, text }: RestoreValue): boolean {
  return kind === 'expression' || (kind === 'constant' && !('A_Const' in parseExpression(text).tree))
}

interface ResolvedTexts {
  /** For each group of settings, the texts by the name of the expression. */
  readonly texts: readonly ReadonlyMap<string, string>[]
  readonly dataType: string
  readonly objects: readonly UsedObject[]
}

interface ResolvedRow {
  readonly bodies: Record<string, string>
  readonly dataType: string
  readonly objects: readonly UsedObject[]
}

async function resolveExpressions(
  sql: Sql,
  rollout: Rollout,
  table: Table,
  expressions: readonly SourceExpression[],
): Promise<ResolvedTexts | { readonly refused: string }> {
  const columns = readableColumns(rollout, table)
  const { dataType } = rollout.discriminator
  const probes = expressions.map((expression): NameProbe => {
    const reads = parseExpression(expression.text).columns
    return {
      ...expression,
      columns: columns.filter(({ name }) => reads.includes(name)),
      statement:
        expression.returns === 'boolean' ? conditionStatement(expression.text) : valueStatement(expression.text),
    }
  })
  // The types of all columns whose values the agent compares, casts or writes.
  const typeNames = new Set([dataType, ...[...columns, ...table.key].map(({ type }) => type)])
  const types = [...typeNames].map((type, i): NameProbe => ({
    name: `type_${i}`,
    returns: 'boolean',
    columns: [{ name: '~value', type }],
    statement: 'select true',
  }))
  const texts: ReadonlyMap<string, string>[] = []
  let row: ResolvedRow | undefined
  for (const settings of SESSION_SETTINGS) {
    const result = await dryRun(sql, [
      `set local search_path = ${rollout.nameSearchPath}`,
      settings,
      ...[...types, ...probes].map(createProbeSql),
      `create temporary view "~sti_type" as select null::${dataType} as value`,
      OUTPUT_SETTINGS,
      `select ${PROBE_BODIES_SQL} as bodies,
        (select format_type(atttypid, atttypmod) from pg_attribute where attrelid = 'pg_temp."~sti_type"'::regclass and attnum = 1) as "dataType",
        (select coalesce(jsonb_agg(to_jsonb(used)), '[]') from (${usedObjectsSql(rollout.table)}) used) as objects`,
    ])
    if ('refused' in result) return { refused: result.refused }
    row = result.rows[0] as unknown as ResolvedRow
    const { bodies } = row
    texts.push(new Map(expressions.map(({ name }) => [name, expressionOf(bodies[name]!)])))
  }
  return { texts, dataType: row!.dataType, objects: row!.objects }
}

function refusalFault(rollout: Rollout, { label, path }: SourceExpression, { refused }: { refused: string }): string {
  return `${label} is refused by PostgreSQL: ${refused}. Correct it (${rollout.locate(path)}).`
}

function sessionFaults(rollout: Rollout, expressions: readonly SourceExpression[], { texts }: ResolvedTexts): string[] {
  return expressions
    .filter(({ name }) => new Set(texts.map((one) => one.get(name))).size > 1)
    .map(
      ({ label, path }) =>
        `${label} has a constant that depends on the session or the current time, such as "now" or a time without a zone. Write it in full, as in '2026-01-31 00:00+00' (${rollout.locate(path)}).`,
    )
}

function objectFaults(
  rollout: Rollout,
  expressions: readonly SourceExpression[],
  objects: readonly UsedObject[],
): string[] {
  return objects.flatMap((object) => {
    const fault = objectFault(object)
    if (fault === null) return []
    const expression = expressions.find(({ name }) => object.probes.includes(name))
    const subject = expression?.label ?? 'The table'
    return [`${subject} ${fault} (${rollout.locate(expression?.path ?? ['table'])}).`]
  })
}
