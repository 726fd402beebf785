import type { ContactReadiness, Operation, Readiness, ReadinessItem, ReadinessList } from '../contract/index.ts'
import { ACKNOWLEDGE_TIMEOUT_SECONDS, ReadinessList as Lists } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { PullRequestState } from '../columnDrop/pullRequest/pullRequestState.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { Reading } from '../signals/reading.ts'
import { listSignOffItems, contactItemId } from './signOffItems.ts'
import { readAttestations } from './attestations.ts'
import { findLatestAttestation } from './items.ts'
import { monitoringItems } from './monitoringItems.ts'
import type { ExternalSystems } from './externalSystems.ts'
import { productionItems } from './productionItems.ts'
import type { AlertPathStatus, IncidentResponseTimes, PromotedReport, ReadinessInput } from './readinessInput.ts'
import { readRollbacks } from './rollbacks.ts'
import { stagingItems } from './stagingItems.ts'
import { successItems } from './successItems.ts'

export interface ReadinessDependencies {
  readonly state: Sql
  readonly environment: string
  readonly outside: (rollout: string) => ExternalSystems
  readonly families: number
  readonly alertPath: () => AlertPathStatus
  /** Reads the state of a pull request by its address; null: no repository is configured. */
  readonly pullRequestState: ((url: string) => Promise<Reading<PullRequestState>>) | null
}

/** Judges a rollout by the definition of done, item by item, with the next step for each item that is not ready. */
export async function readReadiness(parts: ReadinessDependencies, facts: RolloutFacts): Promise<Readiness> {
  const input = await readReadinessInput(parts, facts)
  const listItems = [...stagingItems(input), ...productionItems(input), ...monitoringItems(input)]
  const items = [...listItems, ...successItems(input, listItems)]
  return {
    rollout: facts.rollout.name,
    environment: parts.environment,
    at: new Date().toISOString(),
    ratios: Object.fromEntries(Lists.options.map((list) => [list, computeReadyRatio(items, list)])) as Record<
      ReadinessList,
      number
    >,
    items,
    notes: [...facts.notes, ...(facts.backup.available ? [] : [`No backup is known. ${facts.backup.detail}`])],
    contacts: toContactReadiness(input),
  }
}

/** 0 to 1, rounded down so that 1 means that every item is ready. */
function computeReadyRatio(items: readonly ReadinessItem[], list: ReadinessList): number {
  const itemsOfList = items.filter(({ lists }) => lists.includes(list))
  const ready = itemsOfList.filter(({ state }) => state === 'ready').length
  return Math.floor((ready * 1_000) / itemsOfList.length) / 1_000
}

async function readReadinessInput(
  { state, environment, outside, families, alertPath, pullRequestState }: ReadinessDependencies,
  facts: RolloutFacts,
): Promise<ReadinessInput> {
  const { name } = facts.rollout
  const [attestations, [firstOperation], rollbacks, promotedReport, incidentResponse, pullRequest] = await Promise.all([
    readAttestations(state, name, listSignOffItems(facts.rollout.file)),
    state<{ at: Date | null }[]>`select min(created_at) as at from sti.operation where rollout = ${name}`,
    readRollbacks(state, name),
    readPromotedReport(state, facts),
    readIncidentResponse(state, name),
    readPullRequest(facts, pullRequestState),
  ])
  return {
    environment,
    facts,
    attestations,
    outside: outside(name),
    families,
    rollbacks,
    promotedReport,
    incidentResponse,
    pullRequest,
    alertPath: alertPath(),
    begunAt: firstOperation?.at?.toISOString() ?? null,
  }
}

/** A drill that whoever started it acknowledged in time tests nobody's response. Too late, it shows that nobody else did. */
async function readIncidentResponse(sql: Sql, rollout: string): Promise<IncidentResponseTimes> {
  const [row] = await sql<
    { incidents: number; late: number; open: number; untested: number; slowest: number | null; last: Date | null }[]
  >`
    select count(*) filter (where late or not untested)::int as incidents,
      count(*) filter (where late)::int as late,
      count(*) filter (where answered_at is null)::int as open,
      count(*) filter (where untested and not late)::int as untested,
      max(extract(epoch from answered_at - opened_at)) filter (where late or not untested)::float8 as slowest,
      max(coalesce(answered_at, opened_at)) as last
    from (select opened_at, answered_at, untested,
        coalesce(answered_at, clock_timestamp()) - opened_at > make_interval(secs => ${ACKNOWLEDGE_TIMEOUT_SECONDS.critical}) as late
      from (select opened_at, coalesce(acknowledged_at, closed_at) as answered_at,
          drill and coalesce(coalesce(acknowledged_by, closed_by)->>'name' = opened_by->>'name', false) as untested
        from sti.incident where rollout = ${rollout} and severity = 'critical') i) judged`
  const { slowest, last, ...counts } = row!
  return { ...counts, slowestSeconds: slowest, lastAt: last?.toISOString() ?? null }
}

async function readPullRequest(
  { columnDrop }: RolloutFacts,
  pullRequestState: ReadinessDependencies['pullRequestState'],
): Promise<ReadinessInput['pullRequest']> {
  const url = columnDrop?.pullRequest?.url ?? null
  if (pullRequestState === null) return null
  return url === null ? { unknown: 'no pull request was opened' } : await pullRequestState(url)
}

/** The contents of the report that promotes the rollout to this environment; null: no valid report. */
async function readPromotedReport(sql: Sql, { promotion }: RolloutFacts): Promise<PromotedReport | null> {
  const validPromotion = promotion?.promotion
  if (validPromotion == null || !validPromotion.counts || validPromotion.forced) return null
  const [row] = await sql<{ from: string; at: Date; items: ReadinessItem[] | null; backfill: Operation | null }[]>`
    select from_environment as "from", validated_at as at, report->'report'->'readiness'->'items' as items,
      (select o from jsonb_array_elements(report->'report'->'operations') o
        where o->>'kind' = 'backfill' and o->>'state' = 'succeeded' order by (o->>'id')::bigint desc limit 1) as backfill
    from sti.promotion where id = ${validPromotion.id}`
  if (!row) return null
  return { from: row.from, at: row.at.toISOString(), items: row.items ?? [], backfill: row.backfill }
}

function toContactReadiness(input: ReadinessInput): ContactReadiness[] {
  return input.facts.rollout.file.contacts.map((contact) => {
    const attestation = findLatestAttestation(input, contactItemId(contact.role))
    return {
      item: contactItemId(contact.role),
      role: contact.role,
      name: contact.name,
      phone: contact.phone ?? null,
      email: contact.email ?? null,
      escalateAfterSeconds: contact.escalateAfter,
      confirmed: attestation?.counts === true,
      attestation,
    }
  })
}
