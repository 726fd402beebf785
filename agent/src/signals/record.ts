import type { ApiReadings } from './api.ts'
import type { HostReadings } from './host.ts'
import { apiNumbers, numbersOf, type NumberSources } from './numbers.ts'
import { isKnown } from './reading.ts'
import type { Recording } from './recent.ts'

/** Puts every signal but those of the application into the recording, each `everyMs`. */
export function record(
  recording: Recording,
  sources: NumberSources,
  rollouts: readonly string[],
  everyMs: number,
): { start(): void; stop(): void } {
  const hosts = new Map<string, HostReadings>()
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    for (const rollout of rollouts) {
      for (const [signal, reading] of numbersOf(sources, rollout, hosts.get(rollout))) {
        if (isKnown(reading)) recording.add(rollout, signal, reading)
      }
      hosts.set(rollout, sources.host(rollout))
    }
  }
  return {
    start() {
      timer ??= setInterval(look, everyMs).unref()
    },
    stop() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

/** The application's signals come by themselves, an interval at a time. */
export function recordApi(recording: Recording, rollout: string, readings: ApiReadings): void {
  for (const [signal, reading] of apiNumbers(readings)) {
    if (isKnown(reading)) recording.add(rollout, signal, reading)
  }
}
