import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { consistencyFaults } from './consistency.ts'
import { faultLines, readYaml, type YamlFile } from './document.ts'
import { parseExpression, qualify } from './expression.ts'
import { RolloutSchema, type RolloutFile } from './file.ts'
import { literal, parseDataType, parseName, parseTableName, quote } from './names.ts'
import type { Rollout } from './rollout.ts'

/** Rollout files that cannot be used. `faults` has a line `file:line:column what is wrong: what to do` for each fault. */
export class RolloutFaults extends Error {
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
    throw new RolloutFaults([
      `${folder}: the folder of rollout files cannot be read (${why}): create it or name another`,
    ])
  }
  const results = await Promise.all(names.map((name) => attempt(join(folder, name))))
  const rollouts = results.flatMap((result) => result.rollout ?? [])
  const faults = [...results.flatMap((result) => result.faults), ...sharedFaults(rollouts)]
  if (faults.length > 0) throw new RolloutFaults(faults)
  return rollouts
}

/** Reads one rollout file. Throws RolloutFaults. */
export async function loadRollout(path: string): Promise<Rollout> {
  const { rollout, faults } = await attempt(path)
  if (!rollout) throw new RolloutFaults(faults)
  return rollout
}

interface Attempt {
  readonly rollout?: Rollout
  readonly faults: readonly string[]
}

async function attempt(path: string): Promise<Attempt> {
  try {
    return compile(path, await readFile(path, 'utf8'))
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code
    if (why === undefined) throw error
    return { faults: [`${path}: cannot be read (${why}): give the agent the right to read it, or remove it`] }
  }
}

const MAXIMUM_BYTES = 1_000_000

/** Checks the text of a rollout file as far as it can be without a database, and compiles it. */
export function compile(path: string, text: string): Attempt {
  if (Buffer.byteLength(text) > MAXIMUM_BYTES) return { faults: [`${path}:1:1 is larger than 1 MB: shorten it`] }
  const yaml = readYaml(path, text)
  if (yaml.faults.length > 0) return { faults: yaml.faults }
  const parsed = RolloutSchema.safeParse(yaml.value)
  const faults = [...(parsed.success ? [] : faultLines(yaml, parsed.error.issues)), ...consistencyFaults(yaml)]
  if (!parsed.success || faults.length > 0) return { faults: faults.sort(byPlace) }
  const automaticRollback = parsed.data.automaticRollback ?? (parsed.data.restore === 'none' ? [] : ['flag' as const])
  return { rollout: toRollout(path, text, { ...parsed.data, automaticRollback }, yaml), faults }
}

function byPlace(a: string, b: string): number {
  const place = (line: string): number[] => (/:(\d+):(\d+) /.exec(line) ?? []).slice(1).map(Number)
  const [[aLine = 0, aColumn = 0], [bLine = 0, bColumn = 0]] = [place(a), place(b)]
  return aLine - bLine || aColumn - bColumn
}

function toRollout(path: string, text: string, file: RolloutFile, yaml: YamlFile): Rollout {
  const table = parseTableName(file.table)
  const column = parseName(file.discriminator.column)
  const dataType = parseDataType(file.discriminator.dataType)
  const whens = file.types.map((type) => ({
    value: `${literal(type.name)}::${dataType}`,
    when: parseExpression(type.when),
  }))
  const otherwise = file.otherwise ? ` else ${literal(file.otherwise.name)}::${dataType}` : ''
  const all = [...file.types, ...(file.otherwise ? [file.otherwise] : [])]
  const restores = new Map(
    all.map((type) => [
      type.name,
      type.restore ? new Map(Object.entries(type.restore).map(([key, sql]) => [parseName(key), sql])) : null,
    ]),
  )
  const schemas = [...new Set(['pg_catalog', quote(table.schema), 'public', 'pg_temp'])]
  return Object.freeze<Rollout>({
    name: file.rollout,
    path,
    text,
    hash: createHash('sha256').update(text).digest('hex'),
    file,
    table,
    discriminator: { column, sql: quote(column), dataType },
    types: all.map((type) => type.name),
    legacyColumns: file.legacyColumns.map(parseName),
    mayBeUnmapped: file.otherwise === undefined,
    derive(qualifier) {
      const branches = whens.map(({ when, value }) => `when ${qualify(when, qualifier)} then ${value}`)
      return `case ${branches.join(' ')}${otherwise} end`
    },
    choose(qualifier, values, none) {
      const branches = whens.map(({ when }, i) => `when ${qualify(when, qualifier)} then ${values[i]}`)
      return `case ${branches.join(' ')} else ${file.otherwise ? values[whens.length] : none} end`
    },
    reads: [...new Set(whens.flatMap(({ when }) => when.columns))],
    restoreOf(type) {
      const restore = restores.get(type)
      if (restore === undefined) throw new Error(`rollout ${file.rollout} has no type ${type}`)
      return restore
    },
    declaredTriggers: new Map(Object.entries(file.triggers).map(([key, what]) => [parseName(key), what])),
    searchPath: schemas.filter((schema) => schema !== '"public"').join(', '),
    place: yaml.place,
  })
}

/** One rollout per table, and names and flag keys that occur once among all files. */
function sharedFaults(rollouts: readonly Rollout[]): string[] {
  const twice = (what: string, path: string[], of: (rollout: Rollout) => string): string[] =>
    rollouts.flatMap((rollout, i) => {
      const first = rollouts.findIndex((other) => of(other) === of(rollout))
      return first < i ? [`${rollout.place(path)} ${what} is in ${rollouts[first]!.path} too: ${UNIQUE}`] : []
    })
  return [
    ...twice('this rollout’s name', ['rollout'], (rollout) => rollout.name),
    ...twice('this table', ['table'], (rollout) => rollout.table.sql),
    ...twice('this flag key', ['flag', 'key'], (rollout) => rollout.file.flag.key),
  ]
}

const UNIQUE = 'change one of them, or remove one file'
