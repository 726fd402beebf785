import type { Actor, EvidenceReport } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { ReportRefused, verifyReport } from '../signature/verify.ts'
import { promotionRequirement, type PromotionDependencies } from './promotionGate.ts'

/** The tolerated difference between the clocks of two environments. */
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
 * Accepts a signed report from the environment that the rollout file names, and stores it with the person who uploaded it.
 * @throws ReportRefused if the signature cannot be trusted; PromotionRefused with every reason if the report does not fit
 */
export async function acceptPromotion(
  parts: PromotionDependencies,
  rollout: Rollout,
  submission: { report: unknown; actor: Actor; reason: string | null },
): Promise<void> {
  requirePromotionExpected(parts, rollout)
  if (parts.trustedKeys.length === 0)
    throw new ReportRefused(
      'The report cannot be verified because this agent trusts no signing key. Set STI_TRUSTED_KEYS_FILE to the public keys of the other environment.',
    )
  const { report, key } = await verifyReport(submission.report, parts.trustedKeys)
  const [clock] = await parts.state<{ now: Date }[]>`select clock_timestamp() as now`
  const reasons = findReportFaults(report, rollout, parts.environment, clock!.now)
  if (reasons.length > 0) throw new PromotionRefused(reasons)
  const { state } = parts
  await state`
    with promoted as (
      insert into sti.promotion (rollout, forced, from_environment, promotion_hash, key_id, verdict, validated_at, generated_at,
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
 * Records that an admin approves the promotion without a report. It is valid for this version of the file, and for as
 * long as a report would be.
 * @throws PromotionRefused if the file does not require a promotion here
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
    select sti.append_event(null, ${rollout.name}, ${state.json(actor)}, 'promotion', 'promotion forced without a report', ${reason},
      null, jsonb_build_object('promotion', id)) from promoted`
}

function requirePromotionExpected({ environment }: PromotionDependencies, rollout: Rollout): void {
  if (promotionRequirement(rollout, environment) !== null) return
  throw new PromotionRefused([
    rollout.file.promotion === undefined
      ? 'The rollout file does not require a promotion. Add promotion: { from: staging } to it first.'
      : `${environment} is the environment that the promotion comes from. Upload the report to the target environment.`,
  ])
}

/** Every reason why the report does not promote this rollout; empty if it does. */
export function findReportFaults(report: EvidenceReport, rollout: Rollout, environment: string, now: Date): string[] {
  const { from, maxAge } = promotionRequirement(rollout, environment)!
  const { validation } = report
  const faults = [
    report.environment !== from &&
      `The report is from ${report.environment}, but the rollout file requires one from ${from}.`,
    report.rollout !== rollout.name &&
      `The report is for rollout ${report.rollout}, but this rollout is ${rollout.name}.`,
    report.file.promotionHash !== promotionHash(rollout.file) &&
      `The rollout file in ${report.environment} differs. The table, types, limits, and checks must be identical in both environments (docs/evidence.md).`,
  ]
  if (validation?.endedAt == null)
    return [
      ...faults.filter(isText),
      'The report contains no finished validation. Validate in the other environment first.',
    ]
  const ageSeconds = (now.getTime() - Date.parse(validation.endedAt)) / 1000
  return [
    ...faults,
    validation.verdict !== 'pass' &&
      `The validation in the report ended with verdict ${validation.verdict}. Only a passed validation promotes a rollout.`,
    validation.derivationHash !== rollout.derivationHash &&
      'The validation in the report used a rollout file that derives differently. Validate there again.',
    !report.verified &&
      'The validation in the report is outdated: a bulk write has run since, or a layer is missing. Validate there again.',
    ageSeconds > maxAge &&
      `The validation in the report ended ${formatDuration(ageSeconds)} ago (limit ${formatDuration(maxAge)}). Validate there again.`,
    ageSeconds < -MAX_CLOCK_SKEW_SECONDS &&
      `The validation in the report ended ${formatDuration(-ageSeconds)} in the future. Synchronize the clocks of both environments.`,
  ].filter(isText)
}

const isText = (value: string | false): value is string => value !== false
