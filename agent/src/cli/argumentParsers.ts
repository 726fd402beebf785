import { InvalidArgumentError } from 'commander'
import type { ParameterBounds } from '../contract/index.ts'

/** A parser for a whole number within limits, for commander. */
export function wholeNumberParser(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
    }
    return value
  }
}

/** A number within limits, decimals allowed. */
export function decimalParser(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`)
    return value
  }
}

/** A parser for a numeric parameter of the contract. */
export const parameterParser = ({ minimum, maximum, integer }: ParameterBounds) =>
  (integer ? wholeNumberParser : decimalParser)(minimum, maximum)

/** Such as “1 to 32”, or “1 to 32 (default: 1)”. */
export function describeBounds(bounds: ParameterBounds): string {
  const range = `${bounds.minimum} to ${bounds.maximum}`
  return bounds.default === undefined ? range : `${range} (default: ${bounds.default})`
}

export const parsePercentage = decimalParser(0, 100)

export const parseOperationId = wholeNumberParser(1, Number.MAX_SAFE_INTEGER)
