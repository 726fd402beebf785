import type { RolloutStage } from '@sti-rollout/agent/contract'
import type { BadgeColor } from '@grafana/ui'

/** How each stage looks (never `darkgrey`: in the light theme it cannot be read), and what it means to a person. */
export const STAGE_DISPLAY = {
  new: { color: 'blue', means: 'Nothing has been changed yet.' },
  expanded: { color: 'blue', means: 'The column is there, and new writes fill it.' },
  backfilling: { color: 'blue', means: 'Rows that are already there get their type.' },
  covered: { color: 'blue', means: 'Every row has a type but recorded failed rows. Not validated yet.' },
  verified: { color: 'blue', means: 'A validation found every type right.' },
  finalized: { color: 'green', means: 'Index and constraint are there: the flag may go on.' },
  ramping: { color: 'purple', means: 'The flag is on for a part of the requests.' },
  enabled: { color: 'green', means: 'The application reads by type.' },
  'ready-to-drop': { color: 'green', means: 'The legacy columns may be dropped.' },
  dropped: { color: 'purple', means: 'The legacy columns are gone.' },
  'rolled-back': { color: 'orange', means: 'It was taken back. Validate or enable to go on.' },
} as const satisfies Record<RolloutStage, { color: BadgeColor; means: string }>
