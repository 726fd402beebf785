import type { z } from 'zod'
import { parseExpression } from './expression.ts'
import { RolloutSchema, RolloutTypeSchema } from './rolloutFile.ts'
import { parseName } from './identifiers.ts'
import { nearestMatch } from './nearestMatch.ts'
import { formatPath, type YamlPath, type YamlFile } from './yamlFile.ts'

/**
 * What one key of a file cannot see of another. Works on the keys that are right by themselves, so that these faults
 * are reported together with those of the schema.
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

/** A type of the file: those of its keys that are right by themselves. */
interface TypeEntry {
  readonly name?: string
  readonly when?: string
  /** False: the key is there, and faulty. */
  readonly restore?: Record<string, string> | false
}

/** Each key that is right by itself, and of the types what is right of each. */
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

function columnFaults({ legacyColumns, discriminator, types }: ValidParts, add: AddFault): void {
  if (!legacyColumns) return
  const columns = legacyColumns.map(parseName)
  duplicateIndexes(columns).forEach((i) => add(['legacyColumns', i], `names ${columns[i]} again: remove it`))
  const own = discriminator ? columns.indexOf(parseName(discriminator.column)) : -1
  if (own !== -1) add(['legacyColumns', own], 'is the discriminator, which is derived from the others: remove it')
  types.forEach((type, i) => {
    const reads = type.when === undefined ? [] : parseExpression(type.when).columns
    for (const column of reads.filter((column) => !columns.includes(column))) {
      const suggestion = nearestMatch(column, columns)
      add(
        ['types', i, 'when'],
        `reads ${column}, which is not in legacyColumns: ${suggestion ? `did you mean ${suggestion}, or ` : ''}add it there`,
      )
    }
  })
}

function typeFaults({ types, otherwise, constraint }: ValidParts, add: AddFault): void {
  const names = [...types.map((type) => type.name), otherwise?.name]
  duplicateIndexes(names).forEach((i) =>
    add(
      i < types.length ? ['types', i, 'name'] : ['otherwise', 'name'],
      `names ${names[i]} again: join the two with or`,
    ),
  )
  if (constraint === 'notNull' && otherwise === undefined) {
    add(['constraint'], 'cannot be notNull, since a row that no type matches gets NULL: add otherwise, or use check')
  }
}

function restoreFaults(parts: ValidParts, add: AddFault): void {
  const none = parts.restore === 'none'
  if (parts.acceptLostWrites && !none) add(['acceptLostWrites'], 'is of use only with restore: none: remove it')
  if (none && parts.automaticRollback && parts.automaticRollback.length > 0) {
    add(['automaticRollback'], 'must be [] with restore: none, since turning the flag off loses writes: empty it')
  }
  const columns = parts.legacyColumns?.map(parseName)
  const reads = new Set(
    parts.types.flatMap((type) => (type.when === undefined ? [] : parseExpression(type.when).columns)),
  )
  const checkRestore = (path: YamlPath, restore: TypeEntry['restore']): void => {
    if (none) {
      if (restore !== undefined) add([...path, 'restore'], 'contradicts restore: none: remove one of them')
      return
    }
    if (restore === false) return
    if (restore === undefined) {
      return add(
        path,
        'has no restore: say what each legacy column is for this type, or write restore: none for the file',
      )
    }
    const named = new Set<string>()
    for (const key of Object.keys(restore)) {
      const column = tryParseName(key)
      if (column === null) add([...path, 'restore', key], 'is not a column’s name: write it as in SQL')
      else if (named.has(column)) add([...path, 'restore', key], `names ${column} again: remove it`)
      else if (columns && !columns.includes(column)) {
        const suggestion = nearestMatch(column, columns)
        add(
          [...path, 'restore', key],
          `is not in legacyColumns: ${suggestion ? `did you mean ${suggestion}, or ` : ''}add it there`,
        )
      }
      named.add(column ?? key)
    }
    const missing = [...reads].filter((column) => !named.has(column) && columns?.includes(column))
    if (missing.length > 0) add([...path, 'restore'], `leaves out ${missing.join(', ')}, which a when reads: add it`)
  }
  parts.types.forEach((type, i) => checkRestore(['types', i], type.restore))
  if (parts.otherwise) checkRestore(['otherwise'], parts.otherwise.restore)
}

/** A prefilled row is right only once nobody but the trigger and the backfill has written it, and was never sent on. */
function prefillFaults({ prefill, dualWrite, publication }: ValidParts, add: AddFault): void {
  if (prefill !== 'majority') return
  if (dualWrite === 'application') {
    add(
      ['prefill'],
      'cannot be majority with dualWrite: application, which writes the type while rows still hold the constant: use dualWrite: trigger, or remove prefill',
    )
  }
  if (publication === 'subscriber-ready') {
    add(
      ['prefill'],
      'cannot be majority with publication: subscriber-ready, since a constant is in the catalog and subscribers never receive it: remove prefill',
    )
  }
}

function listFaults({ triggers = {}, checks = [], signals = [], contacts = [] }: ValidParts, add: AddFault): void {
  for (const key of Object.keys(triggers)) {
    if (tryParseName(key) === null) add(['triggers', key], 'is not a trigger’s name: write it as in SQL')
  }
  for (const [key, names] of [
    ['checks', checks.map((check) => check.name)],
    ['signals', signals.map((signal) => signal.name)],
  ] as const) {
    duplicateIndexes(names).forEach((i) => add([key, i, 'name'], `is the name of another one too: choose another`))
  }
  duplicateIndexes(contacts.map((contact) => contact.role)).forEach((i) =>
    add(['contacts', i, 'role'], 'is the role of another contact too: choose another'),
  )
  contacts.forEach((contact, i) => {
    if (i > 0 && contact.escalateAfter <= contacts[i - 1]!.escalateAfter) {
      add(
        ['contacts', i, 'escalateAfter'],
        'is not later than that of the contact before: list them in the order of escalation',
      )
    }
  })
}

function throttleFaults({ throttle = {}, signals = [], api }: ValidParts, add: AddFault): void {
  const names = signals.map((signal) => signal.name)
  for (const signal of Object.keys(throttle.signals ?? {})) {
    if (names.includes(signal)) continue
    add(['throttle', 'signals', signal], `names no entry of signals: ${names.join(', ') || 'there is none'}`)
  }
  if (throttle.apiLatencyP95Seconds !== undefined && throttle.apiLatencyP95Seconds !== 'none' && api === undefined)
    add(['throttle', 'apiLatencyP95Seconds'], 'needs api, which says where the latency is read')
}

function tryParseName(text: string): string | null {
  try {
    return parseName(text)
  } catch {
    return null
  }
}

/** The places of values that stood before; undefined is no value. */
function duplicateIndexes(values: readonly (string | undefined)[]): number[] {
  return values.flatMap((value, i) => (value !== undefined && values.indexOf(value) < i ? [i] : []))
}
