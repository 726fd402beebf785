import { formatQuantity } from '../../format/format.ts'
import { describeDependency } from '../catalog/legacyCatalog.ts'
import { readWholeRowViews } from '../catalog/wholeRowViews.ts'
import type { DropCheck, TableContext } from './dropCheck.ts'

export const noDependentObjects: DropCheck<TableContext> = {
  name: 'no-dependent-objects',
  question: 'Is the database free of objects that depend on the columns?',
  async run({ catalog, sql, table, target, columnsOf }) {
    const wholeRowViews = await readWholeRowViews(sql, table.oid, target, columnsOf)
    const problems = [...catalog.blocking, ...wholeRowViews].map(describeDependency)
    if (problems.length > 0) {
      const summary = `${formatQuantity(problems.length, 'object depends', 'objects depend')} on the columns`
      return { verdict: 'fail', summary, evidence: `${summary}: ${problems.join('; ')}`, findings: problems }
    }
    const droppedObjects = [
      ...catalog.indexes.map(({ sql: name }) => `index ${name}`),
      ...catalog.constraints
        .filter(({ kind }) => kind !== 'not null')
        .map(({ kind, name, on }) => `${kind} constraint ${name} of ${on}`),
      ...catalog.statistics.map(({ sql: name }) => `statistics ${name}`),
    ]
    const droppedObjectsNote =
      droppedObjects.length === 0
        ? ''
        : `; ${formatQuantity(droppedObjects.length, 'object')} on the columns alone will be dropped with them and recreated by the undo`
    return {
      verdict: 'pass',
      evidence: `no object depends on the columns${droppedObjectsNote}`,
      findings: droppedObjects,
    }
  },
}
