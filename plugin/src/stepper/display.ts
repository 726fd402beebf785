import type { IconName } from '@grafana/ui'
import type {
  FlagStatus,
  Operation,
  OperationKind,
  RolloutStep,
  StepName,
  StepState,
} from '@sti-rollout/agent/contract'
import { formatAgo } from '@sti-rollout/agent/format'
import { routes } from '../routes'

/** The label of each step. */
export const STEP_LABELS = {
  baseline: 'Baseline',
  expand: 'Expand',
  backfill: 'Backfill',
  validate: 'Validate',
  finalize: 'Finalize',
  flag: 'Flag',
  soak: 'Soak',
  'column-drop': 'Column drop',
} as const satisfies Record<StepName, string>

/** What the next step is called in a sentence: “Next: enable the flag”. */
const STEP_IMPERATIVES = {
  baseline: 'take a baseline',
  expand: 'expand the table',
  backfill: 'backfill the rows',
  validate: 'validate',
  finalize: 'finalize',
  flag: 'enable the flag',
  soak: 'soak',
  'column-drop': 'prepare the column drop',
} as const satisfies Record<StepName, string>

/** What to do at a step; a flag that is on for a part of the requests is raised. */
export const stepImperative = (step: StepName, flag: Pick<FlagStatus, 'enabled'>): string =>
  step === 'flag' && flag.enabled ? 'raise the flag to 100%' : STEP_IMPERATIVES[step]

/** The icon of each state, null for the number of the step, and its name for screen readers. */
export const STEP_STATE_DISPLAY = {
  done: { icon: 'check', name: 'done' },
  current: { icon: null, name: 'in progress' },
  next: { icon: null, name: 'next' },
  blocked: { icon: 'lock', name: 'blocked' },
  failed: { icon: 'times', name: 'failed' },
  later: { icon: null, name: 'not started' },
} as const satisfies Record<StepState, { icon: IconName | null; name: string }>

/** The fact of a step with its age: `24 h, 2 d ago`. */
export const stepFact = ({ fact, at }: RolloutStep, now: number): string =>
  at === null ? fact : `${fact}, ${formatAgo(at, now)}`

const STEP_KINDS: Partial<Record<StepName, OperationKind>> = {
  expand: 'expand',
  backfill: 'backfill',
  finalize: 'finalize',
  flag: 'flag',
}

/** The operation that made a step fail, if it is the latest of its kind: its error tells why. */
export const failedOperation = ({
  steps,
  operations,
}: {
  steps: readonly RolloutStep[]
  operations: readonly Operation[]
}): Operation | undefined =>
  steps
    .filter(({ state }) => state === 'failed')
    .map(({ step }) => operations.find(({ kind }) => kind === STEP_KINDS[step]))
    .find((operation) => operation?.state === 'failed')

/** The page that belongs to a step: the tab with its results, or its latest operation. */
export function stepUrl(
  step: StepName,
  { environment, rollout, operations }: { environment: string; rollout: string; operations: readonly Operation[] },
): string {
  if (step === 'baseline') return `${routes.validation(environment, rollout)}#baseline`
  if (step === 'validate') return routes.validation(environment, rollout)
  if (step === 'soak' || step === 'column-drop') return routes.columnDrop(environment, rollout)
  const latest = operations.find(({ kind }) => kind === STEP_KINDS[step])
  return latest ? routes.operation(environment, rollout, latest.id) : routes.operations(environment, rollout)
}
