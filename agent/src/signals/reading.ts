import { errorMessage } from '../database/errors.ts'

/** A value with the time it was read (milliseconds since 1970), or one sentence that says why there is none. */
export type Reading<T> = { readonly value: T; readonly at: number } | UnknownReading

/** Unknown is not good: a decision must treat this as a reason to wait, never as zero. */
export interface UnknownReading {
  readonly unknown: string
}

export function isKnown<T>(reading: Reading<T>): reading is { readonly value: T; readonly at: number } {
  return !('unknown' in reading)
}

/** The same reading as a number. A value of another form than expected, such as a missing one, is unknown. */
export function mapReading<T>(reading: Reading<T>, toNumber: (value: T) => number): Reading<number> {
  if (!isKnown(reading)) return reading
  try {
    return requireNumber({ value: toNumber(reading.value), at: reading.at })
  } catch (error) {
    return { unknown: `${UNEXPECTED_FORM}: ${errorMessage(error)}` }
  }
}

/** Types are not checked where a server answers: what is not a finite number is unknown, and never below a limit. */
export function requireNumber(reading: Reading<number>): Reading<number> {
  return isKnown(reading) && !Number.isFinite(reading.value) ? { unknown: UNEXPECTED_FORM } : reading
}

const UNEXPECTED_FORM = 'the answer does not have the expected form'

/** Thrown by a source that knows why it cannot answer; the sentence says what to do. */
export class SignalUnknownError extends Error {
  readonly code = 'signal-unknown'
}
