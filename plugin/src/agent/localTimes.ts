import { formatTime } from '../formatTime'

/** The fields of answers that hold sentences of the agent; texts of people and of files, and PostgreSQL's errors, stay as they are. */
const SENTENCE_FIELDS: ReadonlySet<string> = new Set([
  ...['detail', 'evidence', 'findings', 'sentence', 'summary', 'next', 'step', 'throttled', 'staleBecause'],
  ...['reasons', 'why', 'blockedBy', 'warnings', 'unusable', 'refused'],
])
const INSTANT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g

/** The answer with the instants in its sentences as the local times that every other part of a page shows. */
export function toLocalTimes<T>(answer: T): T {
  return convert(answer, false) as T
}

function convert(value: unknown, isSentence: boolean): unknown {
  if (typeof value === 'string') return isSentence ? value.replace(INSTANT, (instant) => formatTime(instant)) : value
  if (Array.isArray(value)) return value.map((entry) => convert(entry, isSentence))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, convert(entry, SENTENCE_FIELDS.has(key))]),
  )
}
