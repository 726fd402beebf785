import { createHmac, timingSafeEqual } from 'node:crypto'
import { Refusal } from './problem.ts'

/** How old a signed message may be, and how far ahead its sender's clock, in seconds. */
const MAX_AGE_SECONDS = 300
const MAX_CLOCK_SKEW_SECONDS = 60
/** Of messages that were let in; the oldest are forgotten first. */
const MAX_REMEMBERED_SIGNATURES = 20_000

/** Verifies what Grafana's webhook signs, and lets each message in once. */
export interface WebhookVerifier {
  /**
   * `signature`: HMAC-SHA256, hex, over `<timestamp>:<raw body>`; `timestamp`: seconds since 1970.
   * @throws Refusal forbidden, or conflict for one that was let in before
   */
  verify(signature: string | undefined, timestamp: string | undefined, body: Uint8Array): void
}

/**
 * Whatever was signed before this process began is refused, because nobody remembers whether it was let in then; the
 * sender signs it anew when it sends it again.
 */
export function createWebhookVerifier(secret: string, now: () => number = Date.now): WebhookVerifier {
  const startedAt = Math.floor(now() / 1_000)
  const acceptedSignatures = new Map<string, number>()

  function forgetExpired(seconds: number): void {
    for (const [signature, signedAt] of acceptedSignatures) {
      if (acceptedSignatures.size <= MAX_REMEMBERED_SIGNATURES && signedAt >= seconds - MAX_AGE_SECONDS) return
      acceptedSignatures.delete(signature)
    }
  }

  return {
    verify(signature, timestamp, body) {
      if (!/^\d{1,12}$/.test(timestamp ?? '') || !/^[0-9a-f]{64}$/.test(signature ?? ''))
        throw new Refusal(
          'forbidden',
          'Sign the message: X-Sti-Timestamp in seconds, and X-Sti-Signature, the HMAC-SHA256 in hex.',
        )
      const expected = createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest()
      if (!timingSafeEqual(expected, Buffer.from(signature!, 'hex')))
        throw new Refusal('forbidden', 'The signature is not of this message with this agent’s STI_WEBHOOK_SECRET.')
      const seconds = now() / 1_000
      const signedAt = Number(timestamp)
      if (signedAt < seconds - MAX_AGE_SECONDS || signedAt > seconds + MAX_CLOCK_SKEW_SECONDS)
        throw new Refusal(
          'forbidden',
          `The message was signed ${Math.round(seconds - signedAt)} s ago: send it anew, and set the clocks right.`,
        )
      if (signedAt < startedAt)
        throw new Refusal('forbidden', 'The message was signed before this agent began: send it anew.')
      if (acceptedSignatures.has(signature!)) throw new Refusal('conflict', 'This message has been let in before.')
      acceptedSignatures.set(signature!, signedAt)
      forgetExpired(seconds)
    },
  }
}
