import { fireEvent, render, screen } from '@testing-library/react'
import React from 'react'
import { expect, test, vi } from 'vitest'
import { NumberField, parseNumber } from './NumberField'

test.each([
  ['', null],
  ['x', null],
  ['0', null],
  ['7', 7],
  ['7.9', 7],
  ['99', 32],
])('the whole number %j is read as %s', (text, value) =>
  expect(parseNumber(text, { minimum: 1, maximum: 32, integer: true })).toBe(value),
)

test.each([
  ['', null],
  ['-1', 0],
  ['0.0', 0],
  ['0.05', 0.05],
  ['9', 5],
])('the fraction %j is read as %s', (text, value) =>
  expect(parseNumber(text, { minimum: 0.01, maximum: 5, integer: false })).toBe(value),
)

test('the field is found by its label, with its bounds', () => {
  const onChange = vi.fn()
  render(
    <NumberField
      label="Batch size"
      bounds={{ minimum: 1, maximum: 100, integer: true }}
      value={null}
      onChange={onChange}
    />,
  )
  const input = screen.getByLabelText('Batch size') as HTMLInputElement
  expect([input.min, input.max, input.value]).toEqual(['1', '100', ''])
  fireEvent.change(input, { target: { value: '500' } })
  expect(onChange).toHaveBeenCalledWith(100)
})
