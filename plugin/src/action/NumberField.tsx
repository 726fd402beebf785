import { Field, Input } from '@grafana/ui'
import React from 'react'

interface Props {
  label: string
  description?: string
  min: number
  max: number
  /** Accept fractions; without it they are rounded down. */
  fractional?: boolean
  /** Null shows an empty field. */
  value: number | null
  placeholder?: string
  suffix?: string
  width?: number
  /** Gets null for an empty field, or for a whole number below `min`. */
  onChange: (value: number | null) => void
}

/** A number that is not negative. A value above `max` becomes `max`; the form refuses a fraction below `min`. */
export function NumberField({ label, description, min, max, fractional = false, value, onChange, ...input }: Props) {
  return (
    <Field label={label} description={description}>
      <Input
        {...input}
        id={`sti-${label.toLowerCase().replaceAll(/\W+/g, '-')}`}
        type="number"
        min={min}
        max={max}
        step={fractional ? 'any' : 1}
        value={value ?? ''}
        onChange={({ currentTarget }) => onChange(parseNumber(currentTarget.value, { min, max, fractional }))}
      />
    </Field>
  )
}

interface NumberBounds {
  readonly min: number
  readonly max: number
  readonly fractional: boolean
}

export function parseNumber(text: string, { min, max, fractional }: NumberBounds): number | null {
  const number = Number(text)
  if (text === '' || Number.isNaN(number)) return null
  // A fraction below the minimum may be the start of a larger one: 0.0 becomes 0.05.
  if (fractional) return Math.min(Math.max(number, 0), max)
  const whole = Math.floor(number)
  return whole < min ? null : Math.min(whole, max)
}
