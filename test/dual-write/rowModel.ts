/** The row of the model: one legacy column, one permanent column, the partition key, and the type. */
export interface Row {
  readonly c: string | number | boolean | null
  readonly weight: number | null
  readonly region: string
  readonly type: string | null
}

/** What a rollout file and a column say, as functions. */
export interface RowModel {
  derive(row: Pick<Row, 'c' | 'weight'>): 'A' | 'B'
  /** The value of `c` after a write of `type` alone. */
  restore(type: 'A' | 'B', row: Pick<Row, 'c' | 'weight'>): Row['c']
  /** What an INSERT without `c` gives it: its default, or the next value of an identity. */
  readonly initial: Row['c']
  readonly notNull: boolean
}

/** What a statement sets; a missing column is not named. */
export type Write = Partial<Row>

/** The SQLSTATE that refuses a write. */
export type Refusal = '23514' | '23502'

export const CONFLICT: Refusal = '23514'
const NOT_NULL: Refusal = '23502'

/** The row that an INSERT makes, or what refuses it. `nextIdentity` is the value that an identity gives. */
export function insertRow(model: RowModel, write: Write, nextIdentity: number): Row | Refusal {
  const isIdentity = model.initial === 'identity'
  const initial = isIdentity ? nextIdentity : model.initial
  const row: Row = { weight: null, region: 'west', type: null, ...write, c: write.c === undefined ? initial : write.c }
  const untouched = !isIdentity && row.c === model.initial
  const said = model.derive(row)
  if (row.type === null) return checked(model, { ...row, type: said })
  const type = row.type as 'A' | 'B'
  const restored = { ...row, c: untouched ? model.restore(type, row) : row.c }
  if (model.derive(restored) === type) return checked(model, restored)
  return said === type ? checked(model, row) : CONFLICT
}

/** The row after an UPDATE, or what refuses it. */
export function updateRow(model: RowModel, old: Row, write: Write): Row | Refusal {
  const row: Row = { ...old, ...write }
  const said = model.derive(row)
  if (row.type === said) return checked(model, row)
  if (row.type === null || row.type === old.type) return checked(model, { ...row, type: said })
  const type = row.type as 'A' | 'B'
  const restored = { ...row, c: row.c === old.c ? model.restore(type, row) : row.c }
  return model.derive(restored) === type ? checked(model, restored) : CONFLICT
}

const checked = (model: RowModel, row: Row): Row | Refusal => (model.notNull && row.c === null ? NOT_NULL : row)
