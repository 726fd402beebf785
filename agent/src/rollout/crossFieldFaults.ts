import type { z } from 'zod'
import { parseExpression } from './expression.ts'
import { losesWrites, RolloutSchema, RolloutTypeSchema, type RestoreEntry } from './rolloutFile.ts'
import { parseName } from './identifiers.ts'
import { nearestMatch } from './nearestMatch.ts'
import { formatPath, type YamlPath, type YamlFile } from './yamlFile.ts'

/**
 * Faults between several keys of a file. Uses only the keys that are valid on their own, so that these faults are reported
 * together with those of the schema.
 */
export function crossFieldFaults(file: YamlFile): string[] {
  const parts = validParts(file.value)
  const faults: string[] = []
  const add = (path: YamlPath, message: string): void =>
    void faults.push(`${file.locate(path)} ${formatPath(path)} ${message}`)
  columnFaults(parts, add)
  typeFaults(parts, add)
  restoreFaults(parts, add)
  prefillFaults(parts, add)
  listFaults(parts, add)
  throttleFaults(parts, add)
  return faults
}

type AddFault = (path: YamlPath, message: string) => void
type RolloutFileKeys = z.output<typeof RolloutSchema>

/** The valid keys of one type. */
interface TypeEntry {
  readonly name?: string
  readonly when?: string
  /** False: invalid. */
  readonly restore?: Record<string, RestoreEntry> | 'none' | false
}

/** Every valid key of the file, and the valid keys of each type. */
interface ValidParts extends Partial<Omit<RolloutFileKeys, 'types' | 'otherwise'>> {
  readonly types: readonly TypeEntry[]
  readonly otherwise?: TypeEntry
}

function validParts(value: unknown): ValidParts {
  const source = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const validEntries = Object.entries(RolloutSchema.shape).flatMap(([key, schema]) => {
    const parsed = schema.safeParse(source[key])
    return parsed.success ? [[key, parsed.data] as const] : []
  })
  const types = Array.isArray(source['types']) ? source['types'].map(toTypeEntry) : []
  const otherwise = source['otherwise'] === undefined ? undefined : toTypeEntry(source['otherwise'])
  return { ...(Object.fromEntries(validEntries) as Partial<RolloutFileKeys>), types, otherwise }
}

function toTypeEntry(value: unknown): TypeEntry {
  const raw = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const { name, when, restore } = RolloutTypeSchema.shape
  const parsed = restore.safeParse(raw['restore'])
  return {
    name: name.safeParse(raw['name']).data,
    when: when.safeParse(raw['when']).data,
    restore: parsed.success ? parsed.data : false,
  }
}

function columnFaults(parts: ValidParts, add: AddFault): void {
  const { legacyColumns, permanentColumns, discriminator, types, otherwise } = parts
  if (!legacyColumns || !permanentColumns) return
  const [legacy, permanent] = [legacyColumns.map(parseName), permanentColumns.map(parseName)]
  for (const [key, columns] of [
    ['legacyColumns', legacy],
    ['permanentColumns', permanent],
  ] as const) {
    duplicateIndexes(columns).forEach((i) => add([key, i], `repeats ${columns[i]}. Remove it.`))
    const own = discriminator ? columns.indexOf(parseName(discriminator.column)) : -1
    if (own !== -1) add([key, own], 'is the discriminator, which is derived from the legacy columns. Remove it.')
  }
  permanent.forEach((column, i) => {
    if (legacy.includes(column))
      add(
        ['permanentColumns', i],
        'is also in legacyColumns, which are dropped at the end. Remove it from one of them.',
      )
  })
  const columns = [...legacy, ...permanent]
  const checkReads = (path: YamlPath, expression: string): void => {
    for (const column of parseExpression(expression).columns.filter((column) => !columns.includes(column))) {
      const suggestion = nearestMatch(column, columns)
      add(
        path,
        `reads ${column}, which is not in legacyColumns. ${suggestion ? `Did you mean ${suggestion}? Otherwise add it there` : 'Add it there'}, or to permanentColumns if it stays.`,
      )
    }
  }
  types.forEach((type, i) => {
    if (type.when !== undefined) checkReads(['types', i, 'when'], type.when)
    restoreExpressions(type).forEach(([key, sql]) => checkReads(['types', i, 'restore', key, 'sql'], sql))
  })
  if (otherwise)
    restoreExpressions(otherwise).forEach(([key, sql]) => checkReads(['otherwise', 'restore', key, 'sql'], sql))
}

/** The expressions of a `restore`, by their key. */
function restoreExpressions({ restore }: TypeEntry): [string, string][] {
  if (restore === undefined || restore === 'none' || restore === false) return []
  return Object.entries(restore).flatMap(([key, entry]): [string, string][] =>
    typeof entry !== 'string' ? [[key, entry.sql]] : [],
  )
}

function typeFaults({ types, otherwise, constraint }: ValidParts, add: AddFault): void {
  const names = [...types.map((type) => type.name), otherwise?.name]
  duplicateIndexes(names).forEach((i) =>
    add(
      i < types.length ? ['types', i, 'name'] : ['otherwise', 'name'],
      `repeats ${names[i]}. Combine the two expressions with or.`,
    ),
  )
  if (constraint === 'notNull' && otherwise === undefined) {
    add(['constraint'], 'cannot be notNull, since a row that no type matches gets NULL. Add otherwise, or use check.')
  }
}

function restoreFaults(parts: ValidParts, add: AddFault): void {
  const none = parts.restore === 'none'
  const loses = losesWrites({ restore: parts.restore, types: parts.types, otherwise: parts.otherwise })
  if (parts.acceptLostWrites && !loses) add(['acceptLostWrites'], 'requires restore: none. Remove it.')
  if (loses && parts.automaticRollback && parts.automaticRollback.length > 0) {
    add(['automaticRollback'], 'must be [] with restore: none, since turning the flag off loses writes.')
  }
  const columns = parts.legacyColumns?.map(parseName)
  const permanent = parts.permanentColumns?.map(parseName)
  const reads = new Set(
    parts.types.flatMap((type) => (type.when === undefined ? [] : parseExpression(type.when).columns)),
  )
  const checkRestore = (path: YamlPath, restore: TypeEntry['restore']): void => {
    if (none) {
      if (restore !== undefined) add([...path, 'restore'], 'conflicts with restore: none. Remove one of them.')
      return
    }
    if (restore === false || restore === 'none') return
    if (restore === undefined) {
      return add(
        path,
        'has no restore. Add the legacy columns’ values for this type, or set restore: none for the type or the file.',
      )
    }
    const named = new Set<string>()
    for (const key of Object.keys(restore)) {
      const column = tryParseName(key)
      if (column === null) add([...path, 'restore', key], 'is not a column name. Write it as in SQL.')
      else if (named.has(column)) add([...path, 'restore', key], `repeats ${column}. Remove it.`)
      else if (permanent?.includes(column)) {
        add(
          [...path, 'restore', key],
          'is in permanentColumns, which are never restored. Remove it here, or move it to legacyColumns.',
        )
      } else if (columns && !columns.includes(column)) {
        const suggestion = nearestMatch(column, columns)
        add(
          [...path, 'restore', key],
          `is not in legacyColumns. ${suggestion ? `Did you mean ${suggestion}? Otherwise add it there.` : 'Add it there.'}`,
        )
      }
      named.add(column ?? key)
    }
    const missing = [...reads].filter((column) => !named.has(column) && columns?.includes(column))
    if (missing.length > 0)
      add(
        [...path, 'restore'],
        `has no value for ${missing.join(', ')}, which a when reads. Add a constant, keep, or { sql: … }.`,
      )
  }
  parts.types.forEach((type, i) => checkRestore(['types', i], type.restore))
  if (parts.otherwise) checkRestore(['otherwise'], parts.otherwise.restore)
}

/** A prefilled row is only correct if nothing but the trigger and the backfill writes types, and if no subscriber exists. */
function prefillFaults({ prefill, dualWrite, publication }: ValidParts, add: AddFault): void {
  if (prefill !== 'majority') return
  if (dualWrite === 'application') {
    add(
      ['prefill'],
      'cannot be majority with dualWrite: application, which writes types while rows still hold the constant. Use dualWrite: trigger, or remove prefill.',
    )
  }
  if (publication === 'subscriber-ready') {
    add(
      ['prefill'],
      'cannot be majority with publication: subscriber-ready, since subscribers never receive a constant of the catalog. Remove prefill.',
    )
  }
}

function listFaults({ triggers = {}, checks = [], signals = [], contacts = [] }: ValidParts, add: AddFault): void {
  for (const key of Object.keys(triggers)) {
    if (tryParseName(key) === null) add(['triggers', key], 'is not a trigger name. Write it as in SQL.')
  }
  for (const [key, names] of [
    ['checks', checks.map((check) => check.name)],
    ['signals', signals.map((signal) => signal.name)],
  ] as const) {
    duplicateIndexes(names).forEach((i) => add([key, i, 'name'], 'is already used. Choose another name.'))
  }
  duplicateIndexes(contacts.map((contact) => contact.role)).forEach((i) =>
    add(['contacts', i, 'role'], 'is already used by another contact. Choose another role.'),
  )
  contacts.forEach((contact, i) => {
    if (i > 0 && contact.escalateAfter <= contacts[i - 1]!.escalateAfter) {
      add(
        ['contacts', i, 'escalateAfter'],
        'must be later than that of the previous contact. List the contacts in the order of escalation.',
      )
    }
  })
}

function throttleFaults({ throttle = {}, signals = [], api }: ValidParts, add: AddFault): void {
  const names = signals.map((signal) => signal.name)
  for (const signal of Object.keys(throttle.signals ?? {})) {
    if (names.includes(signal)) continue
    add(['throttle', 'signals', signal], `does not match an entry of signals. Entries: ${names.join(', ') || 'none'}.`)
  }
  if (throttle.apiLatencyP95Seconds !== undefined && throttle.apiLatencyP95Seconds !== 'none' && api === undefined)
    add(['throttle', 'apiLatencyP95Seconds'], 'requires api, which defines where the latency is read.')
}

function tryParseName(text: string): string | null {
  try {
    return parseName(text)
  } catch {
    return null
  }
}

/** The indexes of repeated values; undefined is ignored. */
function duplicateIndexes(values: readonly (string | undefined)[]): number[] {
  return values.flatMap((value, i) => (value !== undefined && values.indexOf(value) < i ? [i] : []))
}
