export interface Scale {
  at(value: number): number
  /** Powers of ten. */
  readonly ticks: readonly number[]
}

/** From the power of ten below the smallest value to the one above the largest. */
export function logScale(values: readonly number[], low: number, high: number): Scale {
  const positive = values.filter((value) => value > 0)
  const from = Math.floor(Math.log10(Math.min(1, ...positive)))
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(1, ...positive))))
  const at = (value: number): number =>
    low + ((Math.log10(Math.max(value, 10 ** from)) - from) / (to - from)) * (high - low)
  return { at, ticks: Array.from({ length: to - from + 1 }, (_, n) => Number((10 ** (from + n)).toPrecision(1))) }
}
