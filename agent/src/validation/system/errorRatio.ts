import { judgeErrorRatio } from '../../measure/compareSignal.ts'
import { countRequests } from '../../measure/errorRateTest.ts'
import type { ValidationCheck } from '../check.ts'

const HOUR_MS = 3_600_000

/** Of all requests that the agent has seen in the last hour, no more failed than the file lets. */
export const errorRatio: ValidationCheck = {
  name: 'error-ratio',
  layer: 'system',
  unit: 'ratio',
  async run({ rollout, parts }) {
    const limit = rollout.file.limits.errorRatio
    const { recent } = parts.signals
    const after = Date.now() - HOUR_MS
    const readingsOf = (signal: string) => recent.readings(rollout.name, signal, after)
    const rates = readingsOf('api-request-rate')
    const requests = countRequests(readingsOf('api-error-ratio'), rates)
    const value = requests.all > 0 ? requests.failed / requests.all : null
    if (value === null) {
      const { errorRatio: now } = parts.signals.api(rollout.name)
      const reason = 'unknown' in now ? now.unknown : 'it is being read only just now'
      return { verdict: 'inconclusive', value, limit, detail: `no request was seen: ${reason}` }
    }
    const minutes = Math.round((Date.now() - rates[0]!.at) / 60_000)
    const { verdict, detail } = judgeErrorRatio(requests, limit)
    return { verdict: verdict ?? 'inconclusive', value, limit, detail: `${detail}; over ${minutes} min` }
  },
}
