import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { OPERATION_STATE_DISPLAY } from './display'
import { RunningOperation } from './RunningOperation'

const TITLES = {
  validation: 'A validation runs',
  baseline: 'A baseline is being taken',
  rehearsal: 'A rehearsal runs',
  'column-drop': 'The column drop is being prepared',
  'archive-removal': 'The archive is being removed',
} as const

interface Props {
  kind: keyof typeof TITLES
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** What runs of one kind, also beside something else, with its pause, resume and cancel. */
export function RunningOperationSection({ kind, environment, detail, refresh }: Props) {
  const running = detail.operations.find((each) => each.kind === kind && !OPERATION_STATE_DISPLAY[each.state].ended)
  if (!running) return null
  return (
    <Section title={TITLES[kind]}>
      <RunningOperation environment={environment} operation={running} actions={detail.actions} onChanged={refresh} />
    </Section>
  )
}
