import { expect, test } from 'vitest'
import { splitCondition } from './ruleCondition.ts'
import { readPrometheusRules } from './prometheusRules.ts'

test.each([
  ['max by (a) (x{b="c > 1"}) == 1', { measured: 'max by (a) (x{b="c > 1"})', operator: '==', number: '1' }],
  ['(\n  x and on (a) y > 0\n) > 0.5', { measured: '(\n  x and on (a) y > 0\n)', operator: '>', number: '0.5' }],
  ['time() - x >= -1', { measured: 'time() - x', operator: '>=', number: '-1' }],
])('%j', (expr, condition) => {
  expect(splitCondition('Rule', expr)).toEqual(condition)
})

test.each([
  ['absent(x)', /does not end in a comparison/],
  ['x > y', /does not end in a comparison/],
  ['a and b == 1', /in brackets/],
  ['(a unless b) or c > 0', /in brackets/],
  ['(a)) == 1', /brackets/],
])('%s is refused', (expr, fault) => {
  expect(() => splitCondition('Rule', expr)).toThrow(fault)
})

test('every rule of alerts/ can be split', async () => {
  for (const { rules } of await readPrometheusRules()) for (const { alert, expr } of rules) splitCondition(alert, expr)
})
