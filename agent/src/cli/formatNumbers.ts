const groupedNumber = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** 1234567 as 1,234,567. */
export const formatCount = (value: number): string => groupedNumber.format(value)

/** A ratio as a percentage with one decimal, rounded down: 100 % only when it is 1. */
export const formatPercent = (ratio: number): string => `${(Math.floor(ratio * 1000 + 1e-9) / 10).toFixed(1)} %`

/** Seconds as 850 ms, 3.2 s, 4 min 10 s, 2 h 5 min. */
export function formatDuration(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** Bytes in the units of PostgreSQL's pg_size_pretty. */
export function formatBytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

export const secondsBetween = (from: string, to: string | null): number =>
  Math.max(0, ((to === null ? Date.now() : Date.parse(to)) - Date.parse(from)) / 1000)
