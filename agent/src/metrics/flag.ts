import { sample, type Family, type Observed } from './family.ts'
import type { RolloutReadings } from './source.ts'

/** From memory: these stay true while the database is away. */
function ofFlag(name: Family['name'], help: string, value: (flag: RolloutReadings['flag']) => number | null): Family {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['rollout'],
    *samples({ all }) {
      for (const { rollout, flag } of all) yield* sample({ rollout }, value(flag))
    },
  }
}

export const flag = [
  ofFlag('sti_flag_enabled', '1 when the flag is on.', ({ enabled }) => Number(enabled)),
  ofFlag(
    'sti_flag_percentage',
    'Targeting keys that get on while the flag is on, 0 to 100.',
    ({ percentage }) => percentage,
  ),
  ofFlag('sti_flag_consistent', '1 when no client is stale.', ({ consistent }) => Number(consistent)),
  ofFlag(
    'sti_flag_propagation_last_seconds',
    'From the last change to the last live client that has seen it.',
    ({ lastPropagationSeconds }) => lastPropagationSeconds,
  ),
]

export const clients: Family = {
  name: 'sti_flag_clients',
  type: 'gauge',
  help: 'Clients of the flag: current have asked since its last change, stale may still act on an older state.',
  labels: ['rollout', 'seen'],
  *samples({ all }) {
    for (const { rollout, flag } of all) {
      const stale = flag.clients.filter((client) => client.stale).length
      yield { labels: { rollout, seen: 'current' }, value: flag.clients.length - stale }
      yield { labels: { rollout, seen: 'stale' }, value: stale }
    }
  },
}

export const propagation: Observed = {
  name: 'sti_flag_propagation_seconds',
  type: 'histogram',
  help: 'From a change of the flag to the last live client that has seen it.',
  labels: ['rollout'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
}
