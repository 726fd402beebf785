import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

const CHUNK = 64 * 1024
/** What somebody would send, in bytes, and what may be taken of it: what fits into the buffers of both sides. */
const OFFERED = 256 * 1024 * 1024
const TAKEN_AT_MOST = 16 * 1024 * 1024

/** Sends a body until the agent closes the connection, and returns its answer and what it took. */
async function offerBody(
  url: string,
  head: readonly string[],
): Promise<{ status: number; taken: number; seconds: number }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  let closed = false
  socket.on('data', (data: Buffer) => (answer += data.toString()))
  socket.on('error', () => undefined)
  socket.on('close', () => (closed = true))
  await once(socket, 'connect')
  const started = performance.now()
  const isChunked = head.some((line) => /^transfer-encoding/i.test(line))
  socket.write([...head, 'host: agent', 'content-type: application/json', '', ''].join('\r\n'))
  const chunk = isChunked ? `${CHUNK.toString(16)}\r\n${' '.repeat(CHUNK)}\r\n` : ' '.repeat(CHUNK)
  let taken = 0
  while (!closed && taken < OFFERED) {
    if (!socket.write(chunk))
      await new Promise<void>((resolve) => {
        socket.once('drain', resolve)
        socket.once('close', () => resolve())
      })
    taken += CHUNK
  }
  socket.destroy()
  const [, status = '0'] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? []
  return { status: Number(status), taken, seconds: (performance.now() - started) / 1000 }
}

test('the body of a request without a credential is not read', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const length = `content-length: ${OFFERED}`
        const chunked = 'transfer-encoding: chunked'
        for (const [path, ...headers] of [
          ['/v1/rollouts/vehicles/operations'],
          ['/v1/rollouts/vehicles/operations', 'authorization: Bearer wrong'],
          ['/v1/rollouts/vehicles/promotions'],
          ['/ofrep/v1/evaluate/flags/vehicles-sti'],
          ['/v1/webhooks/grafana'],
          ['/v1/webhooks/grafana', `x-sti-signature: ${'0'.repeat(64)}`, 'x-sti-timestamp: 1'],
          ['/v1/webhooks/alertmanager'],
          ['/v1/../v1/agent'],
          ['/unknown'],
        ])
          for (const framing of [length, chunked]) {
            const { status, taken, seconds } = await offerBody(agent.url, [
              `POST ${path} HTTP/1.1`,
              ...headers,
              framing,
            ])
            const shown = `${path} ${headers.join(' ')} ${framing}: ${status}, ${taken} bytes, ${seconds} s`
            expect(taken, shown).toBeLessThan(TAKEN_AT_MOST)
            expect([0, 400, 403, 404], shown).toContain(status)
          }
      },
      { config: { webhookSecret: 'a-secret-of-a-test-which-is-long' } },
    )
  })
})
