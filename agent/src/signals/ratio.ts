/** part / whole, rounded down: 1 only if they are equal. `whole` must be greater than 0. */
export function ratio(part: number, whole: number): number {
  if (part >= whole) return 1
  return Math.min(part / whole, 1 - Number.EPSILON)
}
