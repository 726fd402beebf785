import { Checkbox, Field, RadioButtonGroup, Stack } from '@grafana/ui'
import { BACKFILL_BOUNDS } from '@sti-rollout/agent/contract'
import React from 'react'
import { AdvancedSettings } from '../layout/AdvancedSettings'
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
    <Stack direction="column" gap={0} alignItems="flex-start">
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
        description="Reads the signals more often. Disable monitoring to undo it."
        value={options.enableMonitoring}
        onChange={(event) => set({ enableMonitoring: event.currentTarget.checked })}
      />
      <AdvancedSettings>
        <NumberField
          label="Batch size"
          description="Rows per batch. Empty (recommended): the agent finds it."
          bounds={BACKFILL_BOUNDS.batchSize}
          width={20}
          placeholder="automatic"
          value={options.batchSize}
          onChange={(batchSize) => set({ batchSize })}
        />
        <NumberField
          label="Checkpoint interval"
          description={`Commits between two flushes. Recommended: ${BACKFILL_BOUNDS.checkpointInterval.default}.`}
          bounds={BACKFILL_BOUNDS.checkpointInterval}
          width={20}
          value={options.checkpointInterval}
          onChange={(checkpointInterval) =>
            set({ checkpointInterval: checkpointInterval ?? BACKFILL_BOUNDS.checkpointInterval.default })
          }
        />
        <NumberField
          label="Workers"
          description={`Batches written in parallel. Recommended: ${BACKFILL_BOUNDS.workers.default}.`}
          bounds={BACKFILL_BOUNDS.workers}
          width={20}
          value={options.workers}
          onChange={(workers) => set({ workers: workers ?? BACKFILL_BOUNDS.workers.default })}
        />
        <NumberField
          label="Agents"
          description={`How many agents may write, each with this many workers. Recommended: ${BACKFILL_BOUNDS.agents.default}.`}
          bounds={BACKFILL_BOUNDS.agents}
          width={20}
          value={options.agents}
          onChange={(agents) => set({ agents: agents ?? BACKFILL_BOUNDS.agents.default })}
        />
        <NumberField
          label="Rest ratio"
          description={`Seconds of rest per second of work. Recommended: ${BACKFILL_BOUNDS.niceRatio.default}.`}
          bounds={BACKFILL_BOUNDS.niceRatio}
          width={20}
          value={options.niceRatio}
          onChange={(niceRatio) => set({ niceRatio: niceRatio ?? BACKFILL_BOUNDS.niceRatio.default })}
        />
      </AdvancedSettings>
    </Stack>
  )
}
