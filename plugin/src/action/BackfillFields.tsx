import { Checkbox, Field, Input, RadioButtonGroup, Stack } from '@grafana/ui'
import React from 'react'
import type { OperationOptions } from './actionCatalog'

const ROLLBACK_ON_ERROR_OPTIONS = [
  { value: 'no', label: 'Stop' },
  { value: 'flag', label: 'Stop, flag off' },
  { value: 'data', label: 'Stop, data back' },
] as const satisfies Array<{ value: OperationOptions['rollbackOnError']; label: string }>

/** The options of a backfill; empty means that the agent finds it out. */
export function BackfillFields({
  choices,
  onChange,
}: {
  choices: OperationOptions
  onChange: (choices: OperationOptions) => void
}) {
  return (
    <Stack direction="row" wrap="wrap" gap={2}>
      <Field label="Rows of a batch" description="Empty: as feedback says.">
        <Input
          type="number"
          min={1}
          max={100_000}
          width={16}
          placeholder="feedback"
          value={choices.batchSize ?? ''}
          onChange={(event) => onChange({ ...choices, batchSize: parsePositiveInteger(event.currentTarget.value) })}
        />
      </Field>
      <Field label="Flush every" description="Commits between two flushes.">
        <Input
          type="number"
          min={1}
          max={100_000}
          width={16}
          value={choices.checkpointInterval}
          onChange={(event) =>
            onChange({ ...choices, checkpointInterval: parsePositiveInteger(event.currentTarget.value) ?? 1 })
          }
        />
      </Field>
      <Field label="Workers" description="Batches at the same time.">
        <Input
          type="number"
          min={1}
          max={32}
          width={16}
          value={choices.workers}
          onChange={(event) =>
            onChange({ ...choices, workers: Math.min(parsePositiveInteger(event.currentTarget.value) ?? 1, 32) })
          }
        />
      </Field>
      <Field label="Agents" description="That may write, each so.">
        <Input
          type="number"
          min={1}
          max={16}
          width={16}
          value={choices.agents}
          onChange={(event) =>
            onChange({ ...choices, agents: Math.min(parsePositiveInteger(event.currentTarget.value) ?? 1, 16) })
          }
        />
      </Field>
      <Field label="Rest" description="Seconds for each of work.">
        <Input
          type="number"
          min={0}
          max={100}
          step="any"
          width={16}
          value={choices.niceRatio}
          onChange={(event) =>
            onChange({ ...choices, niceRatio: Math.min(Math.max(Number(event.currentTarget.value) || 0, 0), 100) })
          }
        />
      </Field>
      <Field label="On a critical error">
        <RadioButtonGroup
          options={[...ROLLBACK_ON_ERROR_OPTIONS]}
          value={choices.rollbackOnError}
          onChange={(rollbackOnError) => onChange({ ...choices, rollbackOnError })}
          aria-label="On a critical error"
        />
      </Field>
      <Checkbox
        label="Enhanced monitoring"
        description="Read more often; its rollback takes it back."
        value={choices.enableMonitoring}
        onChange={(event) => onChange({ ...choices, enableMonitoring: event.currentTarget.checked })}
      />
    </Stack>
  )
}

function parsePositiveInteger(text: string): number | null {
  const value = Math.floor(Number(text))
  return text === '' || !(value >= 1) ? null : Math.min(value, 100_000)
}
