import { TOKENS } from '../support/agent.ts'

/** A process of the application that evaluates the flag at a short interval. */
export interface PollingFlagClient {
  /** The latest share of users for whom the flag is on, in percent. */
  percentOn(): number
  stop(): void
}

export function startFlagClient(url: string, name: string): PollingFlagClient {
  const headers = {
    'x-api-key': TOKENS.flag,
    'x-sti-client': name,
    'content-type': 'application/json',
  }
  const answers: boolean[] = []
  let user = 0
  const ask = async (): Promise<void> => {
    const body = JSON.stringify({ context: { targetingKey: `user-${user++}` } })
    const answer = await fetch(`${url}/ofrep/v1/evaluate/flags/vehicles-sti`, { method: 'POST', headers, body })
    const { value } = (await answer.json()) as { value: boolean }
    answers.push(value)
    if (answers.length > 40) answers.shift()
  }
  const timer = setInterval(() => void ask().catch(() => undefined), 25)
  return {
    percentOn: () => (100 * answers.filter(Boolean).length) / Math.max(1, answers.length),
    stop: () => clearInterval(timer),
  }
}
