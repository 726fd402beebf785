import { InvalidArgumentError } from 'commander'
import { LIMIT_SCHEMAS, type Limits, type LimitsPatch } from '../contract/index.ts'

const LIMIT_PATTERN = /^(?:signals\.([a-z][a-z0-9-]*)|([A-Za-z0-9]+))(?:\.(pace|pause|abort))?=(.+)$/

type LimitOptionValue = number | 'none' | null
type LimitOptionEntry = LimitOptionValue | Readonly<Record<string, LimitOptionValue>>

/**
 * Parses `--limit`, which is repeatable: `lockWaiters=2`, `slotRetainedBytes.abort=none`, `signals.queue=10`. The value
 * `file` restores the limit of the rollout file.
 */
export function parseLimitOption(text: string, previous: LimitsPatch = {}): LimitsPatch {
  const [, signal, name, tier, valueText] = LIMIT_PATTERN.exec(text) ?? []
  const value = parseLimitValue(valueText ?? '')
  if (value === undefined || (value === null && tier !== undefined)) {
    throw new InvalidArgumentError(
      'Use name=number, name=none or name=file, such as lockWaiters=2 or signals.queue.abort=9.',
    )
  }
  if (name !== undefined && !Object.hasOwn(LIMIT_SCHEMAS, name)) {
    throw new InvalidArgumentError(
      `Limit ${name} does not exist. Limits: ${Object.keys(LIMIT_SCHEMAS).join(', ')}, signals.NAME.`,
    )
  }
  if (signal === undefined) return { ...previous, [name!]: setTier(previous[name as 'lockWaiters'], tier, value) }
  const signals = previous.signals ?? {}
  return { ...previous, signals: { ...signals, [signal]: setTier(signals[signal], tier, value) } }
}

/** Parses `--limit` of a new backfill, which has no limit of its own to restore. */
export function parseInitialLimitOption(text: string, previous: Limits = {}): Limits {
  if (text.endsWith('=file'))
    throw new InvalidArgumentError('A new backfill already uses the limits of the rollout file.')
  return parseLimitOption(text, previous) as Limits
}

function setTier(
  previous: LimitOptionEntry | undefined,
  tier: string | undefined,
  value: LimitOptionValue,
): LimitOptionEntry {
  if (tier === undefined) return value
  return { ...(typeof previous === 'object' ? previous : {}), [tier]: value }
}

function parseLimitValue(text: string): LimitOptionValue | undefined {
  if (text === 'none') return 'none'
  if (text === 'file') return null
  return /^\d+(\.\d+)?(e\d+)?$/.test(text) ? Number(text) : undefined
}
