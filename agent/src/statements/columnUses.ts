import { stringValues, type ParseNode } from '../rollout/sqlParser.ts'
import {
  nestedScope,
  resolveRangeVar,
  targetEntry,
  derivedEntry,
  UNKNOWN_OUTPUTS,
  type AliasClause,
  type RangeTableEntry,
  type QueryOutputs,
  type QueryScope,
} from './queryScope.ts'
import { findTargetRelation, type ColumnLookup, type ColumnUseTarget, type ColumnUses } from './columnUseTarget.ts'

/** Other meanings of a name in a statement: function variables that hold a row of the table. */
export interface RowNames {
  readonly rows?: readonly string[]
  /** The numbers of parameters that hold a row: 1 for `$1`. */
  readonly rowParameters?: readonly number[]
}

/**
 * Finds the legacy columns that the statements read or write, and resolves names as PostgreSQL does: by alias,
 * through `*`, whole rows, `returning *`, and inserts without a column list. An ambiguous name counts as a legacy
 * column.
 */
export function findColumnUses(
  statements: readonly ParseNode[],
  target: ColumnUseTarget,
  columnsOf: ColumnLookup,
  names: RowNames = {},
): ColumnUses {
  const collector = createUseCollector(target, columnsOf, names.rowParameters ?? [])
  const rootScope = nestedScope(null)
  for (const name of names.rows ?? [])
    rootScope.entries.push({ ...targetEntry(target.relations[0]!, target, name, null), variable: true })
  for (const statement of statements) collector.visitStatement(statement, rootScope)
  return collector.found()
}

function createUseCollector(target: ColumnUseTarget, columnsOf: ColumnLookup, rowParameters: readonly number[]) {
  const reads = new Set<string>()
  const writes = new Set<string>()
  /** The columns that are named, or whose number or order matters. */
  const required = new Set<string>()
  let returnsAllColumns = false
  /** Above 0 while the outputs of a query are assigned by their order. */
  let positional = 0
  const read = (column: string): void => {
    reads.add(column)
    required.add(column)
  }
  const readAll = (entry: RangeTableEntry): void => {
    entry.legacy?.forEach((column) => (positional > 0 || entry.renamed ? read(column) : reads.add(column)))
    // The columns were read where the entry was derived.
    if (entry.legacy === null && entry.allColumns && (positional > 0 || entry.renamed)) target.legacy.forEach(read)
  }
  const byPosition = <T>(isPositional: boolean, use: () => T): T => {
    if (!isPositional) return use()
    positional++
    try {
      return use()
    } finally {
      positional--
    }
  }

  /** A whole statement, whose result goes to the client. */
  function visitStatement(statement: ParseNode, scope: QueryScope): void {
    const prepared = (statement['PrepareStmt'] as ParseNode | undefined)?.['query'] as ParseNode | undefined
    if (statementOutputs(prepared ?? statement, scope).allColumns) returnsAllColumns = true
  }

  function statementOutputs(statement: ParseNode, scope: QueryScope): QueryOutputs {
    const [[kind, value] = ['', undefined]] = Object.entries(statement)
    const fields = value as ParseNode
    switch (kind) {
      case 'SelectStmt':
        return select(fields, scope)
      case 'InsertStmt':
        return insert(fields, scope)
      case 'UpdateStmt':
      case 'DeleteStmt':
        return updateOrDelete(fields, scope)
      case 'MergeStmt':
        return merge(fields, scope)
      default:
        visit(statement, scope)
        return UNKNOWN_OUTPUTS
    }
  }

  function visit(node: unknown, scope: QueryScope): void {
    if (Array.isArray(node)) return node.forEach((child) => visit(child, scope))
    if (typeof node !== 'object' || node === null) return
    for (const [kind, value] of Object.entries(node)) {
      const fields = value as ParseNode
      switch (kind) {
        case 'SelectStmt':
          select(fields, scope)
          break
        case 'InsertStmt':
          insert(fields, scope)
          break
        case 'UpdateStmt':
        case 'DeleteStmt':
          updateOrDelete(fields, scope)
          break
        case 'MergeStmt':
          merge(fields, scope)
          break
        case 'CopyStmt':
          copy(fields, scope)
          break
        case 'ColumnRef':
          column(fields, scope)
          break
        case 'A_Indirection':
          fieldOfParameter(fields)
          visit(value, scope)
          break
        case 'SubLink':
          visit(fields['testexpr'], scope)
          // EXISTS evaluates no column of its query, so a star in it reads nothing.
          if (fields['subLinkType'] === 'EXISTS_SUBLINK') visit(withoutTargets(fields['subselect']), scope)
          else byPosition(true, () => visit(fields['subselect'], scope))
          break
        case 'RowExpr':
          byPosition(true, () => visit(value, scope))
          break
        default:
          visit(value, scope)
      }
    }
  }

  function select(fields: ParseNode, outer: QueryScope): QueryOutputs {
    const scope = nestedScope(outer)
    withQueries(fields['withClause'], scope)
    if (fields['larg']) {
      const [left, right] = byPosition(true, () => [
        select(fields['larg'] as ParseNode, scope),
        select(fields['rarg'] as ParseNode, scope),
      ])
      return { columns: left.columns, allColumns: left.allColumns || right.allColumns }
    }
    from(fields['fromClause'], scope)
    const outputs = outputsOf(fields['targetList'], scope)
    const { targetList, fromClause, withClause, sortClause, distinctClause, ...rest } = fields
    void fromClause
    void withClause
    const usesOrdinals = [sortClause, distinctClause, fields['groupClause']].some(hasOrdinal)
    byPosition(usesOrdinals, () => visit(targetList, scope))
    visit(rest, scope)
    // ORDER BY and DISTINCT ON resolve to output names first.
    for (const clause of [sortClause, distinctClause]) visit(withoutOutputNames(clause, outputs.columns), scope)
    namedOutputs([sortClause, distinctClause], outputs)
    return Array.isArray(fields['valuesLists']) ? UNKNOWN_OUTPUTS : outputs
  }

  /** ORDER BY and DISTINCT ON that name a legacy column of a star. */
  function namedOutputs(clauses: readonly unknown[], outputs: QueryOutputs): void {
    if (!outputs.allColumns) return
    const names = clauses.flatMap((clause) => asList<ParseNode>(clause).flatMap((item) => outputName(item) ?? []))
    target.legacy.filter((column) => names.includes(column)).forEach(read)
  }

  function withQueries(clause: unknown, scope: QueryScope): void {
    for (const { CommonTableExpr: query } of asList<{ CommonTableExpr: ParseNode }>(
      (clause as ParseNode | undefined)?.['ctes'],
    )) {
      const name = query['ctename'] as string
      const inner = query['ctequery'] as ParseNode
      if ((clause as ParseNode)['recursive']) scope.ctes.set(name, UNKNOWN_OUTPUTS)
      const colnames = query['aliascolnames']
      const outputs = byPosition(colnames !== undefined, () => statementOutputs(inner, scope))
      const { columns, allColumns } = derivedEntry(outputs, name, { aliasname: name, colnames })
      scope.ctes.set(name, { columns, allColumns })
    }
  }

  function from(items: unknown, scope: QueryScope): void {
    for (const item of asList<ParseNode>(items)) fromItem(item, scope)
  }

  function fromItem(item: ParseNode, scope: QueryScope): void {
    for (const [kind, value] of Object.entries(item)) {
      const fields = value as ParseNode
      const alias = fields['alias'] as AliasClause | undefined
      switch (kind) {
        case 'RangeVar':
          scope.entries.push(resolveRangeVar(fields, scope, target, columnsOf))
          break
        case 'RangeSubselect': {
          const query = (fields['subquery'] as ParseNode)['SelectStmt'] as ParseNode
          const outputs = byPosition(alias?.colnames !== undefined, () => select(query, scope))
          scope.entries.push(derivedEntry(outputs, alias?.aliasname ?? null, alias))
          break
        }
        case 'RangeTableSample':
          visit(fields['args'], scope)
          fromItem(fields['relation'] as ParseNode, scope)
          break
        case 'JoinExpr':
          join(fields, scope)
          break
        default:
          visit(value, scope)
          scope.entries.push(derivedEntry(UNKNOWN_OUTPUTS, alias?.aliasname ?? null, undefined))
      }
    }
  }

  function join(fields: ParseNode, scope: QueryScope): void {
    const before = scope.entries.length
    fromItem(fields['larg'] as ParseNode, scope)
    fromItem(fields['rarg'] as ParseNode, scope)
    const joined = scope.entries.slice(before)
    const merged = stringValues(fields['usingClause'])
    for (const entry of joined) {
      if (fields['isNatural']) {
        const others = joined.filter((other) => other !== entry)
        entry.legacy?.forEach((column, visible) => {
          if (others.some(({ columns }) => columns === null || columns.has(visible))) read(column)
        })
      }
      for (const name of merged ?? []) {
        const column = entry.legacy?.get(name)
        if (column !== undefined) read(column)
        derivedColumn(entry, name)
      }
    }
    const alias = fields['alias'] as AliasClause | undefined
    if (alias) scope.entries.push(...joined.map((entry) => ({ ...entry, name: alias.aliasname, schema: null })))
    visit(fields['quals'], scope)
  }

  function insert(fields: ParseNode, outer: QueryScope): QueryOutputs {
    const scope = nestedScope(outer)
    withQueries(fields['withClause'], scope)
    const relation = fields['relation'] as ParseNode
    byPosition(true, () => visit(fields['selectStmt'], scope))
    const targetTable = resolveRangeVar(relation, scope, target, columnsOf)
    scope.entries.push(targetTable)
    if (targetTable.legacy !== null) insertedColumns(fields, relation).forEach((name) => writes.add(name))
    const conflict = fields['onConflictClause'] as ParseNode | undefined
    if (conflict) {
      for (const { IndexElem: element } of asList<{ IndexElem: ParseNode }>(
        (conflict['infer'] as ParseNode | undefined)?.['indexElems'],
      )) {
        visit(element['expr'], scope)
        const column = targetTable.legacy?.get(element['name'] as string)
        if (column !== undefined) read(column)
      }
      visit((conflict['infer'] as ParseNode | undefined)?.['whereClause'], scope)
      const updating = nestedScope(scope)
      updating.entries.push({ ...targetTable, name: 'excluded', schema: null })
      visitAssignments(conflict['targetList'], targetTable, updating)
      visit(conflict['whereClause'], updating)
    }
    return returning(fields, targetTable, scope)
  }

  /** The legacy columns that an INSERT assigns. */
  function insertedColumns(fields: ParseNode, relation: ParseNode): readonly string[] {
    const select = (fields['selectStmt'] as ParseNode | undefined)?.['SelectStmt'] as ParseNode | undefined
    // DEFAULT VALUES
    if (select === undefined) return []
    const named = asList<{ ResTarget: { name: string } }>(fields['cols']).map(({ ResTarget }) => ResTarget.name)
    if (named.length > 0) return target.legacy.filter((column) => named.includes(column))
    const { columns } = findTargetRelation(
      target,
      (relation['schemaname'] as string | undefined) ?? null,
      relation['relname'] as string,
    )!
    const rows = asList<{ List?: { items?: unknown[] } }>(select['valuesLists'])
    const valueCount =
      rows.length > 0 ? Math.max(...rows.map((row) => row.List?.items?.length ?? columns.length)) : columns.length
    return columns.slice(0, valueCount).filter((column) => target.legacy.includes(column))
  }

  function updateOrDelete(fields: ParseNode, outer: QueryScope): QueryOutputs {
    const scope = nestedScope(outer)
    withQueries(fields['withClause'], scope)
    const targetTable = resolveRangeVar(fields['relation'] as ParseNode, scope, target, columnsOf)
    scope.entries.push(targetTable)
    from(fields['fromClause'] ?? fields['usingClause'], scope)
    visitAssignments(fields['targetList'], targetTable, scope)
    visit(fields['whereClause'], scope)
    return returning(fields, targetTable, scope)
  }

  function merge(fields: ParseNode, outer: QueryScope): QueryOutputs {
    const scope = nestedScope(outer)
    withQueries(fields['withClause'], scope)
    const relation = fields['relation'] as ParseNode
    const targetTable = resolveRangeVar(relation, scope, target, columnsOf)
    scope.entries.push(targetTable)
    fromItem(fields['sourceRelation'] as ParseNode, scope)
    visit(fields['joinCondition'], scope)
    for (const { MergeWhenClause: when } of asList<{ MergeWhenClause: ParseNode }>(fields['mergeWhenClauses'])) {
      visit(when['condition'], scope)
      visitAssignments(when['targetList'], targetTable, scope)
      visit(when['values'], scope)
      const inserts = when['commandType'] === 'CMD_INSERT' && when['values'] !== undefined
      if (targetTable.legacy !== null && inserts && !when['targetList']) {
        const { columns } = findTargetRelation(
          target,
          (relation['schemaname'] as string | undefined) ?? null,
          relation['relname'] as string,
        )!
        const valueCount = columns.slice(0, asList(when['values']).length)
        valueCount.filter((column) => target.legacy.includes(column)).forEach((column) => writes.add(column))
      }
    }
    return returning(fields, targetTable, scope)
  }

  function visitAssignments(targets: unknown, targetTable: RangeTableEntry, scope: QueryScope): void {
    const legacy = targetTable.legacy === null ? [] : [...targetTable.legacy.values()]
    for (const { ResTarget } of asList<{ ResTarget: ParseNode }>(targets)) {
      const name = ResTarget['name'] as string
      if (legacy.includes(name)) writes.add(name)
      visit(ResTarget['indirection'], scope)
      visit(ResTarget['val'], scope)
    }
  }

  function returning(fields: ParseNode, targetTable: RangeTableEntry, outer: QueryScope): QueryOutputs {
    const scope = nestedScope(outer)
    scope.entries.push(...outer.entries, ...['old', 'new'].map((name) => ({ ...targetTable, name, schema: null })))
    const list = fields['returningList'] ?? (fields['returningClause'] as ParseNode | undefined)?.['exprs']
    visit(list, scope)
    return outputsOf(list, scope)
  }

  function copy(fields: ParseNode, scope: QueryScope): void {
    visit(fields['query'], scope)
    const relation = fields['relation'] as ParseNode | undefined
    if (!relation) return
    const entry = resolveRangeVar(relation, scope, target, columnsOf)
    const named = stringValues(fields['attlist'])
    const columns = [...(entry.legacy?.values() ?? [])].filter(
      (candidate) => named === null || named.includes(candidate),
    )
    columns.forEach((used) => (fields['is_from'] ? writes : reads).add(used))
    if (named !== null) columns.forEach((used) => required.add(used))
    if (fields['whereClause']) visit(fields['whereClause'], { ...nestedScope(scope), entries: [entry] })
  }

  function column(fields: ParseNode, scope: QueryScope): void {
    const parts = asList<ParseNode>(fields['fields'])
    const star = parts.at(-1)?.['A_Star'] !== undefined
    const names = parts.flatMap((part) => (part['String'] as { sval?: string } | undefined)?.sval ?? [])
    if (star && names.length === 0) return scope.entries.forEach(readAll)
    if (star) return findEntries(scope, names).forEach(readAll)
    if (names.length === 1) return unqualifiedName(names[0]!, scope)
    for (const entry of findEntries(scope, names.slice(0, -1))) {
      const found = entry.legacy?.get(names.at(-1)!)
      if (found !== undefined) read(found)
      derivedColumn(entry, names.at(-1)!)
    }
  }

  /** A legacy column of a query that selects `*`. */
  function derivedColumn(entry: RangeTableEntry, name: string): void {
    if (entry.legacy === null && entry.allColumns && target.legacy.includes(name)) read(name)
  }

  /** `$1.is_truck` */
  function fieldOfParameter(fields: ParseNode): void {
    const parameter = (fields['arg'] as ParseNode)['ParamRef'] as { number?: number } | undefined
    if (!rowParameters.includes(parameter?.number ?? 0)) return
    const [first] = asList<ParseNode>(fields['indirection'])
    const name = (first?.['String'] as { sval?: string } | undefined)?.sval
    target.legacy.filter((column) => column === name).forEach(read)
  }

  function unqualifiedName(name: string, scope: QueryScope): void {
    for (let current: QueryScope | null = scope; current !== null; current = current.outer) {
      const ours = current.entries.filter((entry) => !entry.variable && entry.legacy?.has(name))
      if (ours.length > 0) return ours.forEach((entry) => read(entry.legacy!.get(name)!))
      const others = current.entries.filter((entry) => !entry.variable && entry.columns?.has(name))
      if (others.length > 0) return others.forEach((entry) => derivedColumn(entry, name))
    }
    // The name is not a column, so it is the whole row of the entry with that name.
    for (const entry of findEntries(scope, [name])) if (!entry.variable) readAll(entry)
  }

  function outputsOf(targets: unknown, scope: QueryScope): QueryOutputs {
    const names = new Set<string>()
    let known = true
    let allColumns = false
    for (const { ResTarget } of asList<{ ResTarget: ParseNode }>(targets)) {
      const reference = (ResTarget['val'] as ParseNode | undefined)?.['ColumnRef'] as ParseNode | undefined
      const last = asList<ParseNode>(reference?.['fields']).at(-1)
      if (last?.['A_Star'] !== undefined) {
        const qualifier = asList<ParseNode>(reference!['fields']).flatMap(
          (part) => (part['String'] as { sval?: string } | undefined)?.sval ?? [],
        )
        const starred = qualifier.length === 0 ? scope.entries : findEntries(scope, qualifier)
        if (starred.length === 0 || starred.some(({ columns }) => columns === null)) known = false
        starred.forEach(({ columns }) => columns?.forEach((columnName) => names.add(columnName)))
        if (starred.some((entry) => entry.allColumns)) allColumns = true
        continue
      }
      const expanded = expandedRow(ResTarget['val'])
      if (expanded !== null) {
        known = false
        if (findEntries(scope, expanded).some((entry) => entry.allColumns)) allColumns = true
      }
      const name =
        (ResTarget['name'] as string | undefined) ?? (last?.['String'] as { sval?: string } | undefined)?.sval
      // Statements do not refer to the names that PostgreSQL generates for unnamed expressions.
      if (name !== undefined) names.add(name)
    }
    return { columns: known ? names : null, allColumns }
  }

  return {
    visitStatement,
    found: (): ColumnUses => ({
      reads: [...reads].sort(),
      writes: [...writes].sort(),
      onlyThroughStar: reads.size > 0 && required.size === 0 && writes.size === 0,
      returnsAllColumns,
    }),
  }
}

/** The name of a row that an expression expands, such as `(v).*`; null for any other expression. */
function expandedRow(expression: unknown): string[] | null {
  const indirection = (expression as ParseNode | undefined)?.['A_Indirection'] as ParseNode | undefined
  if (asList<ParseNode>(indirection?.['indirection']).at(-1)?.['A_Star'] === undefined) return null
  return stringValues(((indirection!['arg'] as ParseNode)['ColumnRef'] as ParseNode | undefined)?.['fields'])
}

/** The entries that a qualifier refers to, from the nearest level that has any. */
function findEntries(scope: QueryScope, qualifier: readonly string[]): RangeTableEntry[] {
  const name = qualifier.at(-1)!
  const schema = qualifier.length > 1 ? qualifier.at(-2)! : null
  for (let current: QueryScope | null = scope; current !== null; current = current.outer) {
    const matches = current.entries.filter(
      (entry) => entry.name === name && (schema === null || entry.schema === null || entry.schema === schema),
    )
    if (matches.length > 0) return matches
  }
  return []
}

/** The same SELECT without its target list. */
function withoutTargets(subselect: unknown): unknown {
  const { SelectStmt } = subselect as { SelectStmt?: ParseNode }
  if (!SelectStmt || SelectStmt['larg']) return subselect
  const { targetList, ...rest } = SelectStmt
  void targetList
  return { SelectStmt: rest }
}

function withoutOutputNames(clause: unknown, outputs: ReadonlySet<string> | null): unknown {
  return asList<ParseNode>(clause).filter((item) => !outputs?.has(outputName(item) ?? ''))
}

const sortedNode = (item: ParseNode): ParseNode =>
  ((item['SortBy'] as ParseNode | undefined)?.['node'] ?? item) as ParseNode

/** The single name that an item of ORDER BY or DISTINCT ON consists of; null for any other expression. */
function outputName(item: ParseNode): string | null {
  const names = stringValues((sortedNode(item)['ColumnRef'] as ParseNode | undefined)?.['fields'])
  return names?.length === 1 ? names[0]! : null
}

/** True if an item is a number, which refers to an output by its position. */
function hasOrdinal(clause: unknown): boolean {
  return asList<ParseNode>(clause).some(
    (item) => (sortedNode(item)['A_Const'] as ParseNode | undefined)?.['ival'] !== undefined,
  )
}

function asList<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? (value as T[]) : []
}
