import { isSignalName, SIGNALS } from '../contract/index.ts'
import { createInterval, type Interval } from '../interval.ts'
import type { ApiReadings } from './apiScraper.ts'
import type { HostReadings } from './localHost.ts'
import { apiSignalValues, signalValues, type SignalSources } from './signalTable.ts'
import { isKnown } from './reading.ts'
import type { ReadingBuffer } from './readingBuffer.ts'

/** Adds every signal to the buffer at each interval, except those of the application. */
export function createRecorder(
  buffer: ReadingBuffer,
  sources: SignalSources,
  rollouts: readonly string[],
  intervalMs: number,
): Pick<Interval, 'start' | 'stop'> {
  const hosts = new Map<string, HostReadings>()
  const recordAll = (): void => {
    for (const rollout of rollouts) {
      for (const [signal, reading] of signalValues(sources, rollout, hosts.get(rollout))) {
        const isApplicationSignal = isSignalName(signal) && SIGNALS[signal].source === 'application'
        if (isKnown(reading) && !isApplicationSignal) buffer.add(rollout, signal, reading)
      }
      hosts.set(rollout, sources.host(rollout))
    }
  }
  return createInterval({
    intervalMs,
    delayFirstRun: true,
    run: recordAll,
    // Nothing is recorded, as for a signal that is unknown; the signal itself says why.
    onError: () => undefined,
  })
}

/** Adds the application's signals, which are computed interval by interval. */
export function recordApiReadings(buffer: ReadingBuffer, rollout: string, readings: ApiReadings): void {
  for (const [signal, reading] of apiSignalValues(readings)) {
    if (isKnown(reading)) buffer.add(rollout, signal, reading)
  }
}
