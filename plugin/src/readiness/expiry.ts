const DAY_MS = 86_400_000
/** What the agent takes without asking. */
const DEFAULT_EXPIRY_DAYS = 90
/** One less than the agent's longest: a day ends later than this moment of it. */
const MAXIMUM_EXPIRY_DAYS = 365

const isoDateAfter = (now: number, days: number) => new Date(now + days * DAY_MS).toISOString().slice(0, 10)

/** Days as `2026-11-26`, in UTC: the first and the last that a sign-off may end on, and the usual one. */
export const expiryDays = (now = Date.now()) => ({
  first: isoDateAfter(now, 1),
  standard: isoDateAfter(now, DEFAULT_EXPIRY_DAYS),
  last: isoDateAfter(now, MAXIMUM_EXPIRY_DAYS),
})

/** A sign-off holds until the end of its day. */
export const endOfDay = (date: string) => `${date}T23:59:59.000Z`
