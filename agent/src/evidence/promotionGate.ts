import type { Actor, Promotion, PromotionGate } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { TrustedKey } from '../signature/keys.ts'
import { formatDuration } from './formatDuration.ts'

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
  readonly kid: string | null
  readonly verdict: Promotion['verdict']
  readonly validated_at: Date | null
  readonly generated_at: Date | null
  readonly actor: Actor
  readonly at: Date
  readonly reason: string | null
  /** Seconds since the validation, or since it was forced, by the database's clock. */
  readonly age: number
}

/** What the file wants of another environment; null: nothing, or this is that environment itself. */
export function promotionRequirement(rollout: Rollout, environment: string) {
  const requirement = rollout.file.promotion
  return requirement === undefined || requirement.from === environment ? null : requirement
}

/** The last promotions of a rollout, the newest first, each judged for the file as it is now. */
export async function readPromotions(parts: PromotionDependencies, rollout: Rollout): Promise<Promotion[]> {
  const rows = await parts.state<PromotionRecord[]>`
    select id, forced, from_environment, promotion_hash, kid, verdict, validated_at, generated_at, actor, at, reason,
      extract(epoch from clock_timestamp() - case when forced then at else validated_at end)::float8 as age
    from sti.promotion where rollout = ${rollout.name} order by id desc limit 50`
  return rows.map((row) => toPromotion(row, findPromotionFault(parts, rollout, row)))
}

/** Whether the rollout may go on here; null: the file wants no promotion in this environment. */
export async function readPromotionGate(parts: PromotionDependencies, rollout: Rollout): Promise<PromotionGate | null> {
  const requirement = promotionRequirement(rollout, parts.environment)
  if (requirement === null) return null
  const promotions = await readPromotions(parts, rollout)
  const valid = promotions.find((one) => one.counts)
  const latest = promotions[0] ?? null
  const instruction = `Not promoted from ${requirement.from}: hand in a signed report of a validation that passed there, of the same rollout file and not older than ${formatDuration(requirement.maxAge)} (sti promote report.json).`
  return {
    from: requirement.from,
    maximumAgeSeconds: requirement.maxAge,
    backfillToo: requirement.backfillToo,
    promoted: valid !== undefined,
    reasons:
      valid !== undefined
        ? []
        : [latest === null ? instruction : `${instruction} The last promotion does not count: ${latest.why}`],
    promotion: valid ?? latest,
  }
}

function findPromotionFault(
  { environment, trustedKeys }: PromotionDependencies,
  rollout: Rollout,
  row: PromotionRecord,
): string | null {
  const requirement = promotionRequirement(rollout, environment)
  if (requirement === null) return 'The rollout file wants no promotion in this environment.'
  if (row.promotion_hash !== promotionHash(rollout.file)) return 'It was for another version of the rollout file.'
  if (row.age > requirement.maxAge) {
    const event = row.forced ? 'It was forced' : 'Its validation ended'
    return `${event} ${formatDuration(row.age)} ago; the file allows ${formatDuration(requirement.maxAge)}.`
  }
  if (row.forced) return null
  if (row.from_environment !== requirement.from)
    return `It was from ${row.from_environment}; the file wants ${requirement.from}.`
  if (!trustedKeys.some((key) => key.kid === row.kid && key.environment === requirement.from))
    return `Its key ${row.kid} is not trusted for ${requirement.from} any more.`
  return null
}

function toPromotion(row: PromotionRecord, why: string | null): Promotion {
  return {
    id: Number(row.id),
    forced: row.forced,
    from: row.from_environment,
    promotionHash: row.promotion_hash,
    kid: row.kid,
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
