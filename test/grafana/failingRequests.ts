import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from '@playwright/test'

const CONCURRENT_SENDERS = 5
const SEND_INTERVAL_MS = 200

/**
 * Sends requests that the application of staging answers with 500, to the instance that the agent measures, until
 * `stop`: a vehicle with half an axle, which its table refuses. No row is written.
 */
export async function startFailingRequests(page: Page): Promise<{ stop: () => Promise<void> }> {
  const answer = await page.request.get('/api/datasources/proxy/uid/sti-staging/as/viewer/v1/rollouts/vehicles')
  const { file } = (await answer.json()) as { file: string }
  const service = file.match(/url: (http\S+)\/metrics/)?.[1]
  if (!service) throw new Error(`The rollout file names no address of the service's metrics:\n${file}`)
  let stopped = false
  const send = async (): Promise<void> => {
    while (!stopped) {
      const status = await fetch(`${service}/vehicles`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...REFUSED_VEHICLE, axles: 0.5 }),
      }).then((response) => response.status)
      if (status !== 500) throw new Error(`Half an axle was answered with ${status}.`)
      await sleep(SEND_INTERVAL_MS)
    }
  }
  const sent = Promise.all(Array.from({ length: CONCURRENT_SENDERS }, send))
  // An error is told by `stop`.
  sent.catch(() => undefined)
  return {
    stop: async () => {
      stopped = true
      await sent
    },
  }
}

const REFUSED_VEHICLE = {
  vin: 'HALF',
  name: 'half',
  isTruck: false,
  isBike: false,
  ownerEmail: 'half@example.com',
  price: 1,
}
