import { Field, Input, RadioButtonGroup, Stack } from '@grafana/ui'
import React from 'react'
import type { OperationOptions } from './actionCatalog'

const PERCENTAGE_PRESETS = [1, 10, 50, 100].map((value) => ({ value, label: `${value} %` }))

/** For how many of the targeting keys the flag goes on. */
export function PercentageField({
  choices,
  onChange,
}: {
  choices: OperationOptions
  onChange: (choices: OperationOptions) => void
}) {
  const set = (percentage: number) => onChange({ ...choices, percentage })
  return (
    <Field label="Percentage of targeting keys">
      <Stack direction="row" wrap="wrap">
        <RadioButtonGroup
          options={PERCENTAGE_PRESETS}
          value={choices.percentage}
          onChange={set}
          aria-label="Percentage of targeting keys"
        />
        <Input
          type="number"
          min={0}
          max={100}
          width={12}
          suffix="%"
          aria-label="Another percentage"
          value={choices.percentage}
          onChange={(event) => set(Math.min(100, Math.max(0, Number(event.currentTarget.value))))}
        />
      </Stack>
    </Field>
  )
}
