import type { OperationState } from '@sti-rollout/agent/contract'
import { Badge } from '@grafana/ui'
import React from 'react'
import { OPERATION_STATE_DISPLAY } from './display'

export function OperationStateBadge({ state }: { state: OperationState }) {
  const { color, icon } = OPERATION_STATE_DISPLAY[state]
  return <Badge text={state} color={color} icon={icon} />
}
