import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { rewriteLinks, parseSections } from './sections'

const runbook = readFileSync(path.resolve(import.meta.dirname, '../../../alerts/RUNBOOK.md'), 'utf8')

test('every heading is a section, and the link of an alert leads to its section', () => {
  const sections = parseSections(runbook)
  expect(sections[0]).toMatchObject({ title: 'Runbook', depth: 1 })
  expect(sections.find(({ id }) => id === 'stiapilatencyhigh')?.body).toContain('**Means**')
  expect(new Set(sections.map(({ id }) => id)).size).toBe(sections.length)
})

test('every link within the runbook has a heading', () => {
  const ids = parseSections(runbook).map(({ id }) => id)
  const targets = [...runbook.matchAll(/\]\(#([^)]+)\)/g)].map(([, target]) => target)
  expect(targets.length).toBeGreaterThan(3)
  for (const target of targets) {
    expect(ids).toContain(target)
  }
})

test('links within the page get its address, and links to other files become text', () => {
  expect(rewriteLinks('[a](#b) [c](../docs/d.md#e) [f](https://g.example)', '/x/runbook')).toBe(
    '[a](/x/runbook#b) c [f](https://g.example)',
  )
})
