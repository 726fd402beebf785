import type { OperationKind, RolloutStage, RolloutSummary } from '@sti-rollout/agent/contract'
import { formatFlagState } from '../rollout/display'
import type { FleetMember } from './fleetMember'

/** The states of members, worst first; a person looks at the first ones. */
const TONES = ['bad', 'warning', 'busy', 'waiting', 'good'] as const
type Tone = (typeof TONES)[number]

/** Where a member is, in a few words. */
export interface MemberState {
  readonly text: string
  readonly tone: Tone
}

/** The states that need a person, the most urgent first. */
const URGENT_STATES = [
  'not responding',
  'invalid',
  'off in memory only',
  'failed',
  'with an open incident',
  'rolled back',
] as const
type UrgentState = (typeof URGENT_STATES)[number]

const urgent = (text: UrgentState): MemberState => ({ text, tone: 'bad' })
const urgency = ({ text }: MemberState): number => URGENT_STATES.findIndex((urgentText) => urgentText === text)

const STAGE_STATES = {
  new: ['new', 'waiting'],
  expanded: ['expanded', 'waiting'],
  backfilling: ['partly backfilled', 'waiting'],
  covered: ['backfilled', 'waiting'],
  verified: ['validated', 'waiting'],
  finalized: ['finalized', 'waiting'],
  ramping: ['ramping', 'busy'],
  enabled: ['on', 'good'],
  'ready-to-drop': ['ready to drop', 'good'],
  dropped: ['dropped', 'good'],
  'rolled-back': ['rolled back', 'bad'],
} as const satisfies Record<RolloutStage, readonly [string, Tone]>

const RUNNING_TEXTS = {
  expand: 'expanding',
  baseline: 'taking a baseline',
  backfill: 'backfilling',
  validation: 'validating',
  finalize: 'finalizing',
  flag: 'ramping',
  rollback: 'rolling back',
  monitoring: 'changing monitoring',
  rehearsal: 'rehearsing',
  'column-drop': 'preparing the column drop',
  'archive-removal': 'removing the archive',
} as const satisfies Record<OperationKind, string>

/** The state of a member: what needs a person first, then the flag, then what runs. */
export function memberState({ row, error }: FleetMember): MemberState {
  if (error !== null || row === null) return urgent('not responding')
  const { faults, steps, stage, openIncidents, running, flag } = row.summary
  if (faults.length > 0) return urgent('invalid')
  if (!flag.persisted) return urgent('off in memory only')
  if (stage === 'rolled-back' && running === null) return urgent('rolled back')
  if (openIncidents > 0) return urgent('with an open incident')
  if (running === null && steps.some(({ state }) => state === 'failed')) return urgent('failed')
  if (running?.state === 'paused') return { text: 'paused', tone: 'warning' }
  if (flag.enabled && running?.kind !== 'flag') return onState(row.summary)
  if (running !== null) return { text: RUNNING_TEXTS[running.kind], tone: 'busy' }
  const [text, tone] = STAGE_STATES[stage]
  return { text, tone }
}

function onState({ flag, stage }: RolloutSummary): MemberState {
  if (flag.percentage < 100) return { text: formatFlagState(flag), tone: 'good' }
  const [text, tone] = STAGE_STATES[stage]
  return tone === 'good' ? { text, tone } : { text: 'on', tone: 'good' }
}

/** How many members are in each state, worst first: 1 not responding, 2 backfilling, 9 on. */
export function countStates(members: readonly FleetMember[]): Array<MemberState & { readonly count: number }> {
  const counts = new Map<string, MemberState & { readonly count: number }>()
  for (const state of members.map(memberState))
    counts.set(state.text, { ...state, count: (counts.get(state.text)?.count ?? 0) + 1 })
  return [...counts.values()].sort(
    (a, b) =>
      TONES.indexOf(a.tone) - TONES.indexOf(b.tone) ||
      urgency(a) - urgency(b) ||
      b.count - a.count ||
      a.text.localeCompare(b.text),
  )
}

/** How urgent a member is: what a person has to look at first has the highest number; 0: nothing is wrong. */
export function memberTrouble({ row, error }: FleetMember): number {
  if (row === null) return 16
  const { openIncidents, faults, failedRows, flag, steps } = row.summary
  return (
    (error !== null ? 16 : 0) +
    (openIncidents > 0 ? 8 : 0) +
    (faults.length > 0 || !flag.persisted ? 4 : 0) +
    (steps.some(({ state }) => state === 'failed') || !flag.consistent ? 2 : 0) +
    (failedRows > 0 ? 1 : 0)
  )
}
