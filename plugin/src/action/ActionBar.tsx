import { Stack } from '@grafana/ui'
import type { Operation, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { ACTION_BAR_ACTIONS, OPERATION_ACTIONS, type OperationAction } from './actionCatalog'
import { OperationConfirmation } from './OperationConfirmation'
import { ActionButton } from './ActionButton'
import { refusalReasons } from './refusalReasons'

interface Props {
  environment: Environment
  detail: RolloutDetail
  onStarted: (operation: Operation) => void
}

/** A button for each action that starts an operation, as the agent allows it; the ways back stand last. */
export function ActionBar({ environment, detail, onStarted }: Props) {
  const [open, setOpen] = useState<OperationAction | null>(null)
  return (
    <div role="toolbar" aria-label={`Actions on ${detail.rollout} in ${environment.name}`}>
      <Stack direction="row" wrap="wrap" gap={1}>
        {ACTION_BAR_ACTIONS.map((start) => (
          <ActionButton
            key={start}
            size="sm"
            icon={OPERATION_ACTIONS[start].icon}
            variant={OPERATION_ACTIONS[start].destructive ? 'destructive' : 'secondary'}
            reasons={refusalReasons(detail, start)}
            onClick={() => setOpen(start)}
          >
            {OPERATION_ACTIONS[start].label}
          </ActionButton>
        ))}
      </Stack>
      {open && (
        <OperationConfirmation
          start={open}
          environment={environment}
          rollout={detail.rollout}
          knownChecks={detail.validation?.checks}
          onClose={() => setOpen(null)}
          onDone={onStarted}
        />
      )}
    </div>
  )
}
