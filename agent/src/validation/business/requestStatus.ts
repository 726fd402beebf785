import { setTimeout as delay } from 'node:timers/promises'
import type { ValidationCheck } from '../check.ts'
import { requestApplication, toUnreachableFinding, describeResponse } from './applicationRequest.ts'

const MAX_ATTEMPTS = 3
const RETRY_DELAY_MS = 500

/** A GET that must return a status. The check fails after three wrong responses in a row. */
export function requestStatusCheck(name: string, { url, status }: { url: string; status: number }): ValidationCheck {
  return {
    name,
    layer: 'business',
    unit: 'count',
    seconds: 45,
    async run({ signal }) {
      const evidence = { limit: status, query: `GET ${url}` }
      for (let attempt = 1; ; attempt++) {
        try {
          const response = await requestApplication(url)
          const isExpected = response.status === status
          if (isExpected || attempt === MAX_ATTEMPTS)
            return {
              ...evidence,
              verdict: isExpected ? 'pass' : 'fail',
              value: response.status,
              detail: isExpected
                ? describeResponse(response)
                : `${describeResponse(response)} (expected HTTP ${status})`,
            }
        } catch (error) {
          if (attempt === MAX_ATTEMPTS) return toUnreachableFinding(error, evidence)
        }
        await delay(RETRY_DELAY_MS, null, { signal })
      }
    },
  }
}
