import { Field, RadioButtonGroup } from '@grafana/ui'
import React from 'react'
import type { OperationOptions } from './actionCatalog'
import { PercentageField } from './PercentageField'

const ROLLOUT_MODES = [
  { value: false, label: 'At once' },
  { value: true, label: 'In steps' },
]

/** How the flag goes on: at once for a percentage, or in the steps of the rollout file, each held and judged. */
export function EnableFields({
  choices,
  onChange,
}: {
  choices: OperationOptions
  onChange: (choices: OperationOptions) => void
}) {
  return (
    <>
      <Field
        label="How"
        description={choices.ramp ? 'By flag.ramp of the rollout file, each step held for flag.hold.' : undefined}
      >
        <RadioButtonGroup
          options={ROLLOUT_MODES}
          value={choices.ramp}
          onChange={(ramp) => onChange({ ...choices, ramp })}
          aria-label="How"
        />
      </Field>
      {!choices.ramp && <PercentageField choices={choices} onChange={onChange} />}
    </>
  )
}
