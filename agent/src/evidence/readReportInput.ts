import type { Actor, EvidenceReport, Readiness } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { findForeignState } from '../database/databaseIdentity.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { verificationGaps } from '../kind/verification.ts'
import { createBaselineContext, readBaseline, readNewestBaseline } from '../measure/baselineStore.ts'
import { compareWithBaseline } from '../measure/compareWithBaseline.ts'
import { readComparisonWindow } from '../measure/comparisonWindow.ts'
import { currentCoverage } from '../operation/rolloutStage.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { TrustedKey } from '../signature/keys.ts'
import type { Signals } from '../signals/signals.ts'
import type { ReportInput } from './gatherReport.ts'
import { readPromotions } from './promotionGate.ts'

export interface ReportSource {
  readonly state: Sql
  readonly environment: string
  readonly production: boolean
  readonly agent: { readonly name: string; readonly version: string }
  readonly trustedKeys: readonly TrustedKey[]
  readonly signals: Signals
}

/** The part of a report that only this process knows: facts, signals, readiness. */
export async function readReportInput(
  source: ReportSource,
  facts: RolloutFacts,
  { readiness, by }: { readonly readiness: Readiness; readonly by: Actor },
): Promise<ReportInput> {
  const { environment, production, agent } = source
  const { rollout } = facts
  const [baseline, promotions, foreignState] = await Promise.all([
    readBaselineComparison(source, rollout),
    readPromotions(source, rollout),
    // Read for this report: after a failover, what the agent remembers may be two seconds old.
    findForeignState(source.state, environment),
  ])
  return {
    environment,
    production,
    agent,
    by,
    rollout: rollout.name,
    table: `${rollout.table.schema}.${rollout.table.name}`,
    text: rollout.text,
    hash: rollout.hash,
    file: rollout.file,
    stage: facts.stage,
    coverage: currentCoverage(facts),
    verified: verificationGaps(facts).length === 0,
    validation: facts.validation,
    acceptances: [...facts.acceptances],
    baseline,
    readiness,
    promotions,
    foreignState,
  }
}

async function readBaselineComparison(
  { state, environment, signals }: ReportSource,
  rollout: Rollout,
): Promise<EvidenceReport['baseline']> {
  const context = createBaselineContext(rollout, environment)
  const newest = await readNewestBaseline(state, context)
  const baseline = newest === null ? null : await readBaseline(state, context, newest.id)
  if (baseline === null) return null
  const { from } = await readComparisonWindow(state, rollout.name, baseline.endedAt)
  return await compareWithBaseline({ signals, rollout, environment, baseline, from })
}
