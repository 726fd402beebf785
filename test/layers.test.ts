import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'

const { LAYERS } = createRequire(import.meta.url)('../layers.cjs') as { LAYERS: readonly (readonly string[])[] }

test('each folder and file of the agent is in exactly one layer, so that an import rule covers it', () => {
  const entries = readdirSync(new URL('../agent/src', import.meta.url)).filter((name) => !name.endsWith('.test.ts'))
  expect(LAYERS.flat().toSorted()).toEqual(entries.toSorted())
})
