import type { OperationState } from '@sti-rollout/agent/contract'
import { Badge } from '@grafana/ui'
import React from 'react'
import { LOOK } from './look'

export function OperationStateBadge({ state }: { state: OperationState }) {
  const { color, icon } = LOOK[state]
  return <Badge text={state} color={color} icon={icon} />
}
