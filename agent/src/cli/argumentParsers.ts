import { InvalidArgumentError } from 'commander'
import type { ParameterBounds } from '../contract/index.ts'

/** A commander parser for a whole number from `minimum` to `maximum`. */
export function wholeNumberParser(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
    return value
  }
}

/** A commander parser for a number from `minimum` to `maximum`, decimals allowed. */
export function decimalParser(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`)
    return value
  }
}

/** A commander parser for a numeric parameter of the contract. */
export const parameterParser = ({ minimum, maximum, integer }: ParameterBounds) =>
  (integer ? wholeNumberParser : decimalParser)(minimum, maximum)

/** `1 to 32`, or `1 to 32 (default: 1)`. */
export function describeBounds(bounds: ParameterBounds): string {
  const range = `${bounds.minimum} to ${bounds.maximum}`
  return bounds.default === undefined ? range : `${range} (default: ${bounds.default})`
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** A commander parser for a duration such as `60s`, `10m`, `24h` or `7d`; bounds and value are in seconds. */
export function durationParser({
  minimum,
  maximum,
}: Pick<ParameterBounds, 'minimum' | 'maximum'>): (text: string) => number {
  return (text) => {
    const seconds = durationSeconds(text)
    if (!(seconds >= minimum && seconds <= maximum))
      throw new InvalidArgumentError(
        `It must be a duration from ${writeDuration(minimum)} to ${writeDuration(maximum)}, such as 90s, 10m, 24h or 7d.`,
      )
    return seconds
  }
}

function writeDuration(seconds: number): string {
  const [unit, size] = Object.entries(UNIT_SECONDS).findLast(([, length]) => seconds % length === 0)!
  return `${seconds / size}${unit}`
}

function durationSeconds(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  return Number(count) * (UNIT_SECONDS[unit ?? ''] ?? NaN)
}

export const parsePercentage = decimalParser(0, 100)

/** The ID of an operation, an incident or a baseline. */
export const parseId = wholeNumberParser(1, Number.MAX_SAFE_INTEGER)
