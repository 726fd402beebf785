import { setTimeout as sleep } from 'node:timers/promises'
import { readEnv } from '../env.ts'
import { trackExpectedRows, type ExpectedRows } from './expectedRows.ts'
import { newTrafficCounters, sendRandomRequest, type TrafficCounters } from './requests.ts'

export type TrafficMessage = 'pause' | 'resume' | 'report'
export interface TrafficReport {
  readonly counters: TrafficCounters
  /** Given only while paused: otherwise a write may be under way. */
  readonly expected: ExpectedRows | null
}

/** Most requests under way at once; beyond it the load waits instead of piling up. */
const MAXIMUM_IN_FLIGHT_REQUESTS = 32

const services = readEnv('SERVICE_URLS').split(',')
const rate = Number(readEnv('REQUESTS_PER_SECOND', '80'))
const seedRows = Number(readEnv('SEED_ROWS'))
const expected = trackExpectedRows(seedRows)
const counters = newTrafficCounters()
let paused = false
let inFlight = 0
let dueRequests = 0
let last = performance.now()

const ticker = setInterval(() => {
  const now = performance.now()
  dueRequests = Math.min(dueRequests + ((now - last) / 1000) * rate, MAXIMUM_IN_FLIGHT_REQUESTS)
  last = now
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

/** Answers once nothing is under way, if it is paused. */
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
