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

/** The numbers that have a default, which an empty field stands for. */
const RECOMMENDED_FIELDS = [
  { name: 'checkpointInterval', label: 'Checkpoint interval', description: 'Commits between two flushes.' },
  { name: 'workers', label: 'Workers', description: 'Batches written in parallel.' },
  { name: 'agents', label: 'Agents', description: 'How many agents may write, each with this many workers.' },
  { name: 'niceRatio', label: 'Rest ratio', description: 'Seconds of rest per second of work.' },
] as const satisfies ReadonlyArray<{ name: keyof typeof BACKFILL_BOUNDS; label: string; description: string }>

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
        {RECOMMENDED_FIELDS.map(({ name, label, description }) => (
          <NumberField
            key={name}
            label={label}
            description={`${description} Recommended: ${BACKFILL_BOUNDS[name].default}.`}
            bounds={BACKFILL_BOUNDS[name]}
            width={20}
            value={options[name]}
            onChange={(value) => set({ [name]: value ?? BACKFILL_BOUNDS[name].default })}
          />
        ))}
      </AdvancedSettings>
    </Stack>
  )
}
