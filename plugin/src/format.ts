const INTEGER_FORMAT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

/** `1,234,567`; a dash for what is not known. */
export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? '–' : INTEGER_FORMAT.format(count)
}

/** A ratio as percent, rounded down: 100 % only when it is all. */
export function formatPercent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined) return '–'
  if (ratio >= 1) return '100 %'
  return `${(Math.floor(ratio * 1000) / 10).toFixed(1)} %`
}

/** A share to a thousandth of a percent, rounded down: for what has to be told from its limit. */
export function formatExactPercent(ratio: number): string {
  // What floating point lost of a decimal is given back first.
  return `${Math.floor(ratio * 100_000 + 1e-9) / 1000} %`
}

/** Seconds as a person says them: `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`
  const total = Math.round(seconds)
  if (total < 60) return `${total} s`
  if (total < 3600) return joinUnits(Math.floor(total / 60), 'min', total % 60, 's')
  if (total < 86_400) return joinUnits(Math.floor(total / 3600), 'h', Math.floor((total % 3600) / 60), 'min')
  return joinUnits(Math.floor(total / 86_400), 'd', Math.floor((total % 86_400) / 3600), 'h')
}

function joinUnits(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`
}

/** `3 min ago`, `just now`. */
export function formatTimeAgo(instant: string | Date | null | undefined, now = Date.now()): string {
  if (!instant) return 'never'
  const seconds = (now - new Date(instant).getTime()) / 1000
  if (seconds < 5) return 'just now'
  const [coarse] = formatDuration(seconds).match(/^\S+ \S+/) ?? []
  return `${coarse} ago`
}

/** Bytes in binary units: `12.3 MiB`. */
export function formatBytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return '–'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = count
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** The clock time of an instant here, with the day when it is not today. */
export function formatTime(instant: string | Date | null | undefined): string {
  if (!instant) return '–'
  const date = new Date(instant)
  const time = date.toLocaleTimeString('en-GB')
  return date.toDateString() === new Date().toDateString() ? time : `${date.toISOString().slice(0, 10)} ${time}`
}
