import { messageOf, parsePlpgsqlFunction, parseStatements, strings, walk, type Tree } from '../../rollout/parse.ts'
import type { ColumnsOf, Target, Uses } from './target.ts'
import { usesOf, type Names } from './uses.ts'

/** A function or procedure of the database. */
export interface StoredFunction {
  /** With its schema and arguments, such as `app.kind_of(app.vehicle)`. */
  readonly shown: string
  readonly language: string
  /** `create function …`, as pg_get_functiondef gives it. */
  readonly definition: string
  readonly source: string
  /** It runs for a trigger of the table. */
  readonly triggered: boolean
  /** Parameters that hold a row of the table: number from 1, and name where they have one. */
  readonly rowParameters: readonly { readonly number: number; readonly name: string | null }[]
}

export interface FunctionUses extends Uses {
  /** What could not be told, and why; null: all of it could. */
  readonly unsure: string | null
}

const NOTHING = { reads: [], writes: [] }

/** Which legacy columns the body of a function names, parsed by PostgreSQL's parser. */
export function functionUses(stored: StoredFunction, target: Target, columnsOf: ColumnsOf): FunctionUses {
  try {
    if (stored.language === 'sql')
      return { ...usesOf(parseStatements(stored.source), target, columnsOf, namesOf(stored)), unsure: null }
    if (stored.language === 'plpgsql') return plpgsqlUses(stored, target, columnsOf)
  } catch (error) {
    return {
      ...NOTHING,
      unsure: mentions(stored.source, target) ? `its body could not be parsed (${messageOf(error)})` : null,
    }
  }
  const unsure = mentions(stored.source, target) ? `its body is in ${stored.language}, which is not parsed here` : null
  return { ...NOTHING, unsure }
}

function plpgsqlUses(stored: StoredFunction, target: Target, columnsOf: ColumnsOf): FunctionUses {
  // Without a catalog the parser takes a row type of a table for no row at all.
  const source = stored.source.replace(
    /(?:(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*\.\s*)?(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*%\s*rowtype\b/giu,
    'record',
  )
  const tree = parsePlpgsqlFunction(stored.definition.replace(stored.source, () => source))
  const names = namesOf(stored, [...rowVariables(tree, target), ...rowtypeVariables(stored.source, target)])
  const reads = new Set<string>()
  const writes = new Set<string>()
  let unsure: string | null = null
  const take = (uses: Uses): void => {
    uses.reads.forEach((column) => reads.add(column))
    uses.writes.forEach((column) => writes.add(column))
  }
  walk(tree, (kind, fields) => {
    if (kind === 'PLpgSQL_expr') {
      const { statement, assigned } = readable(fields['query'] as string, fields['parseMode'] as number | undefined)
      take(usesOf(parseStatements(statement), target, columnsOf, names))
      const column = assigned?.at(-1)
      const row = assigned?.at(-2)
      if (column !== undefined && row !== undefined && names.rows.includes(row) && target.legacy.includes(column))
        writes.add(column)
    }
    for (const dynamic of dynamicTexts(kind, fields)) {
      if (mentions(dynamic, target))
        unsure = `it builds a statement at run time from a text that names the table or one of the columns (${dynamic.slice(0, 100)})`
    }
  })
  return { reads: [...reads].sort(), writes: [...writes].sort(), unsure }
}

function namesOf(stored: StoredFunction, variables: readonly string[] = []): Required<Names> {
  const rows = stored.rowParameters.flatMap(({ name }) => (name === null ? [] : [name]))
  return {
    rows: [...rows, ...variables, ...(stored.triggered ? ['new', 'old'] : [])],
    rowParameters: stored.rowParameters.map(({ number }) => number),
  }
}

/** Variables declared with the table's own row type. */
function rowVariables(tree: Tree, target: Target): string[] {
  const found: string[] = []
  walk(tree, (kind, fields) => {
    if (kind !== 'PLpgSQL_rec') return
    const type = ((fields['datatype'] as Tree | undefined)?.['PLpgSQL_type'] as { typname?: string } | undefined)
      ?.typname
    const name = type?.split('.').at(-1)?.replaceAll('"', '')
    if (target.relations.some((one) => one.name === name)) found.push(fields['refname'] as string)
  })
  return found
}

function rowtypeVariables(source: string, target: Target): string[] {
  const declared =
    /([\p{L}_][\p{L}\d_$]*|"[^"]+")\s+(?:constant\s+)?(?:(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*\.\s*)?([\p{L}_][\p{L}\d_$]*|"[^"]+")\s*%\s*rowtype\b/giu
  return [...source.matchAll(declared)]
    .filter(([, , type]) => target.relations.some((one) => one.name === plain(type!)))
    .map(([, name]) => plain(name!))
}

const plain = (name: string): string => (name.startsWith('"') ? name.slice(1, -1) : name.toLowerCase())

/** Modes of the parser for what is no whole statement (PostgreSQL's RawParseMode). */
const EXPRESSION = 2
const ASSIGNMENTS = [3, 4, 5]

function readable(query: string, mode = 0): { statement: string; assigned?: readonly string[] } {
  if (mode === EXPRESSION) return { statement: `select ${query}` }
  if (!ASSIGNMENTS.includes(mode)) return { statement: query }
  const [, left = '', right = ''] = /^([^:=]*):?=([\s\S]*)$/.exec(query) ?? []
  const assigned = fieldsOf(parseStatements(`select ${left}`)[0])
  return { statement: `select ${right}`, ...(assigned === null ? {} : { assigned }) }
}

/** The parts of the one name that is selected. */
function fieldsOf(statement: Tree | undefined): string[] | null {
  let fields: string[] | null = null
  walk(statement, (kind, reference) => {
    if (kind === 'ColumnRef') fields ??= strings(reference['fields'])
  })
  return fields
}

const DYNAMIC = [
  'PLpgSQL_stmt_dynexecute',
  'PLpgSQL_stmt_dynfors',
  'PLpgSQL_stmt_return_query',
  'PLpgSQL_stmt_open',
  'PLpgSQL_stmt_forc',
]

/** The texts that statements are built from at run time. */
function dynamicTexts(kind: string, fields: Tree): string[] {
  if (!DYNAMIC.includes(kind)) return []
  const dynamic =
    kind === 'PLpgSQL_stmt_dynexecute' || kind === 'PLpgSQL_stmt_dynfors' ? fields['query'] : fields['dynquery']
  const query = ((dynamic as Tree | undefined)?.['PLpgSQL_expr'] as { query?: string } | undefined)?.query
  if (query === undefined) return []
  const texts: string[] = []
  walk(parseStatements(`select ${query}`), (node, constant) => {
    const text = node === 'A_Const' ? (constant['sval'] as { sval?: string } | undefined)?.sval : undefined
    if (text !== undefined) texts.push(text)
  })
  return texts
}

/** A word of the text is the table's name or a column's: for what cannot be parsed. */
export function mentions(text: string, target: Target): boolean {
  const lower = text.toLowerCase()
  const words = new Set(lower.split(/[^\p{L}\d_$]+/u))
  return [...target.legacy, ...target.relations.map(({ name }) => name)].some((name) =>
    /^[\p{L}_][\p{L}\d_$]*$/u.test(name) ? words.has(name.toLowerCase()) : lower.includes(name.toLowerCase()),
  )
}
