import { capitalize } from '../format/format.ts'
import type { Sql } from '../database/connect.ts'
import { dryRun } from '../rollout/dryRun.ts'
import type { PreparationFinding } from '../rollout/preparation.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { readColumnUseTarget } from '../statements/readColumnUseTarget.ts'
import { readCatalogRows } from './catalog/readLegacyCatalog.ts'
import type { DropFinding, TableContext } from './checks/dropCheck.ts'
import { TABLE_CHECKS } from './checks/dropChecks.ts'
import { acceptanceAdvice, findFault } from './checks/runDropCheck.ts'

/**
 * What the column drop would be refused for as the database is now, by the same checks: known before expand, since an
 * application takes longest to change its own objects. Changes nothing. `sql` has only pg_catalog on its search path, and
 * the file must fit the table (`checkAgainstTable`).
 */
export async function inspectColumnDrop(sql: Sql, rollout: Rollout, table: Table): Promise<PreparationFinding[]> {
  const context: TableContext = {
    sql,
    rollout,
    table,
    catalog: await readCatalogRows(sql, rollout, table),
    ...(await readColumnUseTarget(sql, rollout, table)),
  }
  const findings: PreparationFinding[] = await dropRefusals(sql)
  for (const check of TABLE_CHECKS) {
    const finding = await findFault(check, context)
    if (finding.verdict !== 'pass') findings.push(toPreparationFinding(check.name, finding))
  }
  return findings
}

/** An event trigger of the application may refuse to drop a column of any table. */
async function dropRefusals(sql: Sql): Promise<PreparationFinding[]> {
  const result = await dryRun(sql, [
    'set transaction read write',
    'create temporary table "~sti_drop" (kept integer, dropped integer)',
    'alter table pg_temp."~sti_drop" drop column dropped',
  ])
  if (!('refused' in result)) return []
  const advice = result.functionAdvice ?? 'Remove the cause'
  const text = `The database refuses to drop a column, which the data rollback does too: ${result.refused}. ${advice}.`
  return [{ step: 'column drop', refused: true, text }]
}

function toPreparationFinding(check: string, finding: DropFinding): PreparationFinding {
  const { summary, evidence, findings = [], acceptable = [] } = finding
  const advice = acceptable.length === 0 ? '' : ` ${acceptanceAdvice(check)}`
  const text = `${capitalize(summary ?? evidence)} (check ${check}).${advice}`
  const named = { step: 'column drop' as const, refused: true, text }
  return summary === undefined ? named : { ...named, objects: findings }
}
