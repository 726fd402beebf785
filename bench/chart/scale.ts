export interface ChartScale {
  position(value: number): number
  /** Powers of ten. */
  readonly ticks: readonly number[]
}

/** A scale from the power of ten below the smallest value to the one above the largest. */
export function logScale(values: readonly number[], low: number, high: number): ChartScale {
  const positive = values.filter((value) => value > 0)
  const lowestExponent = Math.floor(Math.log10(Math.min(1, ...positive)))
  const highestExponent = Math.max(lowestExponent + 1, Math.ceil(Math.log10(Math.max(1, ...positive))))
  const at = (value: number): number =>
    low +
    ((Math.log10(Math.max(value, 10 ** lowestExponent)) - lowestExponent) / (highestExponent - lowestExponent)) *
      (high - low)
  return {
    position: at,
    ticks: Array.from({ length: highestExponent - lowestExponent + 1 }, (_, n) =>
      Number((10 ** (lowestExponent + n)).toPrecision(1)),
    ),
  }
}
