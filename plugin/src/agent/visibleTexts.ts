import { fromVisibleText, toVisibleLines } from '@sti-rollout/agent/format/visibleText'

/**
 * Every text of an answer with its hidden characters written out, such as `<U+202E>`: React escapes HTML, but bidirectional
 * and control characters of a key or a name would change what a person reads.
 */
export const toVisibleTexts = <T>(value: T): T => mapTexts(value, toVisibleLines) as T

/** The texts as the agent sent them, for a request that names something of an earlier answer, such as the key of a row. */
export const fromVisibleTexts = <T>(value: T): T => mapTexts(value, fromVisibleText) as T

function mapTexts(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((entry) => mapTexts(entry, map))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [map(key), mapTexts(entry, map)]))
}
