import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import plugin from './plugin.json'

const MAX_BYTES = 300_000

test.each(plugin.info.screenshots)('$path is a picture of the documentation, small enough for a page', (screenshot) => {
  const picture = readFileSync(path.resolve(import.meta.dirname, screenshot.path))
  const original = path.resolve(import.meta.dirname, '../../docs/images', path.basename(screenshot.path))
  expect(picture.length).toBeLessThan(MAX_BYTES)
  expect(picture.equals(readFileSync(original)), `copy ${original}`).toBe(true)
})
