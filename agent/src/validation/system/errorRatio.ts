import { formatDuration } from '../../format/format.ts'
import { judgeErrorRatio } from '../../measure/compareSignal.ts'
import { countRequests } from '../../measure/errorRateTest.ts'
import type { ValidationCheck } from '../check.ts'

const HOUR_MS = 3_600_000

/** The share of failed requests in the last hour stays within the limit of the rollout file. */
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
      const reason = 'unknown' in now ? now.unknown : 'the first reading is not complete'
      return { verdict: 'inconclusive', value, limit, detail: `no requests were recorded: ${reason}` }
    }
    const minutes = Math.round((Date.now() - rates[0]!.at) / 60_000)
    const { verdict, detail } = judgeErrorRatio(requests, limit)
    return {
      verdict: verdict ?? 'inconclusive',
      value,
      limit,
      detail: `${detail}; over ${formatDuration(minutes * 60)}`,
    }
  },
}
