import { Refusal } from './problem.ts'

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 90
const MAX_DAYS = 366

/**
 * The end of what a person signs off or accepts: the requested time, or 90 days from now.
 * @param what begins the sentence of a refusal, such as “The sign-off”
 * @throws Refusal invalid-body
 */
export function parseExpiry(expiresAt: string | undefined, what: string): Date {
  const now = Date.now()
  if (expiresAt === undefined) return new Date(now + DEFAULT_DAYS * DAY_MS)
  const expiry = Date.parse(expiresAt)
  if (expiry <= now)
    throw new Refusal('invalid-body', `${what} would already be expired.`, ['expiresAt: use a time in the future'])
  if (!(expiry <= now + MAX_DAYS * DAY_MS))
    throw new Refusal('invalid-body', `${what} is valid for at most ${MAX_DAYS} days.`, [
      'expiresAt: use an earlier time',
    ])
  return new Date(expiry)
}
