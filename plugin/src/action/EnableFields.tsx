import { Field, RadioButtonGroup, Stack } from '@grafana/ui'
import { formatPercent } from '@sti-rollout/agent/format'
import React from 'react'
import { NumberField } from './NumberField'
import type { OperationFieldsProps } from './operationRequest'

const ROLLOUT_MODES = [
  { value: false, label: 'At once' },
  { value: true, label: 'In steps' },
]
const PERCENTAGE_PRESETS = [1, 10, 50, 100].map((value) => ({ value, label: formatPercent(value / 100) }))

const PERCENTAGE_BOUNDS = { minimum: 0, maximum: 100, integer: false }

/** The options to enable the flag: at once for a percentage, or in the steps of the rollout file. */
export function EnableFields({ options, onChange }: OperationFieldsProps) {
  const setPercentage = (percentage: number) => onChange({ ...options, percentage })
  return (
    <>
      <Field
        label="Mode"
        description={
          options.ramp ? 'Follows flag.ramp of the rollout file and holds each step for flag.hold.' : undefined
        }
      >
        <RadioButtonGroup
          options={ROLLOUT_MODES}
          value={options.ramp}
          onChange={(ramp) => onChange({ ...options, ramp })}
          aria-label="Mode"
        />
      </Field>
      {!options.ramp && (
        <Stack direction="row" wrap="wrap" gap={2}>
          <Field label="Percentage of targeting keys">
            <RadioButtonGroup
              options={PERCENTAGE_PRESETS}
              value={options.percentage}
              onChange={setPercentage}
              aria-label="Percentage of targeting keys"
            />
          </Field>
          <NumberField
            label="Other percentage"
            bounds={PERCENTAGE_BOUNDS}
            width={12}
            suffix="%"
            value={options.percentage}
            onChange={(percentage) => setPercentage(percentage ?? 0)}
          />
        </Stack>
      )}
    </>
  )
}
