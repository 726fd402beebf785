import { operationTitle, BACKFILL_BOUNDS, type Operation, type OperationPatch } from '@sti-rollout/agent/contract'
import { formatCount } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { tuneOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { ACTIONS } from './actionCatalog'
import { ConfirmationModal } from './ConfirmationModal'
import { NumberField } from './NumberField'
import { useSubmit } from './useSubmit'

interface Props {
  environment: Environment
  operation: Operation
  onDone: () => void
  onClose: () => void
}

type TunedParameter = 'batchSize' | 'maximumBatchSeconds' | 'workers' | 'niceRatio'

/** Changes the pace of an operation while it runs: batch size and duration, workers, rest ratio. */
export function TuneConfirmation({ environment, operation, onDone, onClose }: Props) {
  const [patch, setPatch] = useState<OperationPatch>({})
  const { busy, error, send } = useSubmit(() => tuneOperation(environment.agent, operation.id, patch), onDone)
  const field = (name: TunedParameter) => ({
    bounds: BACKFILL_BOUNDS[name],
    value: patch[name] ?? null,
    onChange: (value: number | null) => {
      const { [name]: _, ...others } = patch
      setPatch(value === null ? others : { ...others, [name]: value })
    },
  })
  const lastBatchRows = operation.progress?.batchRows
  return (
    <ConfirmationModal
      title={`Tune ${operationTitle(operation)} ${operation.id} of ${operation.rollout}`}
      environment={environment}
      confirmLabel={ACTIONS.tune.label}
      destructive={false}
      disabledReason={Object.keys(patch).length === 0 ? 'Set at least one value.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <NumberField
        label="Maximum batch size"
        description={
          lastBatchRows ? `Rows per batch; the latest batch had ${formatCount(lastBatchRows)}.` : 'Rows per batch.'
        }
        {...field('batchSize')}
      />
      <NumberField
        label="Maximum batch duration"
        description="Seconds that a batch may hold its locks."
        {...field('maximumBatchSeconds')}
      />
      <NumberField
        label="Workers"
        description={`Batches written in parallel; now ${currentParameter(operation, 'workers', 1)}.`}
        {...field('workers')}
      />
      <NumberField
        label="Rest ratio"
        description={`Seconds of rest per second of work; now ${currentParameter(operation, 'niceRatio', 0)}.`}
        {...field('niceRatio')}
      />
    </ConfirmationModal>
  )
}

function currentParameter({ parameters }: Operation, name: TunedParameter, defaultValue: number): number {
  return Number(parameters[name] ?? defaultValue)
}
