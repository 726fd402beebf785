import { Stack } from '@grafana/ui'
import type { Operation, RolloutDetail } from '@sti-rollout/agent/contract'
import React from 'react'
import type { Environment } from '../agent/useEnvironment'
import { ACTION_BAR_ACTIONS } from './actionCatalog'
import { OperationButton } from './OperationButton'

interface Props {
  environment: Environment
  detail: RolloutDetail
  onStarted: (operation: Operation) => void
}

/** The actions that take a rollout forward or back, each enabled or refused as the agent states. */
export function ActionBar({ environment, detail, onStarted }: Props) {
  return (
    <div role="toolbar" aria-label={`Actions on ${detail.rollout} in ${environment.name}`}>
      <Stack direction="row" wrap="wrap" gap={1}>
        {ACTION_BAR_ACTIONS.map((action) => (
          <OperationButton
            key={action}
            action={action}
            environment={environment}
            detail={detail}
            knownChecks={detail.validation?.checks}
            onStarted={onStarted}
          />
        ))}
      </Stack>
    </div>
  )
}
