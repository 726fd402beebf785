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
  if (chosen.every((column) => column.baseType === 'bool')) return typesOfBooleans(input, chosen)
  if (chosen.every((column) => column.foreignKey)) return typesOfForeignKeys(input, chosen)
  if (chosen.length === 1) return typesOfValues(chosen[0]!)
  throw new NoTypesError(
    `--columns ${named.join(',')} mixes kinds of columns. Name booleans only, foreign keys only, or one column with the values of the types, and add the others to the draft.`,
  )
}

function findColumn(input: DraftInput, name: string): DraftColumn {
  const column = input.columns.find((candidate) => candidate.name === name || candidate.written === name)
  if (column) return column
  throw new NoTypesError(
    `Column ${name} cannot decide a type in a draft: it does not exist in ${input.table.sql}, is generated, is in a key, or is not a boolean, an enum, an integer, a text or a foreign key.`,
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

function typesOfBooleans(input: DraftInput, columns: readonly DraftColumn[]): DraftTypes {
  const names = uniqueNames(columns.map((column) => pascalCase(column.name.replace(/^(is|has)(_|(?=[A-Z]))/i, ''))))
  const restore = (own: DraftColumn | null): Record<string, string> =>
    Object.fromEntries(columns.map((column) => [column.written, String(column === own)]))
  const otherwise = columns.length === 1 ? `Not${names[0]!}` : unusedName('Other', names)
  const exclusive = columns.every((column) => input.exclusiveBooleans.includes(column.name))
  return {
    legacyColumns: columns.map((column) => column.written),
    types: columns.map((column, i) => ({ name: names[i]!, when: column.written, restore: restore(column) })),
    otherwise: { name: otherwise, restore: restore(null) },
    decisions: [
      `Name the type of rows where none of these is true (${otherwise} is a placeholder).`,
      ...(columns.length > 1 && !exclusive
        ? ['Some rows have two of these booleans: the first type of the list wins, and its restore clears the others.']
        : []),
    ],
  }
}

function typesOfForeignKeys(input: DraftInput, columns: readonly DraftColumn[]): DraftTypes {
  const names = uniqueNames(columns.map((column) => pascalCase(column.name.replace(/(_id|Id|ID)$/, ''))))
  const otherwise = columns.length === 1 ? `Not${names[0]!}` : unusedName('Other', names)
  const exclusive = columns.every((column) => input.exclusiveForeignKeys.includes(column.name))
  return {
    legacyColumns: columns.map((column) => column.written),
    types: columns.map((column, i) => ({
      name: names[i]!,
      when: `${column.written} is not null`,
      restore: Object.fromEntries(columns.map((other) => [other.written, other === column ? 'keep' : 'null'])),
    })),
    otherwise: {
      name: otherwise,
      restore: Object.fromEntries(columns.map((column) => [column.written, 'null'])),
    },
    decisions: [
      `Name the type of rows where none of these is set (${otherwise} is a placeholder).`,
      'The type does not record which row a foreign key references, so dropping the columns loses that reference.',
      ...(columns.length > 1 && !exclusive
        ? [
            'Some rows have two of these foreign keys: the first type of the list wins, and its restore clears the others.',
          ]
        : []),
    ],
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
