import { parentPort, workerData } from 'node:worker_threads'

/** Worker data of the clock thread: start time by process.hrtime, and milliseconds between ticks. */
export interface RequestClockData {
  readonly start: bigint
  readonly interval: number
}

/** Posts the number of each request when it is due. Timers of the event loop would be up to a millisecond late. */
const { start, interval } = workerData as RequestClockData
const sleepBuffer = new Int32Array(new SharedArrayBuffer(4))
for (let n = 0; ; n++) {
  const wait = n * interval - Number(process.hrtime.bigint() - start) / 1e6
  if (wait > 0) Atomics.wait(sleepBuffer, 0, 0, wait)
  parentPort!.postMessage(n)
}
