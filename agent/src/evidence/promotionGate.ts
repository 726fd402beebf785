import type { Actor, Promotion, PromotionGate } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { formatDuration } from '../format/format.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { TrustedKey } from '../signature/keys.ts'

export interface PromotionDependencies {
  readonly state: Sql
  readonly environment: string
  readonly trustedKeys: readonly TrustedKey[]
}

interface PromotionRecord {
  readonly id: bigint
  readonly forced: boolean
  readonly from_environment: string | null
  readonly promotion_hash: string
  readonly key_id: string | null
  readonly verdict: Promotion['verdict']
  readonly validated_at: Date | null
  readonly generated_at: Date | null
  readonly actor: Actor
  readonly at: Date
  readonly reason: string | null
  /** Since the validation ended or the promotion was forced, by the database clock. */
  readonly age_seconds: number
}

/** The promotion that the file requires here. Null: none, or this is the environment that promotions come from. */
export function promotionRequirement(rollout: Rollout, environment: string) {
  const requirement = rollout.file.promotion
  return requirement === undefined || requirement.from === environment ? null : requirement
}

/** The most recent promotions of a rollout, newest first, each judged by the current rollout file. */
export async function readPromotions(parts: PromotionDependencies, rollout: Rollout): Promise<Promotion[]> {
  const rows = await parts.state<PromotionRecord[]>`
    select id, forced, from_environment, promotion_hash, key_id, verdict, validated_at, generated_at, actor, at, reason,
      extract(epoch from clock_timestamp() - case when forced then at else validated_at end)::float8 as age_seconds
    from sti.promotion where rollout = ${rollout.name} order by id desc limit 50`
  return rows.map((row) => toPromotion(row, findPromotionFault(parts, rollout, row)))
}

/** Tells if the rollout is promoted to this environment. Null: the file does not require a promotion here. */
export async function readPromotionGate(parts: PromotionDependencies, rollout: Rollout): Promise<PromotionGate | null> {
  const requirement = promotionRequirement(rollout, parts.environment)
  if (requirement === null) return null
  const promotions = await readPromotions(parts, rollout)
  const valid = promotions.find((promotion) => promotion.counts)
  const latest = promotions[0] ?? null
  const instruction = `Not promoted from ${requirement.from}. Upload a signed report of a validation that passed there with the same rollout file at most ${formatDuration(requirement.maxAge)} ago (sti promote report.json).`
  return {
    from: requirement.from,
    maximumAgeSeconds: requirement.maxAge,
    backfillToo: requirement.backfillToo,
    promoted: valid !== undefined,
    reasons:
      valid !== undefined
        ? []
        : [latest === null ? instruction : `${instruction} The last promotion is not valid: ${latest.why}`],
    promotion: valid ?? latest,
  }
}

function findPromotionFault(
  { environment, trustedKeys }: PromotionDependencies,
  rollout: Rollout,
  row: PromotionRecord,
): string | null {
  const requirement = promotionRequirement(rollout, environment)
  if (requirement === null) return 'The rollout file does not require a promotion in this environment.'
  if (row.promotion_hash !== promotionHash(rollout.file)) return 'It was for a different version of the rollout file.'
  if (row.age_seconds > requirement.maxAge) {
    const event = row.forced ? 'It was forced' : 'Its validation ended'
    return `${event} ${formatDuration(row.age_seconds)} ago (limit ${formatDuration(requirement.maxAge)}).`
  }
  if (row.forced) return null
  if (row.from_environment !== requirement.from)
    return `It came from ${row.from_environment}, but the file requires ${requirement.from}.`
  if (!trustedKeys.some((key) => key.kid === row.key_id && key.environment === requirement.from))
    return `Its key ${row.key_id} is no longer trusted for ${requirement.from}.`
  return null
}

function toPromotion(row: PromotionRecord, why: string | null): Promotion {
  return {
    id: Number(row.id),
    forced: row.forced,
    from: row.from_environment,
    promotionHash: row.promotion_hash,
    kid: row.key_id,
    verdict: row.verdict,
    validatedAt: row.validated_at?.toISOString() ?? null,
    generatedAt: row.generated_at?.toISOString() ?? null,
    by: { name: row.actor.name, level: row.actor.level },
    at: row.at.toISOString(),
    reason: row.reason,
    counts: why === null,
    why,
  }
}
