import { Field, Input } from '@grafana/ui'
import type { ParameterBounds } from '@sti-rollout/agent/contract'
import React from 'react'

interface Props {
  label: string
  description?: string
  bounds: ParameterBounds
  /** Null shows an empty field. */
  value: number | null
  placeholder?: string
  suffix?: string
  width?: number
  /** Gets null for an empty field, or for a whole number below its minimum. */
  onChange: (value: number | null) => void
}

/** A number that is not negative. A value above the maximum becomes the maximum; the form refuses a fraction below the minimum. */
export function NumberField({ label, description, bounds, value, onChange, ...input }: Props) {
  return (
    <Field label={label} description={description}>
      <Input
        {...input}
        id={`sti-${label.toLowerCase().replaceAll(/\W+/g, '-')}`}
        type="number"
        min={bounds.minimum}
        max={bounds.maximum}
        step={bounds.integer ? 1 : 'any'}
        value={value ?? ''}
        onChange={({ currentTarget }) => onChange(parseNumber(currentTarget.value, bounds))}
      />
    </Field>
  )
}

export function parseNumber(text: string, { minimum, maximum, integer }: ParameterBounds): number | null {
  const number = Number(text)
  if (text === '' || Number.isNaN(number)) return null
  // A fraction below the minimum may be the start of a larger one: 0.0 becomes 0.05.
  if (!integer) return Math.min(Math.max(number, 0), maximum)
  const whole = Math.floor(number)
  return whole < minimum ? null : Math.min(whole, maximum)
}
