import { strings, type Tree } from '../../rollout/parse.ts'
import { below, entryOf, oursAs, renamed, type Alias, type Entry, type Scope } from './scope.ts'
import { relationNamed, type ColumnsOf, type Target, type Uses } from './target.ts'

/** What else a statement may mean by a name: variables of a function that hold a row of the table. */
export interface Names {
  readonly rows?: readonly string[]
  /** Numbers of parameters that do: 1 for `$1`. */
  readonly rowParameters?: readonly number[]
}

/**
 * Which legacy columns the statements read or write, as PostgreSQL would resolve them: by alias, through `*`, whole
 * rows, `returning *`, and inserts without a list of columns. In doubt whether a name is ours, it is.
 */
export function usesOf(statements: readonly Tree[], target: Target, columnsOf: ColumnsOf, names: Names = {}): Uses {
  const reader = createReader(target, columnsOf, names.rowParameters ?? [])
  const outermost = below(null)
  for (const name of names.rows ?? [])
    outermost.entries.push({ ...oursAs(target.relations[0]!, target, name, null), variable: true })
  for (const statement of statements) reader.visit(statement, outermost)
  return reader.found()
}

function createReader(target: Target, columnsOf: ColumnsOf, rowParameters: readonly number[]) {
  const reads = new Set<string>()
  const writes = new Set<string>()
  const readAll = (entry: Entry): void => entry.legacy?.forEach((column) => reads.add(column))

  function visit(node: unknown, scope: Scope): void {
    if (Array.isArray(node)) return node.forEach((one) => visit(one, scope))
    if (typeof node !== 'object' || node === null) return
    for (const [kind, value] of Object.entries(node)) {
      const fields = value as Tree
      switch (kind) {
        case 'SelectStmt':
          select(fields, scope)
          break
        case 'InsertStmt':
          insert(fields, scope)
          break
        case 'UpdateStmt':
        case 'DeleteStmt':
          change(fields, scope)
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
          // EXISTS looks at no column of its query, so that a star in it reads nothing.
          visit(
            fields['subLinkType'] === 'EXISTS_SUBLINK' ? withoutTargets(fields['subselect']) : fields['subselect'],
            scope,
          )
          break
        default:
          visit(value, scope)
      }
    }
  }

  function select(fields: Tree, outer: Scope): ReadonlySet<string> | null {
    const scope = below(outer)
    withQueries(fields['withClause'], scope)
    if (fields['larg']) {
      const columns = select(fields['larg'] as Tree, scope)
      select(fields['rarg'] as Tree, scope)
      return columns
    }
    from(fields['fromClause'], scope)
    const outputs = outputsOf(fields['targetList'], scope)
    const { targetList, fromClause, withClause, sortClause, distinctClause, ...rest } = fields
    void fromClause
    void withClause
    visit(targetList, scope)
    visit(rest, scope)
    // ORDER BY and DISTINCT ON mean an output's name first.
    for (const clause of [sortClause, distinctClause]) visit(withoutNames(clause, outputs), scope)
    if (Array.isArray(fields['valuesLists'])) return null
    return outputs
  }

  function withQueries(clause: unknown, scope: Scope): void {
    for (const { CommonTableExpr: query } of listOf<{ CommonTableExpr: Tree }>(
      (clause as Tree | undefined)?.['ctes'],
    )) {
      const name = query['ctename'] as string
      const inner = query['ctequery'] as Tree
      if ((clause as Tree)['recursive']) scope.queries.set(name, null)
      const columns = inner['SelectStmt'] ? select(inner['SelectStmt'] as Tree, scope) : returned(inner, scope)
      scope.queries.set(name, renamed(columns, { aliasname: name, colnames: query['aliascolnames'] }))
    }
  }

  function returned(statement: Tree, scope: Scope): null {
    visit(statement, scope)
    return null
  }

  function from(items: unknown, scope: Scope): void {
    for (const item of listOf<Tree>(items)) fromItem(item, scope)
  }

  function fromItem(item: Tree, scope: Scope): void {
    for (const [kind, value] of Object.entries(item)) {
      const fields = value as Tree
      const alias = fields['alias'] as Alias | undefined
      switch (kind) {
        case 'RangeVar':
          scope.entries.push(entryOf(fields, scope, target, columnsOf))
          break
        case 'RangeSubselect': {
          const columns = select((fields['subquery'] as Tree)['SelectStmt'] as Tree, scope)
          scope.entries.push({
            name: alias?.aliasname ?? null,
            schema: null,
            columns: renamed(columns, alias),
            legacy: null,
          })
          break
        }
        case 'RangeTableSample':
          visit(fields['args'], scope)
          fromItem(fields['relation'] as Tree, scope)
          break
        case 'JoinExpr':
          join(fields, scope)
          break
        default:
          visit(value, scope)
          scope.entries.push({ name: alias?.aliasname ?? null, schema: null, columns: null, legacy: null })
      }
    }
  }

  function join(fields: Tree, scope: Scope): void {
    const before = scope.entries.length
    fromItem(fields['larg'] as Tree, scope)
    fromItem(fields['rarg'] as Tree, scope)
    const joined = scope.entries.slice(before)
    const merged = strings(fields['usingClause'])
    for (const entry of joined) {
      if (fields['isNatural']) {
        const others = joined.filter((other) => other !== entry)
        entry.legacy?.forEach((column, visible) => {
          if (others.some(({ columns }) => columns === null || columns.has(visible))) reads.add(column)
        })
      }
      for (const name of merged ?? []) {
        const column = entry.legacy?.get(name)
        if (column !== undefined) reads.add(column)
      }
    }
    const alias = fields['alias'] as Alias | undefined
    if (alias) scope.entries.push(...joined.map((entry) => ({ ...entry, name: alias.aliasname, schema: null })))
    visit(fields['quals'], scope)
  }

  function insert(fields: Tree, outer: Scope): void {
    const scope = below(outer)
    withQueries(fields['withClause'], scope)
    const relation = fields['relation'] as Tree
    visit(fields['selectStmt'], scope)
    const into = entryOf(relation, scope, target, columnsOf)
    scope.entries.push(into)
    if (into.legacy !== null) insertedColumns(fields, relation).forEach((name) => writes.add(name))
    const conflict = fields['onConflictClause'] as Tree | undefined
    if (conflict) {
      for (const { IndexElem: element } of listOf<{ IndexElem: Tree }>(
        (conflict['infer'] as Tree | undefined)?.['indexElems'],
      )) {
        visit(element['expr'], scope)
        const column = into.legacy?.get(element['name'] as string)
        if (column !== undefined) reads.add(column)
      }
      visit((conflict['infer'] as Tree | undefined)?.['whereClause'], scope)
      const updating = below(scope)
      updating.entries.push({ ...into, name: 'excluded', schema: null })
      assigned(conflict['targetList'], into, updating)
      visit(conflict['whereClause'], updating)
    }
    returning(fields, into, scope)
  }

  /** The legacy columns that an insert gives a value. */
  function insertedColumns(fields: Tree, relation: Tree): readonly string[] {
    const select = (fields['selectStmt'] as Tree | undefined)?.['SelectStmt'] as Tree | undefined
    // DEFAULT VALUES
    if (select === undefined) return []
    const named = listOf<{ ResTarget: { name: string } }>(fields['cols']).map(({ ResTarget }) => ResTarget.name)
    if (named.length > 0) return target.legacy.filter((column) => named.includes(column))
    const { columns } = relationNamed(
      target,
      (relation['schemaname'] as string | undefined) ?? null,
      relation['relname'] as string,
    )!
    const rows = listOf<{ List?: { items?: unknown[] } }>(select['valuesLists'])
    const given =
      rows.length > 0 ? Math.max(...rows.map((row) => row.List?.items?.length ?? columns.length)) : columns.length
    return columns.slice(0, given).filter((column) => target.legacy.includes(column))
  }

  function change(fields: Tree, outer: Scope): void {
    const scope = below(outer)
    withQueries(fields['withClause'], scope)
    const into = entryOf(fields['relation'] as Tree, scope, target, columnsOf)
    scope.entries.push(into)
    from(fields['fromClause'] ?? fields['usingClause'], scope)
    assigned(fields['targetList'], into, scope)
    visit(fields['whereClause'], scope)
    returning(fields, into, scope)
  }

  function merge(fields: Tree, outer: Scope): void {
    const scope = below(outer)
    withQueries(fields['withClause'], scope)
    const relation = fields['relation'] as Tree
    const into = entryOf(relation, scope, target, columnsOf)
    scope.entries.push(into)
    fromItem(fields['sourceRelation'] as Tree, scope)
    visit(fields['joinCondition'], scope)
    for (const { MergeWhenClause: when } of listOf<{ MergeWhenClause: Tree }>(fields['mergeWhenClauses'])) {
      visit(when['condition'], scope)
      assigned(when['targetList'], into, scope)
      visit(when['values'], scope)
      const inserts = when['commandType'] === 'CMD_INSERT' && when['values'] !== undefined
      if (into.legacy !== null && inserts && !when['targetList']) {
        const { columns } = relationNamed(
          target,
          (relation['schemaname'] as string | undefined) ?? null,
          relation['relname'] as string,
        )!
        const given = columns.slice(0, listOf(when['values']).length)
        given.filter((column) => target.legacy.includes(column)).forEach((column) => writes.add(column))
      }
    }
    returning(fields, into, scope)
  }

  function assigned(targets: unknown, into: Entry, scope: Scope): void {
    const legacy = into.legacy === null ? [] : [...into.legacy.values()]
    for (const { ResTarget } of listOf<{ ResTarget: Tree }>(targets)) {
      const name = ResTarget['name'] as string
      if (legacy.includes(name)) writes.add(name)
      visit(ResTarget['indirection'], scope)
      visit(ResTarget['val'], scope)
    }
  }

  function returning(fields: Tree, into: Entry, outer: Scope): void {
    const scope = below(outer)
    scope.entries.push(...outer.entries, ...['old', 'new'].map((name) => ({ ...into, name, schema: null })))
    visit(fields['returningList'], scope)
    visit((fields['returningClause'] as Tree | undefined)?.['exprs'], scope)
  }

  function copy(fields: Tree, scope: Scope): void {
    visit(fields['query'], scope)
    const relation = fields['relation'] as Tree | undefined
    if (!relation) return
    const entry = entryOf(relation, scope, target, columnsOf)
    const named = strings(fields['attlist'])
    const columns = [...(entry.legacy?.values() ?? [])].filter((one) => named === null || named.includes(one))
    columns.forEach((one) => (fields['is_from'] ? writes : reads).add(one))
    if (fields['whereClause']) visit(fields['whereClause'], { ...below(scope), entries: [entry] })
  }

  function column(fields: Tree, scope: Scope): void {
    const parts = listOf<Tree>(fields['fields'])
    const star = parts.at(-1)?.['A_Star'] !== undefined
    const names = parts.flatMap((part) => (part['String'] as { sval?: string } | undefined)?.sval ?? [])
    if (star && names.length === 0) return scope.entries.forEach(readAll)
    if (star) return entriesNamed(scope, names).forEach(readAll)
    if (names.length === 1) return bare(names[0]!, scope)
    for (const entry of entriesNamed(scope, names.slice(0, -1))) {
      const found = entry.legacy?.get(names.at(-1)!)
      if (found !== undefined) reads.add(found)
    }
  }

  /** `$1.is_truck` */
  function fieldOfParameter(fields: Tree): void {
    const parameter = (fields['arg'] as Tree)['ParamRef'] as { number?: number } | undefined
    if (!rowParameters.includes(parameter?.number ?? 0)) return
    const [first] = listOf<Tree>(fields['indirection'])
    const name = (first?.['String'] as { sval?: string } | undefined)?.sval
    target.legacy.filter((column) => column === name).forEach((column) => reads.add(column))
  }

  function bare(name: string, scope: Scope): void {
    for (let at: Scope | null = scope; at !== null; at = at.outer) {
      const ours = at.entries.filter((entry) => !entry.variable && entry.legacy?.has(name))
      if (ours.length > 0) return ours.forEach((entry) => reads.add(entry.legacy!.get(name)!))
      if (at.entries.some((entry) => !entry.variable && entry.columns?.has(name))) return
    }
    // No column: the whole row of an entry of that name.
    for (const entry of entriesNamed(scope, [name])) if (!entry.variable) readAll(entry)
  }

  function outputsOf(targets: unknown, scope: Scope): ReadonlySet<string> | null {
    const names = new Set<string>()
    for (const { ResTarget } of listOf<{ ResTarget: Tree }>(targets)) {
      const reference = (ResTarget['val'] as Tree | undefined)?.['ColumnRef'] as Tree | undefined
      const last = listOf<Tree>(reference?.['fields']).at(-1)
      if (last?.['A_Star'] !== undefined) {
        const qualifier = listOf<Tree>(reference!['fields']).flatMap(
          (part) => (part['String'] as { sval?: string } | undefined)?.sval ?? [],
        )
        const starred = qualifier.length === 0 ? scope.entries : entriesNamed(scope, qualifier)
        if (starred.length === 0 || starred.some(({ columns }) => columns === null)) return null
        starred.forEach(({ columns }) => columns!.forEach((one) => names.add(one)))
        continue
      }
      const name =
        (ResTarget['name'] as string | undefined) ?? (last?.['String'] as { sval?: string } | undefined)?.sval
      // What PostgreSQL calls an expression without a name is no name that a statement is written with.
      if (name !== undefined) names.add(name)
    }
    return names
  }

  return { visit, found: (): Uses => ({ reads: [...reads].sort(), writes: [...writes].sort() }) }
}

/** The entries that a qualifier means: of the nearest level that has any. */
function entriesNamed(scope: Scope, qualifier: readonly string[]): Entry[] {
  const name = qualifier.at(-1)!
  const schema = qualifier.length > 1 ? qualifier.at(-2)! : null
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const found = at.entries.filter(
      (entry) => entry.name === name && (schema === null || entry.schema === null || entry.schema === schema),
    )
    if (found.length > 0) return found
  }
  return []
}

/** The same SELECT with nothing selected. */
function withoutTargets(subselect: unknown): unknown {
  const { SelectStmt } = subselect as { SelectStmt?: Tree }
  if (!SelectStmt || SelectStmt['larg']) return subselect
  const { targetList, ...rest } = SelectStmt
  void targetList
  return { SelectStmt: rest }
}

function withoutNames(clause: unknown, outputs: ReadonlySet<string> | null): unknown {
  return listOf<Tree>(clause).filter((item) => {
    const node = ((item['SortBy'] as Tree | undefined)?.['node'] ?? item) as Tree
    const names = strings((node['ColumnRef'] as Tree | undefined)?.['fields'])
    return !(names?.length === 1 && outputs?.has(names[0]!))
  })
}

function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? (value as T[]) : []
}
