/** A value with the time it was read (milliseconds since 1970), or one sentence that says why there is none. */
export type Reading<T> = { readonly value: T; readonly at: number } | UnknownReading

/** Unknown is not good: a decision must treat this as a reason to wait, never as zero. */
export interface UnknownReading {
  readonly unknown: string
}

export function isKnown<T>(reading: Reading<T>): reading is { readonly value: T; readonly at: number } {
  return !('unknown' in reading)
}

/** The same reading with another value. */
export function mapReading<T>(reading: Reading<T>, toNumber: (value: T) => number): Reading<number> {
  return isKnown(reading) ? { value: toNumber(reading.value), at: reading.at } : reading
}

/** Thrown by a source that knows why it cannot answer; the sentence says what to do. */
export class SignalUnknownError extends Error {
  readonly code = 'signal-unknown'
}
