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

/** A number within limits, decimals allowed. */
export function decimal(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`It must be a number from ${minimum} to ${maximum}.`)
    return value
  }
}

export const percentage = decimal(0, 100)

export const operationId = wholeNumber(1, Number.MAX_SAFE_INTEGER)
