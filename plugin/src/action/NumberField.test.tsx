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
  expect(parseNumber(text, { min: 1, max: 32, fractional: false })).toBe(value),
)

test.each([
  ['', null],
  ['-1', 0],
  ['0.0', 0],
  ['0.05', 0.05],
  ['9', 5],
])('the fraction %j is read as %s', (text, value) =>
  expect(parseNumber(text, { min: 0.01, max: 5, fractional: true })).toBe(value),
)

test('the field is found by its label, with its bounds', () => {
  const onChange = vi.fn()
  render(<NumberField label="Batch size" min={1} max={100} value={null} onChange={onChange} />)
  const input = screen.getByLabelText('Batch size') as HTMLInputElement
  expect([input.min, input.max, input.value]).toEqual(['1', '100', ''])
  fireEvent.change(input, { target: { value: '500' } })
  expect(onChange).toHaveBeenCalledWith(100)
})
