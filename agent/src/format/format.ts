/**
 * Formats values the same way in the UI, the CLI, reports, and messages: a number, a space, and the unit, but no
 * space before the percent sign. Bytes are in binary units, like Grafana's `bytes` unit.
 */

/** The unit of the value of a check, a limit, or a signal, which determines its format. */
export const UNITS = [
  'count',
  'ratio',
  'seconds',
  'bytes',
  'countPerSecond',
  'bytesPerSecond',
  /** a multiple of something else, such as 1.12× the baseline */
  'multiple',
] as const
export type Unit = (typeof UNITS)[number]

const FORMATTERS: Readonly<Record<Unit, (value: number) => string>> = {
  count: formatCount,
  ratio: formatPercent,
  seconds: formatDuration,
  bytes: formatBytes,
  countPerSecond: (value) => `${formatCount(value)}/s`,
  bytesPerSecond: (value) => `${formatBytes(value)}/s`,
  multiple: (value) => `${decimals(value, 2)}×`,
}

/** Shown instead of an unknown value. */
export const NO_VALUE = '–'

/** Formats a value by its unit; `–` if it is unknown or not finite. */
export function formatValue(value: number | null | undefined, unit: Unit): string {
  return value === null || value === undefined || !Number.isFinite(value) ? NO_VALUE : FORMATTERS[unit](value)
}

/** `1,234,567`; up to two decimals below 100, as in `12.5`; three significant digits below 1, as in `0.0042`. */
export function formatCount(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude < 1) return value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
  return value.toLocaleString('en-US', { maximumFractionDigits: magnitude < 100 ? 2 : 0 })
}

/**
 * A ratio as `13.6%`. Rounded down, so that 100% is shown only for all and a share below its limit never looks equal to
 * it; below 1% with two more decimals, as in `0.042%`.
 */
export function formatPercent(ratio: number): string {
  const percent = ratio * 100
  const digits = Math.abs(percent) < 1 ? 3 : 1
  const scale = 10 ** digits
  // Corrects the floating-point error of a decimal first.
  return `${decimals(Math.floor(percent * scale + 1e-7) / scale, digits)}%`
}

/** Seconds as `850 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min` or `3 d 4 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 0) return `-${formatDuration(-seconds)}`
  if (seconds === 0) return '0 s'
  if (seconds < 0.001) return `${decimals(seconds * 1000, 3)} ms`
  if (seconds < 0.9995) return `${decimals(seconds * 1000, seconds < 0.01 ? 1 : 0)} ms`
  if (seconds < 59.95) return `${decimals(seconds, 1)} s`
  const whole = Math.round(seconds)
  if (whole < 3600) return twoUnits(Math.floor(whole / 60), 'min', whole % 60, 's')
  if (whole < 86_400) return twoUnits(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'min')
  return twoUnits(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3600), 'h')
}

/** Bytes as `512 B`, `64 MiB` or `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = bytes
  let unit = 0
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${decimals(value, unit === 0 ? 0 : 1)} ${units[unit]}`
}

/** `1 row`, `1,204 rows`; `plural` if it is not the singular with an s. */
export function formatQuantity(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`
}

/** The first five names, and how many more there are. */
export function formatNames(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ')
  return names.length <= 5 ? shown : `${shown} and ${formatCount(names.length - 5)} more`
}

/** `3 min ago`, `just now`, `never`. */
export function formatAgo(instant: string | Date | null | undefined, now: number = Date.now()): string {
  if (!instant) return 'never'
  const seconds = (now - new Date(instant).getTime()) / 1000
  if (seconds < 5) return 'just now'
  const [largestUnit] = formatDuration(Math.round(seconds)).match(/^\S+ \S+/) ?? [NO_VALUE]
  return `${largestUnit} ago`
}

function twoUnits(large: number, unit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${unit}` : `${large} ${unit} ${small} ${smallUnit}`
}

/** At most so many decimals, without trailing zeros. */
function decimals(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)))
}

/** With a capital first letter. */
export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
