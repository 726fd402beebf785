import type { Operation, Scope } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import { rateOf, secondsOf, shown } from '../engine/measured.ts'
import { rehearsalStatus } from './rehearsed.ts'
import { columnIsOurs } from './revert.ts'

/** How long a rollback would take, and which measurement says so; null: nothing was measured here. */
export interface Estimate {
  readonly seconds: number | null
  readonly basis: string | null
}

const UNMEASURED: Estimate = { seconds: null, basis: null }

/** From the last rehearsal that counts, else from what was last measured on the table itself. */
export function estimateOf(facts: Facts, scope: Scope): Estimate {
  switch (scope) {
    case 'flag':
      return ofFlag(facts)
    case 'monitoring':
      return ofMonitoring(facts)
    default:
      return fromRehearsal(facts, scope) ?? fromTable(facts)
  }
}

/** When this scope was last taken back here, or rehearsed as things are now; ISO 8601. */
export function provedAt(facts: Facts, scope: Scope): string | null {
  const real = facts.succeeded.filter((one) => takesBack(one, scope) && one.fileHash === facts.rollout.hash)
  const rehearsal = rehearsalStatus(facts)
  const rehearsed = rehearsal.counts && rehearsal.result!.scopes.some((one) => one.scope === scope)
  const instants = [...real.map((one) => one.endedAt), rehearsed ? rehearsal.succeededAt : null]
  return (
    instants
      .filter((instant) => instant !== null)
      .toSorted()
      .at(-1) ?? null
  )
}

function takesBack({ kind, parameters }: Operation, scope: Scope): boolean {
  if (kind === 'monitoring') return scope === 'monitoring' && parameters['enabled'] === false
  return kind === 'rollback' && parameters['scope'] === scope
}

function ofFlag({ flag }: Facts): Estimate {
  const seconds = flag.lastPropagationSeconds
  if (seconds === null) return UNMEASURED
  return { seconds, basis: 'the last change of the flag, until its last client had seen it' }
}

function ofMonitoring(facts: Facts): Estimate {
  const last = facts.succeeded.findLast((one) => takesBack(one, 'monitoring') || one.kind === 'monitoring')
  const seconds = secondsOf(last)
  if (last === undefined || seconds === null) return UNMEASURED
  return { seconds, basis: `${last.kind} ${last.id}, which changed the same settings in ${shown(seconds)}` }
}

function fromRehearsal(facts: Facts, scope: Scope): Estimate | null {
  const { counts, result, operationId } = rehearsalStatus(facts)
  const found = counts ? result!.scopes.find((one) => one.scope === scope) : undefined
  if (found === undefined) return null
  const { sampleRows, tableRows } = result!
  // The table may have grown since; a rollback of an empty one takes what its statements take.
  const rows = facts.table?.estimatedRows ?? tableRows
  const grown = tableRows > 0 ? Math.max(1, rows / tableRows) : 1
  return {
    seconds: found.estimatedSeconds * grown,
    basis: `rehearsal ${operationId}: ${sampleRows.toLocaleString('en')} rows in ${shown(found.seconds)}`,
  }
}

/** Reading as fast as the last validation read, writing as fast as the last backfill wrote. */
function fromTable(facts: Facts): Estimate {
  const { succeeded, table } = facts
  const rows = table?.estimatedRows ?? null
  const [validation, backfill] = (['validation', 'backfill'] as const).map((kind) =>
    succeeded.findLast((one) => one.kind === kind),
  )
  if (table === null || rows === null) return UNMEASURED
  const reading = rateOf(validation, validation?.result?.['rows'])
  if (reading === null) return UNMEASURED
  const expanding = secondsOf(succeeded.findLast((one) => one.kind === 'expand')) ?? 0
  const read = rows / reading.perSecond + expanding
  const basis = [`${reading.of} read ${reading.rows.toLocaleString('en')} rows in ${shown(reading.seconds)}`]
  if (columnIsOurs(facts) || table.discriminator === null) return { seconds: read, basis: basis[0]! }
  const writing = rateOf(backfill, backfill?.result?.['writtenRows'])
  if (writing === null) return UNMEASURED
  basis.push(`${writing.of} wrote ${writing.rows.toLocaleString('en')} rows in ${shown(writing.seconds)}`)
  return { seconds: read + rows / writing.perSecond, basis: basis.join('; ') }
}
