import { Field, Input, RadioButtonGroup, Stack } from '@grafana/ui'
import React from 'react'
import type { OperationOptions } from './actionCatalog'

const SOURCE_OPTIONS = [
  { value: false, label: 'From history' },
  { value: true, label: 'Live' },
]
const DURATION_OPTIONS = [
  { value: 60, label: '1 min' },
  { value: 600, label: '10 min' },
  { value: 3600, label: '1 h' },
  { value: 86_400, label: '24 h' },
  { value: 604_800, label: '7 d' },
]

/** How a baseline is taken: from what Prometheus knows, or by sampling from now on. */
export function BaselineFields({
  choices,
  onChange,
}: {
  choices: OperationOptions
  onChange: (choices: OperationOptions) => void
}) {
  return (
    <Stack direction="row" wrap="wrap" gap={2}>
      <Field label="Taken" description="History needs Prometheus, and more than a minute of it.">
        <RadioButtonGroup
          options={SOURCE_OPTIONS}
          value={choices.live}
          onChange={(live) =>
            onChange({
              ...choices,
              live,
              durationSeconds: live ? choices.durationSeconds : Math.max(choices.durationSeconds, 600),
            })
          }
          aria-label="Taken"
        />
      </Field>
      <Field label="Over" description="A day has quiet and busy hours.">
        <RadioButtonGroup
          options={choices.live ? DURATION_OPTIONS : DURATION_OPTIONS.filter(({ value }) => value > 60)}
          value={choices.durationSeconds}
          onChange={(durationSeconds) => onChange({ ...choices, durationSeconds })}
          aria-label="Over"
        />
      </Field>
      <Field label="Release" description="Of the application; optional.">
        <Input
          id="sti-release"
          width={24}
          maxLength={100}
          placeholder="v1.4.2"
          value={choices.release}
          onChange={(event) => onChange({ ...choices, release: event.currentTarget.value })}
        />
      </Field>
    </Stack>
  )
}
