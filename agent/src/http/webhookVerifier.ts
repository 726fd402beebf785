import { createHmac, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { Refusal } from './problem.ts'

const MAX_AGE_SECONDS = 300
const MAX_CLOCK_SKEW_SECONDS = 60
/** Accepted signatures in memory; the oldest are dropped first. */
const MAX_REMEMBERED_SIGNATURES = 20_000

/** Verifies signed webhooks of Grafana, and accepts each message once. */
export interface WebhookVerifier {
  /**
   * Checks what is known before the body is read, so that nobody without a signature can send one.
   * @throws Refusal forbidden
   */
  requireSignature(signature: string | undefined, timestamp: string | undefined): void
  /**
   * `signature`: HMAC-SHA256, hex, over `<timestamp>:<raw body>`; `timestamp`: seconds since 1970.
   * @throws Refusal forbidden, or conflict for a replayed message
   */
  verify(signature: string | undefined, timestamp: string | undefined, body: Uint8Array): void
}

/**
 * Messages signed before this process started are rejected, because accepted signatures are only kept in memory; the
 * sender signs a retry again.
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

  function requireSignature(signature: string | undefined, timestamp: string | undefined): void {
    if (!/^\d{1,12}$/.test(timestamp ?? '') || !/^[0-9a-f]{64}$/.test(signature ?? ''))
      throw new Refusal(
        'forbidden',
        'The message is not signed: send X-Sti-Timestamp in seconds and X-Sti-Signature, the HMAC-SHA256 in hex.',
      )
    const seconds = now() / 1_000
    const signedAt = Number(timestamp)
    if (signedAt < seconds - MAX_AGE_SECONDS || signedAt > seconds + MAX_CLOCK_SKEW_SECONDS)
      throw new Refusal(
        'forbidden',
        `The message was signed ${Math.round(seconds - signedAt)} s ago (limit ${MAX_AGE_SECONDS} s): sign it again, and synchronize the clocks.`,
      )
    if (signedAt < startedAt)
      throw new Refusal('forbidden', 'The message was signed before this agent started: sign it again.')
  }

  return {
    requireSignature,
    verify(signature, timestamp, body) {
      requireSignature(signature, timestamp)
      const expected = createHmac('sha256', secret).update(`${timestamp}:`).update(body).digest()
      if (!timingSafeEqual(expected, Buffer.from(signature!, 'hex')))
        throw new Refusal(
          'forbidden',
          'The signature does not match this message and the STI_WEBHOOK_SECRET of this agent.',
        )
      if (acceptedSignatures.has(signature!)) throw new Refusal('conflict', 'This message was already accepted.')
      acceptedSignatures.set(signature!, Number(timestamp))
      forgetExpired(now() / 1_000)
    },
  }
}

/** Refuses a message without a current signature before its body is read; null: this agent accepts none. */
export function requireWebhookSignature(verifier: WebhookVerifier | null): MiddlewareHandler {
  return async (c, next) => {
    if (verifier === null)
      throw new Refusal('not-found', 'This agent does not accept Grafana webhooks: set STI_WEBHOOK_SECRET.')
    verifier.requireSignature(c.req.header('x-sti-signature'), c.req.header('x-sti-timestamp'))
    await next()
  }
}
