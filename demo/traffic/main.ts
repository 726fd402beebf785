import { setTimeout as sleep } from 'node:timers/promises'
import { readEnv } from '../env.ts'
import { trackExpectedRows, type ExpectedRows } from './expectedRows.ts'
import { newTrafficCounters, sendRandomRequest, type TrafficCounters } from './requests.ts'

export type TrafficMessage = 'pause' | 'resume' | 'report'
export interface TrafficReport {
  readonly counters: TrafficCounters
  /** Null unless paused, because a write may be in progress. */
  readonly expected: ExpectedRows | null
}

/** Limit of concurrent requests. The load waits at the limit instead of piling up. */
const MAXIMUM_IN_FLIGHT_REQUESTS = 32

const services = readEnv('SERVICE_URLS').split(',')
const rate = Number(readEnv('REQUESTS_PER_SECOND', '80'))
const seedRows = Number(readEnv('SEED_ROWS'))
const expected = trackExpectedRows(seedRows)
const counters = newTrafficCounters()
let paused = false
let inFlight = 0
let dueRequests = 0
let lastTick = performance.now()

const ticker = setInterval(() => {
  const now = performance.now()
  dueRequests = Math.min(dueRequests + ((now - lastTick) / 1000) * rate, MAXIMUM_IN_FLIGHT_REQUESTS)
  lastTick = now
  if (paused) dueRequests = 0
  for (; dueRequests >= 1 && inFlight < MAXIMUM_IN_FLIGHT_REQUESTS; dueRequests--) {
    const base = services[Math.floor(Math.random() * services.length)]
    if (base === undefined) break
    inFlight++
    void sendRandomRequest(base, seedRows, expected, counters).finally(() => inFlight--)
  }
}, 10)

process.on('message', (message: TrafficMessage) => {
  if (message !== 'report') paused = message === 'pause'
  void sendReport()
})

/** Reports; if paused, once no request is in progress. */
async function sendReport(): Promise<void> {
  while (paused && inFlight > 0) await sleep(5)
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
