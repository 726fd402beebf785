import { setTimeout as sleep } from 'node:timers/promises'
import type { Page } from '@playwright/test'

const CONCURRENT_SENDERS = 5
const SEND_INTERVAL_MS = 200

/**
 * Sends requests that fail with status 500 to the staging application that the agent measures, until `stop`. They create
 * a vehicle with half an axle, which the table rejects, so no row is written.
 */
export async function startFailingRequests(page: Page): Promise<{ stop: () => Promise<void> }> {
  const response = await page.request.get('/api/datasources/proxy/uid/sti-staging/as/viewer/v1/rollouts/vehicles')
  const { file } = (await response.json()) as { file: string }
  const service = file.match(/url: (http\S+)\/metrics/)?.[1]
  if (!service) throw new Error(`The rollout file has no URL of the metrics:\n${file}`)
  let stopped = false
  const send = async (): Promise<void> => {
    while (!stopped) {
      const status = await fetch(`${service}/vehicles`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...REFUSED_VEHICLE, axles: 0.5 }),
      }).then(({ status: code }) => code)
      if (status !== 500) throw new Error(`A vehicle with half an axle got the status ${status} instead of 500.`)
      await sleep(SEND_INTERVAL_MS)
    }
  }
  const senders = Promise.all(Array.from({ length: CONCURRENT_SENDERS }, send))
  // `stop` throws the error.
  senders.catch(() => undefined)
  return {
    stop: async () => {
      stopped = true
      await senders
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
