import { expect } from 'vitest'
import type { TestAgent } from '../support/agent.ts'

/** Waits until the agent's own reading is that requests fail (1) or do not fail (0). */
export async function waitForErrorCondition({ url }: Pick<TestAgent, 'url'>, unhealthy: 0 | 1): Promise<void> {
  const series = new RegExp(`sti_alert_condition\\{[^}]*rule="StiApiErrorsHigh"[^}]*\\} ${unhealthy}`)
  await expect
    .poll(async () => await (await fetch(`${url}/metrics`)).text(), { timeout: 15_000, interval: 100 })
    .toMatch(series)
}
