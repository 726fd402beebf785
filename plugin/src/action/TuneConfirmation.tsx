import { Field, Input } from '@grafana/ui'
import type { Operation } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { tuneOperation } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'
import { operationTitle } from '../operation/display'
import { ConfirmationModal } from './ConfirmationModal'
import { useSubmit } from './useSubmit'

interface Props {
  environment: Environment
  operation: Operation
  onDone: () => void
  onClose: () => void
}

/** Changes how much one batch takes, how many run at the same time and how long they rest, while it runs. */
export function TuneConfirmation({ environment, operation, onDone, onClose }: Props) {
  const [batchSize, setBatchSize] = useState('')
  const [batchSeconds, setSeconds] = useState('')
  const [workers, setWorkers] = useState('')
  const [niceRatio, setRest] = useState('')
  const { busy, error, send } = useSubmit(
    () =>
      tuneOperation(environment.agent, operation.id, {
        ...(batchSize ? { batchSize: Number(batchSize) } : {}),
        ...(batchSeconds ? { maximumBatchSeconds: Number(batchSeconds) } : {}),
        ...(workers ? { workers: Number(workers) } : {}),
        ...(niceRatio ? { niceRatio: Number(niceRatio) } : {}),
      }),
    onDone,
  )
  const lastBatchRows = operation.progress?.batchRows
  return (
    <ConfirmationModal
      title={`Tune ${operationTitle(operation)} ${operation.id} of ${operation.rollout}`}
      environment={environment}
      confirmLabel="Tune"
      destructive={false}
      disabledReason={!batchSize && !batchSeconds && !workers && !niceRatio ? 'Set one of them.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <Field
        label="Rows of a batch, at most"
        description={lastBatchRows ? `The last one had ${lastBatchRows}.` : undefined}
      >
        <Input
          id="sti-batch-size"
          type="number"
          min={1}
          max={100_000}
          value={batchSize}
          onChange={(event) => setBatchSize(event.currentTarget.value)}
        />
      </Field>
      <Field label="Seconds of a batch, at most" description="How long it may hold its locks.">
        <Input
          id="sti-batch-seconds"
          type="number"
          min={0.01}
          max={5}
          step="any"
          value={batchSeconds}
          onChange={(event) => setSeconds(event.currentTarget.value)}
        />
      </Field>
      <Field
        label="Workers"
        description={`Batches at the same time; now ${currentParameter(operation, 'workers', 1)}.`}
      >
        <Input
          id="sti-workers"
          type="number"
          min={1}
          max={32}
          value={workers}
          onChange={(event) => setWorkers(event.currentTarget.value)}
        />
      </Field>
      <Field
        label="Rest"
        description={`Seconds for each second of work; now ${currentParameter(operation, 'niceRatio', 0)}.`}
      >
        <Input
          id="sti-nice-ratio"
          type="number"
          min={0}
          max={100}
          step="any"
          value={niceRatio}
          onChange={(event) => setRest(event.currentTarget.value)}
        />
      </Field>
    </ConfirmationModal>
  )
}

function currentParameter({ parameters }: Operation, name: 'workers' | 'niceRatio', standard: number): number {
  return Number(parameters[name] ?? standard)
}
