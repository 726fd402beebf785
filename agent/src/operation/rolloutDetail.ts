import type { BackfilledRows, RolloutDetail } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { findWriter, type RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import { rehearsalStatus } from '../rollback/rehearsalStatus.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import { listAllowedActions } from './allowedActions.ts'
import { listOperations, toOperation } from './operationRow.ts'
import { assessRollbackReadiness } from './rollbackReadiness.ts'
import { currentCoverage } from './rolloutStage.ts'
import { describeSteps } from './rolloutSteps.ts'
import { droppedSentence } from './tableFacts.ts'

const LISTED_OPERATIONS = 20

/** A rollout as the API returns it, without its incidents and vital signs. */
export async function readRolloutDetail(
  sql: Sql,
  facts: RolloutFacts,
  environment: string,
  kinds: OperationDefinitions,
): Promise<Omit<RolloutDetail, 'automaticRollback' | 'incidents' | 'openIncidents' | 'vitals'>> {
  const { rollout } = facts
  const operations = (await listOperations(sql, rollout.name, LISTED_OPERATIONS)).map(toOperation)
  const actions = listAllowedActions(facts, kinds)
  const now = Date.now()
  const { steps, next } = describeSteps({ facts, actions, operations, now })
  return {
    rollout: rollout.name,
    environment,
    at: new Date(now).toISOString(),
    table: `${rollout.table.schema}.${rollout.table.name}`,
    stage: facts.stage,
    coverage: currentCoverage(facts),
    steps,
    next,
    flag: facts.flag,
    running: findWriter(facts) ?? facts.openOperations[0] ?? null,
    rows: backfilledRows(facts),
    failedRows: facts.failedRows + facts.acceptedRows,
    rollbackReady: assessRollbackReadiness(facts),
    backup: facts.backup,
    // The end of the rollout refuses every step, but is no fault.
    faults: facts.stage === 'dropped' ? [...facts.blockers] : [...facts.faults],
    file: rollout.text,
    fileHash: rollout.hash,
    derivationHash: rollout.derivationHash,
    promotionHash: promotionHash(rollout.file),
    promotion: facts.promotion,
    monitoring: facts.monitoring,
    rehearsal: rehearsalStatus(facts),
    discriminator: { column: rollout.discriminator.column, dataType: rollout.discriminator.dataType },
    types: [...rollout.types],
    legacyColumns: [...rollout.legacyColumns],
    operations,
    validation: facts.validation,
    baseline: facts.baseline,
    actions,
    notes: [...(facts.stage === 'dropped' ? [droppedSentence(rollout)] : []), ...facts.notes, ...prefillNotes(facts)],
  }
}

/** A rollback of the data after the last backfill undid it. */
function backfilledRows({
  openOperations,
  lastSucceededBackfill: last,
  lastDataRollback,
}: RolloutFacts): BackfilledRows | null {
  const done = last !== null && last.id > (lastDataRollback?.id ?? 0) ? last : null
  const progress = (openOperations.find(({ kind }) => kind === 'backfill') ?? done)?.progress ?? null
  return progress === null ? null : { processed: progress.processedRows, total: progress.totalRows }
}

function prefillNotes({ activePrefill, rollout }: RolloutFacts): string[] {
  if (activePrefill === null) return []
  return [
    `Rows that the backfill has not written yet read as ${activePrefill.type}, whatever their type is: do not read ${rollout.discriminator.column} before the backfill has completed and a validation has passed.`,
  ]
}
