import { Field, TextArea } from '@grafana/ui'
import React from 'react'

interface Props {
  label?: string
  required: boolean
  value: string
  onChange: (reason: string) => void
}

/** The reason for an action; the agent records it. */
export function ReasonField({ label = 'Reason', required, value, onChange }: Props) {
  return (
    <Field label={label} description={required ? undefined : 'Optional.'} required={required}>
      <TextArea
        id="sti-reason"
        rows={2}
        maxLength={2000}
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </Field>
  )
}
