import { setTimeout as delay } from 'node:timers/promises'
import type { Check } from '../check.ts'
import { ask, notAsked, shown } from './ask.ts'

const TRIES = 3
const PAUSE_MS = 500

/** A GET that must be answered with a status. A wrong one counts when it is given three times in a row. */
export function requestCheck(name: string, { url, status }: { url: string; status: number }): Check {
  return {
    name,
    layer: 'business',
    seconds: 45,
    async run({ signal }) {
      const rest = { limit: status, query: `GET ${url}` }
      for (let attempt = 1; ; attempt++) {
        try {
          const answer = await ask(url)
          const right = answer.status === status
          if (right || attempt === TRIES)
            return {
              ...rest,
              verdict: right ? 'pass' : 'fail',
              value: answer.status,
              detail: right ? shown(answer) : `${shown(answer)}, where ${status} is expected`,
            }
        } catch (error) {
          if (attempt === TRIES) return notAsked(error, rest)
        }
        await delay(PAUSE_MS, null, { signal })
      }
    },
  }
}
