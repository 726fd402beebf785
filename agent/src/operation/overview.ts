import { codeOf, isAway, messageOf } from '../engine/errors.ts'
import type { Facts } from '../engine/facts.ts'
import type { Log } from '../log.ts'
import type { RolloutReadings } from '../metrics/source.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface Overview {
  start(): void
  stop(): Promise<void>
  /** As they were read last, each with its time: readings that are too old count as unknown. */
  readings(): readonly RolloutReadings[]
}

/** Reads every rollout each `seconds`, so that a scrape waits for nothing. */
export function createOverview(parts: {
  readonly rollouts: readonly Rollout[]
  readonly facts: (rollout: Rollout) => Promise<Facts>
  readonly read: (facts: Facts) => Promise<RolloutReadings>
  readonly log: Log
  readonly seconds: number
}): Overview {
  const last = new Map<string, RolloutReadings>()
  let timer: NodeJS.Timeout | undefined
  let reading: Promise<void> | null = null

  const readAll = async (): Promise<void> => {
    for (const rollout of parts.rollouts) {
      try {
        last.set(rollout.name, await parts.read(await parts.facts(rollout)))
      } catch (error) {
        // While the database is away there is nothing to say here: whoever watches it has said so.
        if (!isAway(error) && codeOf(error) !== 'database-away')
          parts.log({ level: 'warning', message: `rollout ${rollout.name} could not be read`, error: messageOf(error) })
      }
    }
  }
  return {
    start() {
      const look = (): void => {
        reading ??= readAll().finally(() => {
          reading = null
        })
      }
      timer = setInterval(look, parts.seconds * 1000)
      look()
    },
    async stop() {
      clearInterval(timer)
      await reading
    },
    readings: () => [...last.values()],
  }
}
