import { Field, RadioButtonGroup } from '@grafana/ui'
import React from 'react'
import type { Choices } from './actions'
import { PercentageChoice } from './PercentageChoice'

const HOW = [
  { value: false, label: 'At once' },
  { value: true, label: 'In steps' },
]

/** How the flag goes on: at once for a percentage, or in the steps of the rollout file, each held and judged. */
export function EnableChoices({ choices, onChange }: { choices: Choices; onChange: (choices: Choices) => void }) {
  return (
    <>
      <Field
        label="How"
        description={choices.ramp ? 'By flag.ramp of the rollout file, each step held for flag.hold.' : undefined}
      >
        <RadioButtonGroup
          options={HOW}
          value={choices.ramp}
          onChange={(ramp) => onChange({ ...choices, ramp })}
          aria-label="How"
        />
      </Field>
      {!choices.ramp && <PercentageChoice choices={choices} onChange={onChange} />}
    </>
  )
}
