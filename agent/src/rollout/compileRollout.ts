import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crossFieldFaults } from './crossFieldFaults.ts'
import { faultLines, readYaml, type YamlFile } from './yamlFile.ts'
import { parseExpression, qualifyColumns } from './expression.ts'
import { RolloutSchema, type RolloutFile } from './rolloutFile.ts'
import { quoteLiteral, parseDataType, parseName, parseTableName, quoteIdentifier } from './identifiers.ts'
import type { Rollout } from './rollout.ts'

/** Rollout files that cannot be used. `faults` has a line `file:line:column what is wrong: what to do` for each fault. */
export class RolloutFileError extends Error {
  readonly code = 'rollout-faults'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

/** Reads every `*.yaml` and `*.yml` of a folder. Throws one RolloutFaults with the faults of all of them. */
export async function loadRollouts(folder: string): Promise<Rollout[]> {
  let names: string[]
  try {
    names = (await readdir(folder)).filter((name) => /\.ya?ml$/i.test(name)).sort()
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new RolloutFileError([
      `${folder}: the folder of rollout files cannot be read (${why}): create it or name another`,
    ])
  }
  const results = await Promise.all(names.map((name) => loadFile(join(folder, name))))
  const rollouts = results.flatMap((result) => result.rollout ?? [])
  const faults = [...results.flatMap((result) => result.faults), ...duplicateFaults(rollouts)]
  if (faults.length > 0) throw new RolloutFileError(faults)
  return rollouts
}

/** Reads one rollout file. Throws RolloutFaults. */
export async function loadRollout(path: string): Promise<Rollout> {
  const { rollout, faults } = await loadFile(path)
  if (!rollout) throw new RolloutFileError(faults)
  return rollout
}

interface CompileResult {
  readonly rollout?: Rollout
  readonly faults: readonly string[]
}

async function loadFile(path: string): Promise<CompileResult> {
  try {
    return compileRollout(path, await readFile(path, 'utf8'))
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    if (why === undefined) throw error
    return { faults: [`${path}: cannot be read (${why}): give the agent the right to read it, or remove it`] }
  }
}

const MAX_FILE_BYTES = 1_000_000

/** Checks the text of a rollout file as far as it can be without a database, and compiles it. */
export function compileRollout(path: string, text: string): CompileResult {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) return { faults: [`${path}:1:1 is larger than 1 MB: shorten it`] }
  const yaml = readYaml(path, text)
  if (yaml.faults.length > 0) return { faults: yaml.faults }
  const parsed = RolloutSchema.safeParse(yaml.value)
  const faults = [...(parsed.success ? [] : faultLines(yaml, parsed.error.issues)), ...crossFieldFaults(yaml)]
  if (!parsed.success || faults.length > 0) return { faults: faults.sort(byLocation) }
  const automaticRollback = parsed.data.automaticRollback ?? (parsed.data.restore === 'none' ? [] : ['flag' as const])
  return { rollout: toRollout(path, text, { ...parsed.data, automaticRollback }, yaml), faults }
}

function byLocation(a: string, b: string): number {
  const lineAndColumn = (line: string): number[] => (/:(\d+):(\d+) /.exec(line) ?? []).slice(1).map(Number)
  const [[aLine = 0, aColumn = 0], [bLine = 0, bColumn = 0]] = [lineAndColumn(a), lineAndColumn(b)]
  return aLine - bLine || aColumn - bColumn
}

function toRollout(path: string, text: string, file: RolloutFile, yaml: YamlFile): Rollout {
  const table = parseTableName(file.table)
  const column = parseName(file.discriminator.column)
  const dataType = parseDataType(file.discriminator.dataType)
  const whens = file.types.map((type) => ({
    value: `${quoteLiteral(type.name)}::${dataType}`,
    when: parseExpression(type.when),
  }))
  const otherwise = file.otherwise ? ` else ${quoteLiteral(file.otherwise.name)}::${dataType}` : ''
  const allTypes = [...file.types, ...(file.otherwise ? [file.otherwise] : [])]
  const restores = new Map(
    allTypes.map((type) => [
      type.name,
      type.restore ? new Map(Object.entries(type.restore).map(([key, sql]) => [parseName(key), sql])) : null,
    ]),
  )
  const schemas = [...new Set(['pg_catalog', quoteIdentifier(table.schema), 'public', 'pg_temp'])]
  return Object.freeze<Rollout>({
    name: file.rollout,
    path,
    text,
    hash: createHash('sha256').update(text).digest('hex'),
    file,
    table,
    discriminator: { column, sql: quoteIdentifier(column), dataType },
    types: allTypes.map((type) => type.name),
    legacyColumns: file.legacyColumns.map(parseName),
    mayBeUnmapped: file.otherwise === undefined,
    derive(qualifier) {
      const branches = whens.map(({ when, value }) => `when ${qualifyColumns(when, qualifier)} then ${value}`)
      return `case ${branches.join(' ')}${otherwise} end`
    },
    caseByType(qualifier, values, none) {
      const branches = whens.map(({ when }, i) => `when ${qualifyColumns(when, qualifier)} then ${values[i]}`)
      return `case ${branches.join(' ')} else ${file.otherwise ? values[whens.length] : none} end`
    },
    conditionColumns: [...new Set(whens.flatMap(({ when }) => when.columns))],
    restoreValues(type) {
      const restore = restores.get(type)
      if (restore === undefined) throw new Error(`rollout ${file.rollout} has no type ${type}`)
      return restore
    },
    declaredTriggers: new Map(Object.entries(file.triggers).map(([key, what]) => [parseName(key), what])),
    searchPath: schemas.filter((schema) => schema !== '"public"').join(', '),
    locate: yaml.locate,
  })
}

/** One rollout per table, and names and flag keys that occur once among all files. */
function duplicateFaults(rollouts: readonly Rollout[]): string[] {
  const findDuplicates = (what: string, path: string[], keyOf: (rollout: Rollout) => string): string[] =>
    rollouts.flatMap((rollout, i) => {
      const first = rollouts.findIndex((other) => keyOf(other) === keyOf(rollout))
      return first < i ? [`${rollout.locate(path)} ${what} is in ${rollouts[first]!.path} too: ${MAKE_UNIQUE}`] : []
    })
  return [
    ...findDuplicates('this rollout’s name', ['rollout'], (rollout) => rollout.name),
    ...findDuplicates('this table', ['table'], (rollout) => rollout.table.sql),
    ...findDuplicates('this flag key', ['flag', 'key'], (rollout) => rollout.file.flag.key),
  ]
}

const MAKE_UNIQUE = 'change one of them, or remove one file'
