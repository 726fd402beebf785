import { readAcceptances } from '../acceptance/acceptanceStore.ts'
import {
  operationName,
  type BackupStatus,
  type FlagStatus,
  type Operation,
  type PromotionGate,
} from '../contract/index.ts'
import { readManifest } from '../columnDrop/archive/manifest.ts'
import { stalenessReason } from '../columnDrop/staleness.ts'
import { readColumnDropBrief } from '../columnDrop/store.ts'
import type { Sql } from '../database/connect.ts'
import { correctedWritesRefusals, describeCorrectedWrites, readCorrectedWrites } from '../dualWrite/correctedWrites.ts'
import type { CorrectedWrites, RolloutFacts, ValidationFacts } from '../kind/facts.ts'
import { createBaselineContext, readNewestBaseline } from '../measure/baselineStore.ts'
import { readMonitoring } from '../monitoring/readMonitoring.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { readCoverageSummary, readFailedChecksSince, readLatestValidation } from '../validation/store.ts'
import { derivationChangeNotes, otherFileNotes, readFileFacts } from './fileVersions.ts'
import { readHistoryFacts } from './historyFacts.ts'
import { discriminatorFacts, readJournalFacts } from './journalFacts.ts'
import { deriveStage, type FactsBeforeStage } from './rolloutStage.ts'
import { rowVerificationGaps } from '../kind/verification.ts'
import { readTableFacts, type TableFactsSource } from './tableFacts.ts'

export interface FactsSource extends TableFactsSource {
  readonly environment: string
  readonly agent: string
  readonly flag: (rollout: string) => FlagStatus
  readonly backup: (rollout: string) => BackupStatus
  /** The promotion that the file requires from another environment; null: none. */
  readonly promotion: (rollout: Rollout) => Promise<PromotionGate | null>
}

/** Reads everything about a rollout again. @throws only if the database is unavailable */
export async function readFacts(source: FactsSource, file: Rollout): Promise<RolloutFacts> {
  const readSince = Date.now()
  const { state } = source
  const tableFacts = await readTableFacts(source, file)
  const { rollout } = tableFacts
  const [history, journal, validationFacts, promotion, baseline, columnDropBrief, archive, acceptances] =
    await Promise.all([
      readHistoryFacts(state, rollout.name),
      readJournalFacts(state, rollout.name),
      readValidationFacts(state, rollout),
      source.promotion(rollout),
      readNewestBaseline(state, createBaselineContext(rollout, source.environment)),
      readColumnDropBrief(state, rollout.name),
      readManifest(state, rollout),
      readAcceptances(state, rollout.name),
    ])
  const fileFacts = await readFileFacts(state, rollout, source.agent, history.succeededOperations)
  const lastMonitoringEnable =
    history.succeededOperations.findLast(
      ({ kind, parameters }) => kind === 'monitoring' && parameters['enabled'] !== false,
    ) ?? null
  const currentFacts = {
    rollout,
    flag: source.flag(rollout.name),
    failedRows: validationFacts.failedRows,
    archive,
    lastWriteEndedAt: history.lastWriteEndedAt,
  }
  const discriminator = discriminatorFacts(tableFacts.table, journal.changes, history.lastSucceededBackfill)
  const correctedWrites =
    tableFacts.finalizeMissing.length === 0
      ? null
      : await readCorrectedWrites(state, rollout, acceptances, discriminator.columnAddedAt)
  const facts: FactsBeforeStage = {
    ...tableFacts,
    ...history,
    ...journal,
    ...validationFacts,
    ...fileFacts,
    ...discriminator,
    ...currentFacts,
    readSince,
    acceptances,
    correctedWrites,
    notes: [
      ...tableFacts.notes,
      ...otherFileNotes(fileFacts),
      ...(journal.changes.length > 0
        ? derivationChangeNotes({ ...fileFacts, flagEnabled: currentFacts.flag.enabled })
        : []),
      ...derivationMismatchNotes(rollout, history.openOperations),
      ...correctedWritesNotes(rollout, correctedWrites),
    ],
    monitoring: await readMonitoring(state, rollout.name, journal.monitoringChanges, lastMonitoringEnable),
    promotion,
    baseline,
    backup: source.backup(rollout.name),
    columnDrop: columnDropBrief && {
      ...columnDropBrief,
      staleBecause: stalenessReason(columnDropBrief, currentFacts),
    },
  }
  return { ...facts, coverageVerified: rowVerificationGaps(facts).length === 0, stage: deriveStage(facts) }
}

async function readValidationFacts(state: Sql, { name, file }: Rollout): Promise<ValidationFacts> {
  const { requires } = file.validation
  const [validation, lastCounts, [failedRowCounts]] = await Promise.all([
    readLatestValidation(state, name, requires),
    readCoverageSummary(state, name),
    state<{ open: number; accepted: number }[]>`
      select count(*) filter (where accepted_by is null)::int as open, count(*) filter (where accepted_by is not null)::int as accepted
      from sti.failed_row where rollout = ${name} and recovered_at is null`,
  ])
  return {
    validation,
    checksFailedSince:
      validation === null
        ? []
        : await readFailedChecksSince(state, name, validation.id, [...new Set([...requires, 'integrity' as const])]),
    lastCounts,
    failedRows: failedRowCounts!.open,
    acceptedRows: failedRowCounts!.accepted,
  }
}

function correctedWritesNotes(rollout: Rollout, corrected: CorrectedWrites | null): string[] {
  if (corrected === null) return []
  const refusals = correctedWritesRefusals(rollout, corrected)
  return refusals.length > 0 ? refusals : [describeCorrectedWrites(rollout, corrected)]
}

/** No agent claims an operation that is bound to another derivation. */
function derivationMismatchNotes(rollout: Rollout, open: readonly Operation[]): string[] {
  return open
    .filter((operation) => operation.derivationHash !== rollout.derivationHash)
    .map(
      (operation) =>
        `${operationName(operation)} was requested with a rollout file that derives differently, and waits for an agent with that file: cancel it, or restore the file.`,
    )
}
