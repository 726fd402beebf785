import type { KeyColumn } from '../rollout/rollout.ts'

/** A primary key: its columns as text. In SQL, a jsonb array of strings. Null is an open end of the key space. */
export type Key = readonly string[]

/** The columns of a key in a row, such as `t."a"`. */
export function keyColumns(key: readonly KeyColumn[], alias: string): string[] {
  return key.map((column) => `${alias}.${column.sql}`)
}

/** The key of a row as a jsonb array of strings. */
export function keyAsJson(key: readonly KeyColumn[], alias: string): string {
  return `jsonb_build_array(${key.map((column) => `${alias}.${column.sql}::text`).join(', ')})`
}

/** Parameters from `$first` on, cast to the types of the columns. The cast to text keeps the driver from choosing a type. */
export function keyParameters(key: readonly KeyColumn[], first: number): string[] {
  return key.map(({ type }, index) => {
    const value = `$${first + index}::text::${type}`
    // PostgreSQL 18 fails to estimate how many values of "char" are beyond a constant ("cache lookup failed for collation
    // 0"). The value of a subquery is unknown when it plans, and the index of the key serves all the same.
    return type === '"char"' ? `(select ${value})` : value
  })
}

/** The values of a key in a jsonb array, cast to the types of the columns. */
export function keyElements(key: readonly KeyColumn[], array: string): string[] {
  return key.map((column, index) => `(${array}->>${index})::${column.type}`)
}

/**
 * SQL that compares two keys in the order of their index: `(t."a", t."b") <= ($1::int, $2::int)`. Operators of a type
 * outside pg_catalog (citext) have their schema, since without it PostgreSQL would compare the values as texts: in
 * another order than the index. A row comparison has one operator for all columns, so it is written out for such keys.
 */
export function compareKeys(
  key: readonly KeyColumn[],
  operator: '=' | '<' | '<=' | '>' | '>=',
  left: readonly string[],
  right: readonly string[],
): string {
  const row = (values: readonly string[]): string => (values.length === 1 ? values[0]! : `(${values.join(', ')})`)
  if (key.every(({ operators }) => operators === null)) return `${row(left)} ${operator} ${row(right)}`
  const compareColumn = (index: number, columnOperator: string): string => {
    const { operators } = key[index]!
    if (operators === null) return `${left[index]!} ${columnOperator} ${right[index]!}`
    const cast = `::${operators.operandType}`
    return `${left[index]!}${cast} operator(${operators.schema}.${columnOperator}) ${right[index]!}${cast}`
  }
  const compareFrom = (index: number): string => {
    if (index === key.length - 1) return compareColumn(index, operator)
    if (operator === '=') return `${compareColumn(index, '=')} and ${compareFrom(index + 1)}`
    const strict = operator[0]!
    return `${compareColumn(index, `${strict}=`)} and (${compareColumn(index, strict)} or ${compareFrom(index + 1)})`
  }
  return `(${compareFrom(0)})`
}
