import { Checkbox, Field, RadioButtonGroup, Stack } from '@grafana/ui'
import React from 'react'
import { NumberField } from './NumberField'
import type { OperationFieldsProps, OperationOptions } from './operationRequest'

const ROLLBACK_ON_ERROR_OPTIONS = [
  { value: 'no', label: 'Stop' },
  { value: 'flag', label: 'Stop and turn the flag off' },
  { value: 'data', label: 'Stop and roll back the data' },
] as const satisfies Array<{ value: OperationOptions['rollbackOnError']; label: string }>

/** The options of a backfill. */
export function BackfillFields({ options, onChange }: OperationFieldsProps) {
  const set = (changed: Partial<OperationOptions>) => onChange({ ...options, ...changed })
  return (
    <Stack direction="row" wrap="wrap" gap={2}>
      <NumberField
        label="Batch size"
        description="Rows per batch. Empty: automatic."
        min={1}
        max={100_000}
        width={16}
        placeholder="automatic"
        value={options.batchSize}
        onChange={(batchSize) => set({ batchSize })}
      />
      <NumberField
        label="Checkpoint interval"
        description="Commits between two flushes."
        min={1}
        max={100_000}
        width={16}
        value={options.checkpointInterval}
        onChange={(checkpointInterval) => set({ checkpointInterval: checkpointInterval ?? 1 })}
      />
      <NumberField
        label="Workers"
        description="Batches written in parallel."
        min={1}
        max={32}
        width={16}
        value={options.workers}
        onChange={(workers) => set({ workers: workers ?? 1 })}
      />
      <NumberField
        label="Agents"
        description="How many agents may write, each with this many workers."
        min={1}
        max={16}
        width={16}
        value={options.agents}
        onChange={(agents) => set({ agents: agents ?? 1 })}
      />
      <NumberField
        label="Rest ratio"
        description="Seconds of rest per second of work."
        min={0}
        max={100}
        fractional
        width={16}
        value={options.niceRatio}
        onChange={(niceRatio) => set({ niceRatio: niceRatio ?? 0 })}
      />
      <Field label="On a critical error">
        <RadioButtonGroup
          options={[...ROLLBACK_ON_ERROR_OPTIONS]}
          value={options.rollbackOnError}
          onChange={(rollbackOnError) => set({ rollbackOnError })}
          aria-label="On a critical error"
        />
      </Field>
      <Checkbox
        label="Enhanced monitoring"
        description="Reads the signals more often. Roll back monitoring to undo it."
        value={options.enableMonitoring}
        onChange={(event) => set({ enableMonitoring: event.currentTarget.checked })}
      />
    </Stack>
  )
}
