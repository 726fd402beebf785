import { InvalidArgumentError } from 'commander'

/** A parser for a whole number within limits, for commander. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum)) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`)
    }
    return value
  }
}

/** A percentage from 0 to 100, decimals allowed. */
export function percentage(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (!(value <= 100)) throw new InvalidArgumentError('It must be a number from 0 to 100.')
  return value
}

export const operationId = wholeNumber(1, Number.MAX_SAFE_INTEGER)
