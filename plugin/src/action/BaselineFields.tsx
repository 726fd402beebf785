import { Field, Input, RadioButtonGroup, Stack } from '@grafana/ui'
import React from 'react'
import type { OperationFieldsProps } from './operationRequest'

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
/** One minute of history has too few samples. */
const MINIMUM_HISTORY_SECONDS = 600

/** The options of a baseline: from the history in Prometheus, or sampled live. */
export function BaselineFields({ options, onChange }: OperationFieldsProps) {
  return (
    <Stack direction="row" wrap="wrap" gap={2}>
      <Field label="Source" description="History requires Prometheus and at least 10 minutes of data.">
        <RadioButtonGroup
          options={SOURCE_OPTIONS}
          value={options.live}
          onChange={(live) =>
            onChange({
              ...options,
              live,
              durationSeconds: live
                ? options.durationSeconds
                : Math.max(options.durationSeconds, MINIMUM_HISTORY_SECONDS),
            })
          }
          aria-label="Source"
        />
      </Field>
      <Field label="Duration" description="24 hours cover quiet and busy times.">
        <RadioButtonGroup
          options={
            options.live ? DURATION_OPTIONS : DURATION_OPTIONS.filter(({ value }) => value >= MINIMUM_HISTORY_SECONDS)
          }
          value={options.durationSeconds}
          onChange={(durationSeconds) => onChange({ ...options, durationSeconds })}
          aria-label="Duration"
        />
      </Field>
      <Field label="Release" description="Version of the application. Optional.">
        <Input
          id="sti-release"
          width={24}
          maxLength={100}
          placeholder="v1.4.2"
          value={options.release}
          onChange={(event) => onChange({ ...options, release: event.currentTarget.value })}
        />
      </Field>
    </Stack>
  )
}
