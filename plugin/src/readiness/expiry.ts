const DAY_MS = 86_400_000
/** The default of the agent. */
const DEFAULT_EXPIRY_DAYS = 90
/** One day less than the maximum of the agent, because a sign-off expires at the end of its day. */
const MAXIMUM_EXPIRY_DAYS = 365

const isoDateAfter = (now: number, days: number) => new Date(now + days * DAY_MS).toISOString().slice(0, 10)

/** The first, the default, and the last expiry day of a sign-off, as `2026-11-26` in UTC. */
export const expiryDays = (now = Date.now()) => ({
  first: isoDateAfter(now, 1),
  default: isoDateAfter(now, DEFAULT_EXPIRY_DAYS),
  last: isoDateAfter(now, MAXIMUM_EXPIRY_DAYS),
})

/** The last second of a day in UTC, when a sign-off expires. */
export const endOfDay = (date: string) => `${date}T23:59:59.000Z`
