import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileRestoreValue } from './restoreValue.ts'
import { crossFieldFaults } from './crossFieldFaults.ts'
import { derivationHash } from './derivation.ts'
import { faultLines, readYaml, type YamlFile } from './yamlFile.ts'
import { parseExpression, parseResolvedExpression, qualifyColumns } from './expression.ts'
import { losesWrites, RolloutSchema, type RestoreEntry, type RolloutFile } from './rolloutFile.ts'
import { quoteLiteral, parseDataType, parseName, parseTableName, quoteIdentifier } from './identifiers.ts'
import type { NameResolution, RestoreValue, Rollout } from './rollout.ts'
import { childName, NO_TABLE, type RolloutGroup } from './rolloutGroup.ts'
import { singleTable, type TableSelection } from './tableSelection.ts'

/** Invalid rollout files. `faults` has one line per fault: `file:line:column`, the fault, and what to do. */
export class RolloutFileError extends Error {
  readonly code = 'rollout-faults'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** The rollouts of a folder: those with one table, and those with several. */
export interface LoadedRollouts {
  readonly rollouts: readonly Rollout[]
  readonly groups: readonly RolloutGroup[]
}

/**
 * Reads every `*.yaml` and `*.yml` file of a folder, each with one table.
 *
 * @throws RolloutFileError with the faults of all files, and for a file with several tables
 */
export async function loadRollouts(folder: string): Promise<readonly Rollout[]> {
  const { rollouts, groups } = await loadRolloutsAndGroups(folder)
  if (groups.length > 0) throw new RolloutFileError(groups.map(groupFault))
  return rollouts
}

/**
 * Reads every `*.yaml` and `*.yml` file of a folder.
 *
 * @throws RolloutFileError with the faults of all files
 */
export async function loadRolloutsAndGroups(folder: string): Promise<LoadedRollouts> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter((name) => /\.ya?ml$/i.test(name)).sort()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new RolloutFileError([
      `Cannot read the rollout folder ${folder} (${code}). Create it or configure another one.`,
    ])
  }
  const results = await Promise.all(names.map((name) => loadFile(join(folder, name))))
  const rollouts = results.flatMap((result) => result.rollout ?? [])
  const groups = results.flatMap((result) => result.group ?? [])
  const faults = [
    ...results.flatMap((result) => result.faults),
    ...duplicateFaults([...rollouts, ...groups.map((group) => group.rollout)]),
  ]
  if (faults.length > 0) throw new RolloutFileError(faults)
  return { rollouts, groups }
}

const groupFault = ({ locate }: RolloutGroup): string =>
  `${locate(['table'])} table names several tables. Here, each file has one table.`

/** @throws RolloutFileError */
export async function loadRolloutOrGroup(path: string): Promise<Rollout | RolloutGroup> {
  const { rollout, group, faults } = await loadFile(path)
  const result = rollout ?? group
  if (result === undefined) throw new RolloutFileError(faults)
  return result
}

interface CompileResult {
  readonly rollout?: Rollout
  /** Instead of `rollout`, if the file names several tables. */
  readonly group?: RolloutGroup
  readonly faults: readonly string[]
}

async function loadFile(path: string): Promise<CompileResult> {
  try {
    return compileRollout(path, await readFile(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    return { faults: [`Cannot read ${path} (${code}). Grant the agent read access, or remove the file.`] }
  }
}

const MAX_FILE_BYTES = 1_000_000

/** Checks the text of a rollout file without a database, and compiles it. */
export function compileRollout(path: string, text: string): CompileResult {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES)
    return { faults: [`${path}:1:1 the file is larger than 1 MB. Shorten it.`] }
  const yaml = readYaml(path, text)
  if (yaml.faults.length > 0) return { faults: yaml.faults }
  const parsed = RolloutSchema.safeParse(yaml.value)
  const faults = [...(parsed.success ? [] : faultLines(yaml, parsed.error.issues)), ...crossFieldFaults(yaml)]
  if (!parsed.success || faults.length > 0) return { faults: faults.sort(byLocation) }
  const automaticRollback = parsed.data.automaticRollback ?? (losesWrites(parsed.data) ? [] : ['flag' as const])
  const file = { ...parsed.data, automaticRollback }
  const table = singleTable(file.table)
  return table === null
    ? { group: toGroup(path, text, file, yaml), faults }
    : { rollout: toRollout(path, text, { ...file, table }, yaml), faults }
}

function toGroup(
  path: string,
  text: string,
  { table: tables, ...file }: Omit<RolloutFile, 'table'> & { readonly table: TableSelection },
  { locate }: YamlFile,
): RolloutGroup {
  const rollout = toRollout(path, text, { ...file, table: NO_TABLE }, { locate })
  return Object.freeze<RolloutGroup>({
    name: file.rollout,
    derivationHash: rollout.derivationHash,
    rollout,
    path,
    text,
    hash: hashText(text),
    file,
    tables,
    locate,
    child(table) {
      const name = childName(file.rollout, table)
      return toRollout(path, text, { ...file, rollout: name, table: table.sql }, { locate })
    },
  })
}

const hashText = (text: string): string => createHash('sha256').update(text).digest('hex')

function byLocation(a: string, b: string): number {
  const lineAndColumn = (line: string): number[] => (/:(\d+):(\d+) /.exec(line) ?? []).slice(1).map(Number)
  const [[aLine = 0, aColumn = 0], [bLine = 0, bColumn = 0]] = [lineAndColumn(a), lineAndColumn(b)]
  return aLine - bLine || aColumn - bColumn
}

function toRollout(path: string, text: string, file: RolloutFile, { locate }: Pick<YamlFile, 'locate'>): Rollout {
  const table = parseTableName(file.table)
  const allTypes = [...file.types, ...(file.otherwise ? [file.otherwise] : [])]
  const restores = allTypes.map(({ restore }) =>
    restore === undefined || restore === 'none'
      ? null
      : new Map(Object.entries(restore).map(([key, entry]) => [parseName(key), entry])),
  )
  const source: ExpressionSource = {
    dataType: parseDataType(file.discriminator.dataType),
    conditions: file.types.map(({ when }) => when),
    restores,
  }
  const fixed: Omit<Rollout, keyof CompiledExpressions> = {
    name: file.rollout,
    path,
    text,
    hash: hashText(text),
    derivationHash: derivationHash(file),
    file,
    table,
    types: allTypes.map((type) => type.name),
    legacyColumns: file.legacyColumns.map(parseName),
    permanentColumns: file.permanentColumns.map(parseName),
    mayBeUnmapped: file.otherwise === undefined,
    typesWithoutRestore: allTypes.map((type) => type.name).filter((_, i) => restores[i] === null),
    declaredTriggers: new Map(Object.entries(file.triggers).map(([key, behavior]) => [parseName(key), behavior])),
    nameSearchPath: [
      'pg_catalog',
      ...(table.schema === 'public' ? [] : [quoteIdentifier(table.schema)]),
      'public',
      'pg_temp',
    ].join(', '),
    locate,
  }
  return Object.freeze<Rollout>({ ...fixed, ...compileExpressions(file, source, null) })
}

type CompiledExpressions = Pick<
  Rollout,
  | 'discriminator'
  | 'derive'
  | 'caseByType'
  | 'conditionColumns'
  | 'conditions'
  | 'restoreValues'
  | 'resolution'
  | 'withResolution'
>

/** Composes the SQL of a rollout file from its expressions, as they are written or as PostgreSQL resolved their names. */
function compileExpressions(
  file: RolloutFile,
  { dataType, conditions, restores }: ExpressionSource,
  resolution: NameResolution | null,
): CompiledExpressions {
  const column = parseName(file.discriminator.column)
  const whens = file.types.map((type, i) => ({
    value: `${quoteLiteral(type.name)}::${dataType}`,
    when: resolution === null ? parseExpression(conditions[i]!) : parseResolvedExpression(conditions[i]!),
  }))
  const otherwise = file.otherwise ? ` else ${quoteLiteral(file.otherwise.name)}::${dataType}` : ''
  const typeNames = [...file.types, ...(file.otherwise ? [file.otherwise] : [])].map((type) => type.name)
  const parse = resolution === null ? parseExpression : parseResolvedExpression
  const compiledRestores = restores.map(
    (restore) =>
      restore &&
      new Map(
        [...restore].map(([name, entry]): [string, RestoreValue] => [name, compileRestoreValue(name, entry, parse)]),
      ),
  )
  return {
    discriminator: { column, sql: quoteIdentifier(column), dataType },
    derive(row) {
      const branches = whens.map(({ when, value }) => `when ${qualifyColumns(when, row)} then ${value}`)
      return `case ${branches.join(' ')}${otherwise} end`
    },
    caseByType(row, values, none) {
      const branches = whens.map(({ when }, i) => `when ${qualifyColumns(when, row)} then ${values[i]}`)
      return `case ${branches.join(' ')} else ${file.otherwise ? values[whens.length] : none} end`
    },
    conditions,
    conditionColumns: [...new Set(whens.flatMap(({ when }) => when.columns))],
    restoreValues(type) {
      const restore = compiledRestores[typeNames.indexOf(type)]
      if (restore === undefined) throw new Error(`rollout ${file.rollout} has no type ${type}`)
      return restore
    },
    resolution,
    withResolution(this: Rollout, resolved) {
      const source: ExpressionSource = {
        ...resolved,
        restores: resolved.restores.map((restore) => restore && new Map(Object.entries(restore))),
      }
      return Object.freeze<Rollout>({ ...this, ...compileExpressions(file, source, resolved) })
    },
  }
}

/** The expressions of a rollout file, for each of its types in order. */
interface ExpressionSource {
  readonly dataType: string
  readonly conditions: readonly string[]
  readonly restores: readonly (ReadonlyMap<string, RestoreEntry> | null)[]
}

/** Tables, rollout names and flag keys have to be unique among all files. */
function duplicateFaults(rollouts: readonly Rollout[]): string[] {
  const findDuplicates = (label: string, path: string[], keyOf: (rollout: Rollout) => string): string[] =>
    rollouts.flatMap((rollout, i) => {
      const first = rollouts.findIndex((other) => keyOf(other) === keyOf(rollout))
      return first < i
        ? [
            `${rollout.locate(path)} ${label} is already used in ${rollouts[first]!.path}. Change one of them, or remove one file.`,
          ]
        : []
    })
  return [
    ...findDuplicates('this rollout’s name', ['rollout'], (rollout) => rollout.name),
    ...findDuplicates('this table', ['table'], ({ name, table }) =>
      table.sql === parseTableName(NO_TABLE).sql ? name : table.sql,
    ),
    ...findDuplicates('this flag key', ['flag', 'key'], (rollout) => rollout.file.flag.key),
  ]
}
