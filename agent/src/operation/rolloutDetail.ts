import type { RolloutDetail } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { findWriter, type RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import { rehearsalStatus } from '../rollback/rehearsalStatus.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import { listAllowedActions } from './allowedActions.ts'
import { listOperations, toOperation } from './operationRow.ts'
import { assessRollbackReadiness } from './rollbackReadiness.ts'
import { currentCoverage } from './rolloutStage.ts'
import { droppedSentence } from './tableFacts.ts'

const LISTED_OPERATIONS = 20

/** A rollout as the API returns it, without its incidents. */
export async function readRolloutDetail(
  sql: Sql,
  facts: RolloutFacts,
  environment: string,
  kinds: OperationDefinitions,
): Promise<Omit<RolloutDetail, 'automaticRollback' | 'incidents' | 'openIncidents'>> {
  const { rollout } = facts
  const operations = (await listOperations(sql, rollout.name, LISTED_OPERATIONS)).map(toOperation)
  return {
    rollout: rollout.name,
    environment,
    table: `${rollout.table.schema}.${rollout.table.name}`,
    stage: facts.stage,
    coverage: currentCoverage(facts),
    flag: facts.flag,
    running: findWriter(facts) ?? facts.openOperations[0] ?? null,
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
    actions: listAllowedActions(facts, kinds),
    notes: [...(facts.stage === 'dropped' ? [droppedSentence(rollout)] : []), ...facts.notes, ...prefillNotes(facts)],
  }
}

function prefillNotes({ activePrefill, rollout }: RolloutFacts): string[] {
  if (activePrefill === null) return []
  return [
    `Rows that the backfill has not written yet read as ${activePrefill.type}, whatever their type is: do not read ${rollout.discriminator.column} before the backfill has completed and a validation has passed.`,
  ]
}
