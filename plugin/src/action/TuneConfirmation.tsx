import { Field, Input } from '@grafana/ui'
import type { Operation } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { tune } from '../agent/calls'
import type { Environment } from '../agent/useEnvironment'
import { nameOf } from '../operation/look'
import { Frame } from './Frame'
import { useSend } from './useSend'

interface Props {
  environment: Environment
  operation: Operation
  onDone: () => void
  onClose: () => void
}

/** Changes how much one batch takes, how many run at the same time and how long they rest, while it runs. */
export function TuneConfirmation({ environment, operation, onDone, onClose }: Props) {
  const [batchSize, setBatchSize] = useState('')
  const [seconds, setSeconds] = useState('')
  const [workers, setWorkers] = useState('')
  const [rest, setRest] = useState('')
  const { busy, error, send } = useSend(
    () =>
      tune(environment.agent, operation.id, {
        ...(batchSize ? { batchSize: Number(batchSize) } : {}),
        ...(seconds ? { maximumBatchSeconds: Number(seconds) } : {}),
        ...(workers ? { workers: Number(workers) } : {}),
        ...(rest ? { niceRatio: Number(rest) } : {}),
      }),
    onDone,
  )
  const last = operation.progress?.batchRows
  return (
    <Frame
      title={`Tune ${nameOf(operation)} ${operation.id} of ${operation.rollout}`}
      environment={environment}
      verb="Tune"
      destructive={false}
      missing={!batchSize && !seconds && !workers && !rest ? 'Set one of them.' : null}
      busy={busy}
      error={error}
      onConfirm={send}
      onClose={onClose}
    >
      <Field label="Rows of a batch, at most" description={last ? `The last one had ${last}.` : undefined}>
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
          value={seconds}
          onChange={(event) => setSeconds(event.currentTarget.value)}
        />
      </Field>
      <Field label="Workers" description={`Batches at the same time; now ${given(operation, 'workers', 1)}.`}>
        <Input
          id="sti-workers"
          type="number"
          min={1}
          max={32}
          value={workers}
          onChange={(event) => setWorkers(event.currentTarget.value)}
        />
      </Field>
      <Field label="Rest" description={`Seconds for each second of work; now ${given(operation, 'niceRatio', 0)}.`}>
        <Input
          id="sti-nice-ratio"
          type="number"
          min={0}
          max={100}
          step="any"
          value={rest}
          onChange={(event) => setRest(event.currentTarget.value)}
        />
      </Field>
    </Frame>
  )
}

function given({ parameters }: Operation, name: 'workers' | 'niceRatio', standard: number): number {
  return Number(parameters[name] ?? standard)
}
