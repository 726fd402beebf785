import type { ContactReadiness, Operation, Readiness, ReadinessItem, ReadinessList } from '../contract/index.ts'
import { ACKNOWLEDGE_TIMEOUT_SECONDS, ReadinessList as Lists } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { listSignOffItems, contactItemId } from './signOffItems.ts'
import { readAttestations } from './attestations.ts'
import { findLatestAttestation } from './items.ts'
import { monitoringItems } from './monitoringItems.ts'
import type { ExternalSystems } from './externalSystems.ts'
import { productionItems } from './productionItems.ts'
import type { AlertPathStatus, IncidentResponseTimes, PromotedReport, ReadinessInput } from './readinessInput.ts'
import { stagingItems } from './stagingItems.ts'
import { successItems } from './successItems.ts'

export interface ReadinessDependencies {
  readonly state: Sql
  readonly environment: string
  readonly outside: (rollout: string) => ExternalSystems
  readonly families: number
  readonly alertPath: () => AlertPathStatus
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
    notes: [...facts.notes],
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
  { state, environment, outside, families, alertPath }: ReadinessDependencies,
  facts: RolloutFacts,
): Promise<ReadinessInput> {
  const { name } = facts.rollout
  const [attestations, [firstOperation], rollbacks, promotedReport, incidentResponse] = await Promise.all([
    readAttestations(state, name, listSignOffItems(facts.rollout.file)),
    state<{ at: Date | null }[]>`select min(created_at) as at from sti.operation where rollout = ${name}`,
    readRollbacks(state, name),
    readPromotedReport(state, facts),
    readIncidentResponse(state, name),
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
    alertPath: alertPath(),
    begunAt: firstOperation?.at?.toISOString() ?? null,
  }
}

/** Every time the flag was turned off, and every rollback of data or system. */
async function readRollbacks(sql: Sql, rollout: string): Promise<ReadinessInput['rollbacks']> {
  const rows = await sql<{ what: string; at: Date }[]>`
    select message || ' by ' || (actor->>'name') as what, at from sti.operation_event
      where rollout = ${rollout} and kind = 'flag' and before->>'enabled' = 'true' and after->>'enabled' = 'false'
    union all
    select 'rollback ' || id || ' of scope ' || (parameters->>'scope') || ' by ' || (actor->>'name'), coalesce(ended_at, created_at)
      from sti.operation where rollout = ${rollout} and kind = 'rollback' and state <> 'cancelled'
        and parameters->>'scope' not in ('flag', 'monitoring')
    order by 2`
  return rows.map(({ what, at }) => ({ what, at: at.toISOString() }))
}

async function readIncidentResponse(sql: Sql, rollout: string): Promise<IncidentResponseTimes> {
  const [row] = await sql<{ incidents: number; late: number; slowest: number | null; last: Date | null }[]>`
    select count(*)::int as incidents, max(coalesce(answered_at, opened_at)) as last,
      count(*) filter (where coalesce(answered_at, clock_timestamp()) - opened_at >
        make_interval(secs => ${ACKNOWLEDGE_TIMEOUT_SECONDS.critical}))::int as late,
      max(extract(epoch from answered_at - opened_at))::float8 as slowest
    from (select opened_at, coalesce(acknowledged_at, closed_at) as answered_at from sti.incident
      where rollout = ${rollout} and severity = 'critical') i`
  const { incidents, late, slowest, last } = row!
  return { incidents, late, slowestSeconds: slowest, lastAt: last?.toISOString() ?? null }
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
