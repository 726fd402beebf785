import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { OPERATION_STATE_DISPLAY } from './display'
import { RunningOperation } from './RunningOperation'

const TITLES = {
  validation: 'A validation is running',
  baseline: 'A baseline is being taken',
  rehearsal: 'A rehearsal is running',
  'column-drop': 'The column drop is being prepared',
  'archive-removal': 'The archive is being removed',
} as const

interface Props {
  kind: keyof typeof TITLES
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

/** The running operation of one kind with its controls; it may run alongside another operation. */
export function RunningOperationSection({ kind, environment, detail, refresh }: Props) {
  const running = detail.operations.find(
    (operation) => operation.kind === kind && !OPERATION_STATE_DISPLAY[operation.state].ended,
  )
  if (!running) return null
  return (
    <Section title={TITLES[kind]}>
      <RunningOperation environment={environment} operation={running} actions={detail.actions} onChanged={refresh} />
    </Section>
  )
}
