import { createHmac, timingSafeEqual } from 'node:crypto'
import { Refusal } from './problem.ts'

/** How old a signed message may be, and how far ahead its sender's clock, in seconds. */
const OLDEST_SECONDS = 300
const AHEAD_SECONDS = 60
/** Of messages that were let in; the oldest are forgotten first. */
const REMEMBERED = 20_000

/** Verifies what Grafana's webhook signs, and lets each message in once. */
export interface WebhookSignatures {
  /**
   * `signature`: HMAC-SHA256, hex, over `<timestamp>:<raw body>`; `timestamp`: seconds since 1970.
   * @throws Refusal forbidden, or conflict for one that was let in before
   */
  demand(signature: string | undefined, timestamp: string | undefined, body: Uint8Array): void
}

/**
 * Whatever was signed before this process began is refused, because nobody remembers whether it was let in then; the
 * sender signs it anew when it sends it again.
 */
export function createWebhookSignatures(secret: string, now: () => number = Date.now): WebhookSignatures {
  const beganAt = Math.floor(now() / 1_000)
  const letIn = new Map<string, number>()

  function forget(seconds: number): void {
    for (const [signature, at] of letIn) {
      if (letIn.size <= REMEMBERED && at >= seconds - OLDEST_SECONDS) return
      letIn.delete(signature)
    }
  }

  return {
    demand(signature, timestamp, body) {
      if (!/^\d{1,12}$/.test(timestamp ?? '') || !/^[0-9a-f]{64}$/.test(signature ?? ''))
        throw new Refusal(
          'forbidden',
          'Sign the message: X-Sti-Timestamp in seconds, and X-Sti-Signature, the HMAC-SHA256 in hex.',
        )
      const expected = createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest()
      if (!timingSafeEqual(expected, Buffer.from(signature!, 'hex')))
        throw new Refusal('forbidden', 'The signature is not of this message with this agent’s STI_WEBHOOK_SECRET.')
      const seconds = now() / 1_000
      const at = Number(timestamp)
      if (at < seconds - OLDEST_SECONDS || at > seconds + AHEAD_SECONDS)
        throw new Refusal(
          'forbidden',
          `The message was signed ${Math.round(seconds - at)} s ago: send it anew, and set the clocks right.`,
        )
      if (at < beganAt) throw new Refusal('forbidden', 'The message was signed before this agent began: send it anew.')
      if (letIn.has(signature!)) throw new Refusal('conflict', 'This message has been let in before.')
      letIn.set(signature!, at)
      forget(seconds)
    },
  }
}
