import type { Actor, EvidenceReport } from '../contract/index.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { ReportRefused, verifyReport } from '../signature/verify.ts'
import { promotionRequirement, type PromotionDependencies } from './promotionGate.ts'
import { formatDuration } from './formatDuration.ts'

/** Clocks of two environments may differ by so much. */
const MAX_CLOCK_SKEW_SECONDS = 300

export class PromotionRefused extends Error {
  readonly code = 'refused'
  readonly reasons: readonly string[]
  constructor(reasons: readonly string[]) {
    super(reasons[0])
    this.reasons = reasons
  }
}

/**
 * Takes a signed report of the environment that the rollout file names, and keeps it with who handed it in.
 * @throws ReportRefused when it proves nothing; PromotionRefused with all that would have to be true
 */
export async function acceptPromotion(
  parts: PromotionDependencies,
  rollout: Rollout,
  submission: { report: unknown; actor: Actor; reason: string | null },
): Promise<void> {
  requirePromotionExpected(parts, rollout)
  if (parts.trustedKeys.length === 0)
    throw new ReportRefused('This agent trusts no key: set STI_TRUSTED_KEYS_FILE to the keys of the other environment.')
  const { report, key } = await verifyReport(submission.report, parts.trustedKeys)
  const [clock] = await parts.state<{ now: Date }[]>`select clock_timestamp() as now`
  const reasons = findReportFaults(report, rollout, parts.environment, clock!.now)
  if (reasons.length > 0) throw new PromotionRefused(reasons)
  const { state } = parts
  await state`
    with promoted as (
      insert into sti.promotion (rollout, forced, from_environment, promotion_hash, kid, verdict, validated_at, generated_at,
        report, actor, reason)
      values (${rollout.name}, false, ${report.environment}, ${report.file.promotionHash}, ${key.kid}, ${report.validation!.verdict},
        ${report.validation!.endedAt}, ${report.generatedAt}, ${state.json(submission.report as never)}, ${state.json(submission.actor)},
        ${submission.reason})
      returning id
    )
    select sti.append_event(null, ${rollout.name}, ${state.json(submission.actor)}, 'promotion',
      ${`promoted from ${report.environment} by a report signed with key ${key.kid}`}, ${submission.reason}, null,
      jsonb_build_object('promotion', id, 'validatedAt', ${report.validation!.endedAt}::text)) from promoted`
}

/**
 * An admin answers for it instead of a report. It counts for this version of the file and as long as a report would.
 * @throws PromotionRefused when the file wants no promotion here
 */
export async function forcePromotion(
  parts: PromotionDependencies,
  rollout: Rollout,
  { actor, reason }: { actor: Actor; reason: string },
): Promise<void> {
  requirePromotionExpected(parts, rollout)
  const { state } = parts
  await state`
    with promoted as (
      insert into sti.promotion (rollout, forced, promotion_hash, actor, reason)
      values (${rollout.name}, true, ${promotionHash(rollout.file)}, ${state.json(actor)}, ${reason})
      returning id
    )
    select sti.append_event(null, ${rollout.name}, ${state.json(actor)}, 'promotion', 'promotion forced, without a report', ${reason},
      null, jsonb_build_object('promotion', id)) from promoted`
}

function requirePromotionExpected({ environment }: PromotionDependencies, rollout: Rollout): void {
  if (promotionRequirement(rollout, environment) !== null) return
  throw new PromotionRefused([
    rollout.file.promotion === undefined
      ? 'The rollout file wants no promotion: write promotion: { from: staging } into it.'
      : `This is ${environment}, where the promotion comes from: hand the report in where it is to go.`,
  ])
}

/** What would have to be true of the report, all of it. */
export function findReportFaults(report: EvidenceReport, rollout: Rollout, environment: string, now: Date): string[] {
  const { from, maxAge } = promotionRequirement(rollout, environment)!
  const { validation } = report
  const faults = [
    report.environment !== from && `The report is of ${report.environment}; the rollout file wants one of ${from}.`,
    report.rollout !== rollout.name && `The report is of rollout ${report.rollout}, and this is ${rollout.name}.`,
    report.file.promotionHash !== promotionHash(rollout.file) &&
      `The rollout file of ${report.environment} is another one: what it says of the table, the types, limits and checks must be the same here (docs/evidence.md).`,
  ]
  if (validation?.endedAt == null) return [...faults.filter(isText), 'The report has no validation that ended.']
  const ageSeconds = (now.getTime() - Date.parse(validation.endedAt)) / 1000
  return [
    ...faults,
    validation.verdict !== 'pass' && `Its validation is ${validation.verdict}: only one that passed counts.`,
    validation.fileHash !== report.file.hash &&
      'Its validation is of another version of the rollout file than the report.',
    !report.verified && 'Rows were written in bulk, or a layer is missing, since its validation: validate again there.',
    ageSeconds > maxAge &&
      `Its validation ended ${formatDuration(ageSeconds)} ago; the file allows ${formatDuration(maxAge)}: validate again there.`,
    ageSeconds < -MAX_CLOCK_SKEW_SECONDS &&
      `Its validation ended ${formatDuration(-ageSeconds)} in the future: set the clocks right.`,
  ].filter(isText)
}

const isText = (value: string | false): value is string => value !== false
