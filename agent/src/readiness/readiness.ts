import type { ContactReadiness, Operation, Readiness, ReadinessItem, ReadinessList } from '../contract/index.ts'
import { ACKNOWLEDGE_SECONDS, ReadinessList as Lists } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Facts } from '../engine/facts.ts'
import { attestableOf, contactItem } from './attestable.ts'
import { readAttestations } from './attestations.ts'
import { lastOf } from './item.ts'
import { monitoringItems } from './monitoringItems.ts'
import type { Outside } from './outside.ts'
import { productionItems } from './production.ts'
import type { AlertPathSeen, Answered, Promoted, Seen } from './seen.ts'
import { stagingItems } from './staging.ts'
import { successItems } from './success.ts'

export interface ReadinessParts {
  readonly state: Sql
  readonly environment: string
  readonly outside: (rollout: string) => Outside
  readonly families: number
  readonly alertPath: () => AlertPathSeen
}

/** Reads what a rollout still lacks: item by item, with what would make it ready. */
export async function readReadiness(parts: ReadinessParts, facts: Facts): Promise<Readiness> {
  const seen = await look(parts, facts)
  const lists = [...stagingItems(seen), ...productionItems(seen), ...monitoringItems(seen)]
  const items = [...lists, ...successItems(seen, lists)]
  return {
    rollout: facts.rollout.name,
    environment: parts.environment,
    at: new Date().toISOString(),
    ratios: Object.fromEntries(Lists.options.map((list) => [list, ratioOf(items, list)])) as Record<
      ReadinessList,
      number
    >,
    items,
    contacts: contactsOf(seen),
  }
}

/** Rounded down: 1 only when every item is ready. */
function ratioOf(items: readonly ReadinessItem[], list: ReadinessList): number {
  const of = items.filter(({ lists }) => lists.includes(list))
  const ready = of.filter(({ state }) => state === 'ready').length
  return Math.floor((ready * 1_000) / of.length) / 1_000
}

async function look({ state, environment, outside, families, alertPath }: ReadinessParts, facts: Facts): Promise<Seen> {
  const { name } = facts.rollout
  const [attestations, [first], rollbacks, promoted, answered] = await Promise.all([
    readAttestations(state, name, attestableOf(facts.rollout.file)),
    state<{ at: Date | null }[]>`select min(created_at) as at from sti.operation where rollout = ${name}`,
    readRollbacks(state, name),
    readPromoted(state, facts),
    readAnswered(state, name),
  ])
  return {
    environment,
    facts,
    attestations,
    outside: outside(name),
    families,
    rollbacks,
    promoted,
    answered,
    alertPath: alertPath(),
    begunAt: first?.at?.toISOString() ?? null,
  }
}

/** The flag off after it was on, and what was taken back of the data. */
async function readRollbacks(sql: Sql, rollout: string): Promise<Seen['rollbacks']> {
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

async function readAnswered(sql: Sql, rollout: string): Promise<Answered> {
  const [row] = await sql<{ incidents: number; late: number; slowest: number | null; last: Date | null }[]>`
    select count(*)::int as incidents, max(coalesce(answered_at, opened_at)) as last,
      count(*) filter (where coalesce(answered_at, clock_timestamp()) - opened_at >
        make_interval(secs => ${ACKNOWLEDGE_SECONDS.critical}))::int as late,
      max(extract(epoch from answered_at - opened_at))::float8 as slowest
    from (select opened_at, coalesce(acknowledged_at, closed_at) as answered_at from sti.incident
      where rollout = ${rollout} and severity = 'critical') i`
  const { incidents, late, slowest, last } = row!
  return { incidents, late, slowestSeconds: slowest, lastAt: last?.toISOString() ?? null }
}

/** What the report says that promotes the rollout here. */
async function readPromoted(sql: Sql, { promotion }: Facts): Promise<Promoted | null> {
  const counting = promotion?.promotion
  if (counting == null || !counting.counts || counting.forced) return null
  const [row] = await sql<{ from: string; at: Date; items: ReadinessItem[] | null; backfill: Operation | null }[]>`
    select from_environment as "from", validated_at as at, report->'report'->'readiness'->'items' as items,
      (select o from jsonb_array_elements(report->'report'->'operations') o
        where o->>'kind' = 'backfill' and o->>'state' = 'succeeded' order by (o->>'id')::bigint desc limit 1) as backfill
    from sti.promotion where id = ${counting.id}`
  if (!row) return null
  return { from: row.from, at: row.at.toISOString(), items: row.items ?? [], backfill: row.backfill }
}

function contactsOf(seen: Seen): ContactReadiness[] {
  return seen.facts.rollout.file.contacts.map((contact) => {
    const attestation = lastOf(seen, contactItem(contact.role))
    return {
      item: contactItem(contact.role),
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
