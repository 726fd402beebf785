import { parentPort, workerData } from 'node:worker_threads'

/** What a thread of its own is started with: the start by process.hrtime, and milliseconds from tick to tick. */
export interface RequestClockData {
  readonly start: bigint
  readonly interval: number
}

/** Says the number of every request when it is due. Timers of the event loop would be up to a millisecond late. */
const { start, interval } = workerData as RequestClockData
const sleepBuffer = new Int32Array(new SharedArrayBuffer(4))
for (let n = 0; ; n++) {
  const wait = n * interval - Number(process.hrtime.bigint() - start) / 1e6
  if (wait > 0) Atomics.wait(sleepBuffer, 0, 0, wait)
  parentPort!.postMessage(n)
}
