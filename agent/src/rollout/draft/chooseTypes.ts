import { writeName } from '../identifiers.ts'
import type { DraftColumn, DraftInput, ValueCount } from './readDraftInput.ts'

/** The types of a draft. Values of `restore` are as in a rollout file: SQL constants, or `keep`. */
export interface DraftTypes {
  readonly legacyColumns: readonly string[]
  readonly types: readonly DraftType[]
  readonly otherwise: Omit<DraftType, 'when'>
  /** What a person must decide, one sentence each. */
  readonly decisions: readonly string[]
}

export interface DraftType {
  readonly name: string
  readonly when: string
  readonly restore: Readonly<Record<string, string>>
}

/** No column, or none of the named ones, can decide a type; the message says what to name. */
export class NoTypesError extends Error {
  readonly code = 'no-types'
}

const TYPE_NAMES = /(^|_)(type|kind|class|category|role|variant|species|rating)$/i
/** A column that nobody named is a list of types only with this many values at most. */
const MAX_GUESSED_VALUES = 12

/**
 * Derives types from the columns that `named` lists, or else from the likeliest ones: booleans that exclude each other, a
 * column such as `kind`, foreign keys that exclude each other, an enum, a column of few values.
 *
 * @throws NoTypesError
 */
export function chooseTypes(input: DraftInput, named: readonly string[]): DraftTypes {
  const chosen = named.length > 0 ? named.map((name) => findColumn(input, name)) : guessColumns(input)
  const lists = chosen.filter((column) => !isFlag(column))
  if (lists.length > 1)
    throw new NoTypesError(
      `--columns ${named.join(',')}: ${lists.map(({ written }) => written).join(' and ')} each have a list of values. Name one of them, and add the others to the draft.`,
    )
  const flags = chosen.filter(isFlag)
  if (lists.length === 0) {
    const types = typesOfFlags(input, flags)
    return { ...types, decisions: [nameOtherRows(flags, types), ...types.decisions] }
  }
  if (flags.length === 0) return typesOfValues(lists[0]!)
  return combineTypes(typesOfFlags(input, flags), typesOfValues(lists[0]!))
}

/** The column is one type of its own: where a boolean is true, or where another column is not NULL. */
const isFlag = (column: DraftColumn): boolean =>
  column.baseType === 'bool' || column.foreignKey || (column.values === null && !column.notNull)

function findColumn(input: DraftInput, name: string): DraftColumn {
  const column = input.columns.find((candidate) => candidate.name === name || candidate.written === name)
  if (column) return column
  const reason = [...input.excluded].find(([other]) => other === name || writeName(other) === name)?.[1]
  throw new NoTypesError(
    reason === undefined
      ? `Column ${name} does not exist in ${input.table.sql}. Names are written as in SQL.`
      : `Column ${name} cannot decide a type in a draft: it ${reason}.`,
  )
}

function guessColumns(input: DraftInput): DraftColumn[] {
  const byName = (names: readonly string[]): DraftColumn[] =>
    input.columns.filter((column) => names.includes(column.name))
  if (input.exclusiveBooleans.length > 0) return byName(input.exclusiveBooleans)
  const lists = input.columns.filter(
    (column) =>
      column.baseType !== 'bool' &&
      column.values !== null &&
      column.values.length >= 2 &&
      (column.enumLabels !== null || column.values.length <= MAX_GUESSED_VALUES),
  )
  const list = lists.find((column) => TYPE_NAMES.test(column.name))
  if (list) return [list]
  if (input.exclusiveForeignKeys.length > 0) return byName(input.exclusiveForeignKeys)
  const single =
    lists.find((column) => column.enumLabels !== null) ??
    lists[0] ??
    input.columns.find((column) => column.baseType === 'bool') ??
    input.columns.find((column) => column.foreignKey && !column.notNull)
  if (single) return [single]
  const candidates = input.columns.map((column) => column.written).join(', ')
  throw new NoTypesError(
    `No column of ${input.table.sql} looks like a type. Name the columns that decide it: --columns ${candidates === '' ? 'NAME' : `with one of ${candidates}`}.`,
  )
}

/** Without the decision how rows without any flag are called, since a list of values may name them. */
function typesOfFlags(input: DraftInput, columns: readonly DraftColumn[]): DraftTypes {
  const names = uniqueNames(columns.map((column) => pascalCase(flagName(column))))
  const restore = (own: DraftColumn | null): Record<string, string> =>
    Object.fromEntries(columns.map((column) => [column.written, flagValue(column, column === own)]))
  const otherwise = columns.length === 1 ? `Not${names[0]!}` : unusedName('Other', names)
  const areBooleans = columns.every(({ baseType }) => baseType === 'bool')
  const areForeignKeys = columns.every(({ foreignKey }) => foreignKey)
  const exclusive = areBooleans ? input.exclusiveBooleans : areForeignKeys ? input.exclusiveForeignKeys : []
  const noun = areBooleans ? 'booleans' : areForeignKeys ? 'foreign keys' : 'columns'
  const presenceOnly = columns.filter((column) => column.baseType !== 'bool').map(({ written }) => written)
  return {
    legacyColumns: columns.map((column) => column.written),
    types: columns.map((column, i) => ({
      name: names[i]!,
      when: column.baseType === 'bool' ? column.written : `${column.written} is not null`,
      restore: restore(column),
    })),
    otherwise: { name: otherwise, restore: restore(null) },
    decisions: [
      ...(presenceOnly.length > 0
        ? [
            `The type does not record the value of ${presenceOnly.join(', ')}, only that there is one: new code that writes the type must also write the value, and dropping the column loses it. If it stays, list it in permanentColumns.`,
          ]
        : []),
      ...(columns.length > 1 && !columns.every((column) => exclusive.includes(column.name))
        ? [
            areBooleans || areForeignKeys
              ? `Some rows have two of these ${noun}: the first type of the list wins, and its restore clears the others.`
              : 'If a row has two of these, the first type of the list wins, and its restore clears the others.',
          ]
        : []),
    ],
  }
}

function nameOtherRows(columns: readonly DraftColumn[], { otherwise }: DraftTypes): string {
  const isSet = columns.every(({ baseType }) => baseType === 'bool') ? 'true' : 'set'
  return `Name the type of rows where none of these is ${isSet} (${otherwise.name} is a placeholder).`
}

/** What the column says about a row: is_truck, truck_id and truck_at all say "truck". */
function flagName({ name, baseType, foreignKey }: DraftColumn): string {
  if (baseType === 'bool') return name.replace(/^(is|has)(_|(?=[A-Z]))/i, '')
  if (foreignKey) return name.replace(/(_id|Id|ID)$/, '')
  return name.replace(/(_(at|on|date|time)|At|On|Date|Time)$/, '')
}

function flagValue({ baseType }: DraftColumn, isSet: boolean): string {
  if (baseType === 'bool') return String(isSet)
  return isSet ? 'keep' : 'null'
}

/** A flag decides before the values: their types clear the flags, and the type of a flag keeps the value. */
function combineTypes(flags: DraftTypes, values: DraftTypes): DraftTypes {
  const kept = Object.fromEntries(values.legacyColumns.map((column) => [column, 'keep']))
  const cleared = flags.otherwise.restore
  const names = uniqueNames([...flags.types, ...values.types, values.otherwise].map(({ name }) => name))
  return {
    legacyColumns: [...flags.legacyColumns, ...values.legacyColumns],
    types: [
      ...flags.types.map((type) => ({ ...type, restore: { ...type.restore, ...kept } })),
      ...values.types.map((type) => ({ ...type, restore: { ...cleared, ...type.restore } })),
    ].map((type, i) => ({ ...type, name: names[i]! })),
    otherwise: { name: names.at(-1)!, restore: { ...cleared, ...values.otherwise.restore } },
    decisions: [...flags.decisions, ...values.decisions],
  }
}

function typesOfValues(column: DraftColumn): DraftTypes {
  if (column.values === null) {
    throw new NoTypesError(
      `Column ${column.written} has more than 50 values, which is too many for types. Write the "when" of each type manually, or name another column.`,
    )
  }
  const values = withUnusedLabels(column)
  const occurring = values.filter(({ value }) => value !== null)
  if (occurring.length === 0) {
    throw new NoTypesError(`Column ${column.written} has no value in any row. Name another column: --columns NAME.`)
  }
  const prefix = /^\d/.test(occurring[0]!.value!) ? pascalCase(column.name) : ''
  const named = (value: ValueCount): string => prefix + pascalCase(value.value ?? '')
  // Rows without a value, or else the most frequent value, are what no other type matches.
  const rest = column.notNull && occurring.length > 1 ? occurring[0]! : null
  const listed = occurring.filter((value) => value !== rest)
  const names = uniqueNames([...listed.map(named), rest ? named(rest) : 'Unknown'])
  const restLiteral = rest?.literal ?? (column.notNull ? 'keep' : 'null')
  return {
    legacyColumns: [column.written],
    types: listed.map(({ literal }, i) => ({
      name: names[i]!,
      when: `${column.written} = ${literal}`,
      restore: { [column.written]: literal },
    })),
    otherwise: { name: names.at(-1)!, restore: { [column.written]: restLiteral } },
    decisions: [
      'Merge values that are the same type into one "when" (IN); a merged value cannot be restored, which the column drop reports.',
      rest
        ? `Every value that is not listed becomes ${names.at(-1)!}, the type of the most frequent value.`
        : `Rows whose ${column.written} is NULL or not listed become ${names.at(-1)!}.`,
    ],
  }
}

/** Labels of an enum that no row has are types, too: a row can have them tomorrow. */
function withUnusedLabels(column: DraftColumn): ValueCount[] {
  const counted = [...column.values!]
  const present = new Set(counted.map(({ value }) => value))
  const unused = (column.enumLabels ?? []).filter((label) => !present.has(label))
  return [
    ...counted,
    ...unused.map((label) => ({ value: label, literal: `'${label.replaceAll("'", "''")}'`, count: 0 })),
  ]
}

function pascalCase(text: string): string {
  const words = text.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
  const joined = words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
  return joined === '' ? 'Blank' : joined
}

function uniqueNames(names: readonly string[]): string[] {
  const result: string[] = []
  for (const name of names) result.push(unusedName(name, result))
  return result
}

function unusedName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name
  let number = 2
  while (taken.includes(`${name}${number}`)) number++
  return `${name}${number}`
}
