/** An Idempotency-Key. Not `crypto.randomUUID`: that one is missing where Grafana is served without TLS. */
export function newIdempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
