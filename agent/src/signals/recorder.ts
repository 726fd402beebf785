import { createInterval } from '../interval.ts'
import type { ApiReadings } from './apiReadings.ts'
import type { HostReadings } from './localHost.ts'
import { apiSignalValues, signalValues, type SignalSources } from './signalValues.ts'
import { isKnown } from './reading.ts'
import type { ReadingBuffer } from './readingBuffer.ts'

/** Puts every signal but those of the application into the recording, each `everyMs`. */
export function createRecorder(
  buffer: ReadingBuffer,
  sources: SignalSources,
  rollouts: readonly string[],
  intervalMs: number,
): { start(): void; stop(): Promise<void> } {
  const hosts = new Map<string, HostReadings>()
  const recordAll = (): void => {
    for (const rollout of rollouts) {
      for (const [signal, reading] of signalValues(sources, rollout, hosts.get(rollout))) {
        if (isKnown(reading)) buffer.add(rollout, signal, reading)
      }
      hosts.set(rollout, sources.host(rollout))
    }
  }
  return createInterval({ intervalMs, delayFirstRun: true, run: recordAll })
}

/** The application's signals come by themselves, an interval at a time. */
export function recordApiReadings(buffer: ReadingBuffer, rollout: string, readings: ApiReadings): void {
  for (const [signal, reading] of apiSignalValues(readings)) {
    if (isKnown(reading)) buffer.add(rollout, signal, reading)
  }
}
