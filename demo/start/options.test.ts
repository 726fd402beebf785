import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parseOptions } from './options.ts'

test('the rollout file of the demo requires all four layers, and --requires selects some of them', async () => {
  const file = await readFile(new URL('../rollouts/vehicles.yaml', import.meta.url), 'utf8')
  expect(file).toContain('requires: [integrity, performance, system, business]')
  expect(parseOptions([])).toMatchObject({ requires: null })
  expect(parseOptions(['--requires', 'integrity,business'])).toMatchObject({ requires: ['integrity', 'business'] })
  expect(parseOptions(['--requires', 'integrity,magic'])).toEqual({
    error: '--requires magic: use integrity, performance, system, business, separated by commas.',
  })
})
