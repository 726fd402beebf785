import type { Page } from '@playwright/test'

const AT_ONCE = 5
const EVERY_MS = 200

/**
 * Sends requests that the application of staging answers with 500, to the instance that the agent measures, until
 * `stop`: a vehicle with half an axle, which its table refuses. No row is written.
 */
export async function failingRequests(page: Page): Promise<{ stop: () => Promise<void> }> {
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
        body: JSON.stringify({ ...VEHICLE, axles: 0.5 }),
      }).then((response) => response.status)
      if (status !== 500) throw new Error(`Half an axle was answered with ${status}.`)
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }
  const sent = Promise.all(Array.from({ length: AT_ONCE }, send))
  // An error is told by `stop`.
  sent.catch(() => undefined)
  return {
    stop: async () => {
      stopped = true
      await sent
    },
  }
}

const VEHICLE = { vin: 'HALF', name: 'half', isTruck: false, isBike: false, ownerEmail: 'half@example.com', price: 1 }
