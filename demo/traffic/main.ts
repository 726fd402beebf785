import { setting } from '../setting.ts'
import { expectations, type Expected } from './expected.ts'
import { newCounters, oneRequest, type Counters } from './requests.ts'

export type TrafficMessage = 'pause' | 'resume' | 'report'
export interface TrafficReport {
  readonly counters: Counters
  /** Given only while paused: otherwise a write may be under way. */
  readonly expected: Expected | null
}

/** Most requests under way at once; beyond it the load waits instead of piling up. */
const IN_FLIGHT_LIMIT = 32

const services = setting('SERVICE_URLS').split(',')
const rate = Number(setting('REQUESTS_PER_SECOND', '80'))
const seedRows = Number(setting('SEED_ROWS'))
const expected = expectations(seedRows)
const counters = newCounters()
let paused = false
let inFlight = 0
let owed = 0
let last = performance.now()

const ticker = setInterval(() => {
  const now = performance.now()
  owed = Math.min(owed + ((now - last) / 1000) * rate, IN_FLIGHT_LIMIT)
  last = now
  if (paused) owed = 0
  for (; owed >= 1 && inFlight < IN_FLIGHT_LIMIT; owed--) {
    const base = services[Math.floor(Math.random() * services.length)]
    if (base === undefined) break
    inFlight++
    void oneRequest(base, seedRows, expected, counters).finally(() => inFlight--)
  }
}, 10)

process.on('message', (message: TrafficMessage) => {
  if (message !== 'report') paused = message === 'pause'
  void answer()
})

/** Answers once nothing is under way, if it is paused. */
async function answer(): Promise<void> {
  while (paused && inFlight > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  const report: TrafficReport = { counters, expected: paused ? expected.report() : null }
  process.send?.(report)
}

function stop(): void {
  clearInterval(ticker)
  process.exit(0)
}
process.once('disconnect', stop)
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
process.send?.('ready')
