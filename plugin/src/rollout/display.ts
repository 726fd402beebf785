import type { BadgeColor } from '@grafana/ui'
import type { FlagStatus, RolloutStage } from '@sti-rollout/agent/contract'
import { formatPercent } from '@sti-rollout/agent/format'

/** Color and description of each stage. The color `darkgrey` is not legible in the light theme. */
export const STAGE_DISPLAY = {
  new: { color: 'blue', description: 'Nothing has been changed yet.' },
  expanded: { color: 'blue', description: 'The discriminator column exists, and new writes fill it.' },
  backfilling: { color: 'blue', description: 'Existing rows are getting their type.' },
  covered: { color: 'blue', description: 'Every row has a type, except recorded failed rows. Not validated yet.' },
  verified: { color: 'blue', description: 'A validation found every type correct.' },
  finalized: { color: 'green', description: 'The index and the constraint exist, and the trigger works both ways.' },
  ramping: { color: 'purple', description: 'The flag is on for a part of the requests.' },
  enabled: { color: 'green', description: 'The application reads by type.' },
  'ready-to-drop': { color: 'green', description: 'The legacy columns can be dropped.' },
  dropped: { color: 'purple', description: 'The legacy columns have been dropped.' },
  'rolled-back': {
    color: 'orange',
    description: 'The rollout was rolled back. Validate or enable the flag to continue.',
  },
} as const satisfies Record<RolloutStage, { color: BadgeColor; description: string }>

/** The state of the flag: `off`, `on`, `on for 10%`. */
export function formatFlagState(flag: Pick<FlagStatus, 'enabled' | 'percentage'>): string {
  if (!flag.enabled) return 'off'
  return flag.percentage >= 100 ? 'on' : `on for ${formatPercent(flag.percentage / 100)}`
}

/** A problem with the propagation of the flag, or null. */
export function flagWarning(flag: FlagStatus): string | null {
  if (!flag.persisted)
    return 'The change is only in memory: the database is unavailable, and other agents may not know about it yet.'
  const stale = flag.clients.filter((client) => client.stale)
  if (stale.length === 0) return null
  return `Clients that have not received the change yet: ${stale.map((client) => client.client).join(', ')}.`
}
