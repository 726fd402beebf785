import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ACTIONS } from '../action/actionCatalog'
import { AUTOMATIC_ROLLBACK_TEXTS } from '../action/AutomaticRollbackConfirmation'
import { TABS } from '../pages/tabs'
import { VITAL_SIGN_LABELS } from '../rollout/vitalSign'
import { fillCommand } from '@sti-rollout/agent/format/runbookCommand'
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

const readJson = (file: string): unknown => JSON.parse(readFileSync(path.resolve(import.meta.dirname, file), 'utf8'))

/** The paragraphs that each alert has. */
const FIELDS = ['Means', 'Check', 'Do', 'Resolved when']

test('every button, tab, panel, and vital sign that the runbook names exists by that name', () => {
  const names = [...runbook.matchAll(/\*\*([^*]+)\*\*/g)].map(([, name = '']) => name.replace(/\s+/g, ' '))
  const { extensions, includes } = readJson('../plugin.json') as {
    extensions: { addedLinks: Array<{ title: string }> }
    includes: Array<{ name: string }>
  }
  const { panels } = readJson('../dashboards/sti-rollout-monitoring.json') as { panels: Array<{ title: string }> }
  const known = new Set<string>([
    ...Object.values(ACTIONS).map(({ label }) => label),
    ...Object.values(AUTOMATIC_ROLLBACK_TEXTS).map(({ label }) => label),
    ...panels.map(({ title }) => title),
    ...TABS.map(([label]) => label),
    ...Object.values(VITAL_SIGN_LABELS),
    ...extensions.addedLinks.map(({ title }) => title),
    ...includes.map(({ name }) => name),
  ])
  const named = names.filter(
    (name) => !FIELDS.includes(name) && !/^(error-budget|stale-clients|plan|existing-values)$/.test(name),
  )
  expect(named.length).toBeGreaterThan(25)
  expect([...new Set(named)].filter((name) => !known.has(name))).toEqual([])
})

test.each([
  ['sti flag --environment production --disable', 'sti flag --environment staging --rollout vehicles --disable'],
  ['sti operations pause', 'sti operations pause --environment staging --rollout vehicles'],
  [
    'sti rollback data --confirm <rollout> --reason "…"',
    'sti rollback data --environment staging --rollout vehicles --confirm vehicles --reason "…"',
  ],
  ["where rollout = '<rollout>';", "where rollout = 'vehicles';"],
])('%s names its environment and its rollout', (command, filled) => {
  expect(fillCommand(command, { environment: 'staging', rollout: 'vehicles' })).toBe(filled)
  expect(fillCommand(command, { environment: null, rollout: null })).toBe(command)
})
