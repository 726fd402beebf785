import {
  messageOf,
  parsePlpgsqlFunction,
  parseStatements,
  stringValues,
  walkParseTree,
  type ParseNode,
} from '../rollout/sqlParser.ts'
import type { ColumnLookup, ColumnUseTarget, ColumnUses } from './columnUseTarget.ts'
import { findColumnUses, type RowNames } from './columnUses.ts'

/** A function or procedure of the database. */
export interface StoredFunction {
  /** The name with schema and arguments, such as `app.kind_of(app.vehicle)`. */
  readonly shown: string
  readonly language: string
  /** The output of pg_get_functiondef. */
  readonly definition: string
  readonly source: string
  /** True if a trigger of the table calls it. */
  readonly triggered: boolean
  /** Parameters that hold a row of the table, with their number from 1 and their name, if they have one. */
  readonly rowParameters: readonly { readonly number: number; readonly name: string | null }[]
}

export interface FunctionUses extends Pick<ColumnUses, 'reads' | 'writes'> {
  /** The part that could not be analyzed, and why; null if everything was analyzed. */
  readonly unsure: string | null
}

const NO_USES = { reads: [], writes: [] }

/** Finds the legacy columns that a function body uses, with PostgreSQL's parser. */
export function findFunctionUses(
  stored: StoredFunction,
  target: ColumnUseTarget,
  columnsOf: ColumnLookup,
): FunctionUses {
  try {
    if (stored.language === 'sql') {
      const statements = parseStatements(stored.source)
      const { reads, writes } = findColumnUses(statements, target, columnsOf, rowNames(stored))
      return { reads, writes, unsure: null }
    }
    if (stored.language === 'plpgsql') return plpgsqlUses(stored, target, columnsOf)
  } catch (error) {
    return {
      ...NO_USES,
      unsure: mentionsTarget(stored.source, target) ? `its body could not be parsed (${messageOf(error)})` : null,
    }
  }
  const unsure = mentionsTarget(stored.source, target) ? `its body is in ${stored.language}, which is not parsed` : null
  return { ...NO_USES, unsure }
}

function plpgsqlUses(stored: StoredFunction, target: ColumnUseTarget, columnsOf: ColumnLookup): FunctionUses {
  // Without a catalog, the parser does not recognize a table's row type.
  const source = stored.source.replace(
    /(?:(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*\.\s*)?(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*%\s*rowtype\b/giu,
    'record',
  )
  const tree = parseBody(stored, source, target)
  const names = rowNames(stored, [...rowVariables(tree, target), ...rowtypeVariables(stored.source, target)])
  const reads = new Set<string>()
  const writes = new Set<string>()
  let unsure: string | null = null
  const addUses = (uses: Pick<ColumnUses, 'reads' | 'writes'>): void => {
    uses.reads.forEach((column) => reads.add(column))
    uses.writes.forEach((column) => writes.add(column))
  }
  walkParseTree(tree, (kind, fields) => {
    if (kind === 'PLpgSQL_expr') {
      const { statement, assigned } = toStatement(fields['query'] as string, fields['parseMode'] as number | undefined)
      addUses(findColumnUses(withoutRowComparisons(parseStatements(statement), names.rows), target, columnsOf, names))
      const column = assigned?.at(-1)
      const row = assigned?.at(-2)
      if (column !== undefined && row !== undefined && names.rows.includes(row) && target.legacy.includes(column))
        writes.add(column)
    }
    for (const dynamic of dynamicSqlLiterals(kind, fields)) {
      if (mentionsTarget(dynamic, target))
        unsure = `it builds a statement at run time from a text that names the table or one of the columns (${dynamic.slice(0, 100)})`
    }
  })
  return { reads: [...reads].sort(), writes: [...writes].sort(), unsure }
}

/**
 * Without a catalog, the parser takes a variable of an enum, a domain or an extension's type for a record, which PL/pgSQL
 * does not accept where it wants a single value, such as one of several variables after INTO.
 */
function parseBody({ definition, source }: StoredFunction, text: string, target: ColumnUseTarget): ParseNode {
  const parse = (body: string): ParseNode => parsePlpgsqlFunction(definition.replace(source, () => body))
  try {
    return parse(text)
  } catch (error) {
    const body = text.replace(/\bdeclare\b[\s\S]*?\bbegin\b/giu, (section) => withScalarVariables(section, target))
    if (body === text) throw error
    try {
      return parse(body)
    } catch {
      throw error
    }
  }
}

/** The declarations with the type `text` in place of every type of one name, except rows of the table. */
function withScalarVariables(section: string, target: ColumnUseTarget): string {
  const declared =
    /(?<=(?:\bdeclare|;|\n)\s*(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s+)(?:(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*\.\s*)?([\p{L}_][\p{L}\d_$]*|"[^"]+")(?:\s*\[\s*\d*\s*\])*(?=\s*(?:;|:=|=|default\b|not\s+null\b|collate\b))/giu
  return section.replace(declared, (type, name: string) => {
    const plain = unquoteIdentifier(name)
    return plain === 'record' || target.relations.some((relation) => relation.name === plain) ? type : 'text'
  })
}

/**
 * The statements with NULL in place of each comparison of two whole rows of the table, such as `new.* is distinct from
 * old.*` of many a trigger for `updated_at`: it names no column, and both rows lose the same ones.
 */
function withoutRowComparisons<T>(node: T, rows: readonly string[]): T {
  if (Array.isArray(node)) return node.map((item: unknown) => withoutRowComparisons(item, rows)) as T
  if (node === null || typeof node !== 'object') return node
  const { lexpr, rexpr } = ((node as ParseNode)['A_Expr'] ?? {}) as { lexpr?: ParseNode; rexpr?: ParseNode }
  if (isWholeRow(lexpr, rows) && isWholeRow(rexpr, rows)) return { A_Const: { isnull: true } } as T
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, withoutRowComparisons(value as unknown, rows)]),
  ) as T
}

function isWholeRow(node: ParseNode | undefined, rows: readonly string[]): boolean {
  const fields = (node?.['ColumnRef'] as { fields?: ParseNode[] } | undefined)?.fields ?? []
  const row = stringValues(fields.slice(0, 1))?.[0]
  return fields.length === 2 && fields[1]!['A_Star'] !== undefined && row !== undefined && rows.includes(row)
}

function rowNames(stored: StoredFunction, variables: readonly string[] = []): Required<RowNames> {
  const rows = stored.rowParameters.flatMap(({ name }) => (name === null ? [] : [name]))
  return {
    rows: [...rows, ...variables, ...(stored.triggered ? ['new', 'old'] : [])],
    rowParameters: stored.rowParameters.map(({ number }) => number),
  }
}

/** Variables declared with the table's row type. */
function rowVariables(tree: ParseNode, target: ColumnUseTarget): string[] {
  const variables: string[] = []
  walkParseTree(tree, (kind, fields) => {
    if (kind !== 'PLpgSQL_rec') return
    const type = ((fields['datatype'] as ParseNode | undefined)?.['PLpgSQL_type'] as { typname?: string } | undefined)
      ?.typname
    const name = type?.split('.').at(-1)?.replaceAll('"', '')
    if (target.relations.some((relation) => relation.name === name)) variables.push(fields['refname'] as string)
  })
  return variables
}

function rowtypeVariables(source: string, target: ColumnUseTarget): string[] {
  const declared =
    /([\p{L}_][\p{L}\d_$]*|"[^"]+")\s+(?:constant\s+)?(?:(?:[\p{L}_][\p{L}\d_$]*|"[^"]+")\s*\.\s*)?([\p{L}_][\p{L}\d_$]*|"[^"]+")\s*%\s*rowtype\b/giu
  return [...source.matchAll(declared)]
    .filter(([, , type]) => target.relations.some((relation) => relation.name === unquoteIdentifier(type!)))
    .map(([, name]) => unquoteIdentifier(name!))
}

const unquoteIdentifier = (name: string): string => (name.startsWith('"') ? name.slice(1, -1) : name.toLowerCase())

/** Parser modes for input that is not a whole statement (PostgreSQL's RawParseMode). */
const EXPRESSION_PARSE_MODE = 2
const ASSIGNMENT_PARSE_MODES = [3, 4, 5]

function toStatement(query: string, mode = 0): { statement: string; assigned?: readonly string[] } {
  if (mode === EXPRESSION_PARSE_MODE) return { statement: `select ${query}` }
  if (!ASSIGNMENT_PARSE_MODES.includes(mode)) return { statement: query }
  const [, assignmentTarget = '', assignedExpression = ''] = /^([^:=]*):?=([\s\S]*)$/.exec(query) ?? []
  const assigned = columnRefFields(parseStatements(`select ${assignmentTarget}`)[0])
  return { statement: `select ${assignedExpression}`, ...(assigned === null ? {} : { assigned }) }
}

/** The parts of the single selected name. */
function columnRefFields(statement: ParseNode | undefined): string[] | null {
  let fields: string[] | null = null
  walkParseTree(statement, (kind, reference) => {
    if (kind === 'ColumnRef') fields ??= stringValues(reference['fields'])
  })
  return fields
}

const DYNAMIC_SQL_NODES = [
  'PLpgSQL_stmt_dynexecute',
  'PLpgSQL_stmt_dynfors',
  'PLpgSQL_stmt_return_query',
  'PLpgSQL_stmt_open',
  'PLpgSQL_stmt_forc',
]

/** The texts from which statements are built at run time. */
function dynamicSqlLiterals(kind: string, fields: ParseNode): string[] {
  if (!DYNAMIC_SQL_NODES.includes(kind)) return []
  const dynamic =
    kind === 'PLpgSQL_stmt_dynexecute' || kind === 'PLpgSQL_stmt_dynfors' ? fields['query'] : fields['dynquery']
  const query = ((dynamic as ParseNode | undefined)?.['PLpgSQL_expr'] as { query?: string } | undefined)?.query
  if (query === undefined) return []
  const texts: string[] = []
  walkParseTree(parseStatements(`select ${query}`), (node, constant) => {
    const text = node === 'A_Const' ? (constant['sval'] as { sval?: string } | undefined)?.sval : undefined
    if (text !== undefined) texts.push(text)
  })
  return texts
}

/** True if a word of the text is the name of the table or a column. For text that cannot be parsed. */
export function mentionsTarget(text: string, target: ColumnUseTarget): boolean {
  const lower = text.toLowerCase()
  const words = new Set(lower.split(/[^\p{L}\d_$]+/u))
  return [...target.legacy, ...target.relations.map(({ name }) => name)].some((name) =>
    /^[\p{L}_][\p{L}\d_$]*$/u.test(name) ? words.has(name.toLowerCase()) : lower.includes(name.toLowerCase()),
  )
}
