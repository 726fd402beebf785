import { InvalidArgumentError } from 'commander'
import { LIMITS, type Limits, type LimitsPatch } from '../contract/index.ts'

const FORM = /^(?:signals\.([a-z][a-z0-9-]*)|([A-Za-z0-9]+))(?:\.(pace|pause|abort))?=(.+)$/

type Value = number | 'none' | null
type Limit = Value | Readonly<Record<string, Value>>

/**
 * For `--limit`, which may be given several times: `lockWaiters=2`, `slotRetainedBytes.abort=none`,
 * `signals.queue=10`; `file` takes a limit back to that of the rollout file.
 */
export function limit(text: string, before: LimitsPatch = {}): LimitsPatch {
  const [, signal, name, tier, written] = FORM.exec(text) ?? []
  const value = valueOf(written ?? '')
  if (value === undefined || (value === null && tier !== undefined)) {
    throw new InvalidArgumentError(
      'Write name=number, name=none or name=file, such as lockWaiters=2 or signals.queue.abort=9.',
    )
  }
  if (name !== undefined && !Object.hasOwn(LIMITS, name)) {
    throw new InvalidArgumentError(
      `There is no limit ${name}; there are: ${Object.keys(LIMITS).join(', ')}, signals.NAME.`,
    )
  }
  if (signal === undefined) return { ...before, [name!]: withTier(before[name as 'lockWaiters'], tier, value) }
  const signals = before.signals ?? {}
  return { ...before, signals: { ...signals, [signal]: withTier(signals[signal], tier, value) } }
}

/** A backfill that starts has no limits of its own to take back. */
export function ownLimit(text: string, before: Limits = {}): Limits {
  if (text.endsWith('=file'))
    throw new InvalidArgumentError('The limits of the rollout file hold unless others are given.')
  return limit(text, before) as Limits
}

function withTier(before: Limit | undefined, tier: string | undefined, value: Value): Limit {
  if (tier === undefined) return value
  return { ...(typeof before === 'object' ? before : {}), [tier]: value }
}

function valueOf(text: string): Value | undefined {
  if (text === 'none') return 'none'
  if (text === 'file') return null
  return /^\d+(\.\d+)?(e\d+)?$/.test(text) ? Number(text) : undefined
}
