import { Stack } from '@grafana/ui'
import type { Operation, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import type { Environment } from '../agent/useEnvironment'
import { BAR, STARTS, type Start } from './actions'
import { Confirmation } from './Confirmation'
import { RefusableButton } from './RefusableButton'
import { why } from './why'

interface Props {
  environment: Environment
  detail: RolloutDetail
  onStarted: (operation: Operation) => void
}

/** A button for each action that starts an operation, as the agent allows it; the ways back stand last. */
export function ActionBar({ environment, detail, onStarted }: Props) {
  const [open, setOpen] = useState<Start | null>(null)
  return (
    <div role="toolbar" aria-label={`Actions on ${detail.rollout} in ${environment.name}`}>
      <Stack direction="row" wrap="wrap" gap={1}>
        {BAR.map((start) => (
          <RefusableButton
            key={start}
            size="sm"
            icon={STARTS[start].icon}
            variant={STARTS[start].destructive ? 'destructive' : 'secondary'}
            reasons={why(detail, start)}
            onClick={() => setOpen(start)}
          >
            {STARTS[start].label}
          </RefusableButton>
        ))}
      </Stack>
      {open && (
        <Confirmation
          start={open}
          environment={environment}
          rollout={detail.rollout}
          known={detail.validation?.checks}
          onClose={() => setOpen(null)}
          onDone={onStarted}
        />
      )}
    </div>
  )
}
