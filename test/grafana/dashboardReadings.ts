import { expect } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import type { DashboardPanelTitle } from '../../agent/src/provisioning/dashboardPanels.ts'
import { illegibleTexts } from './legibility.ts'
import { dashboardPanel } from './pageObjects.ts'

type Readings = Readonly<Partial<Record<DashboardPanelTitle, readonly RegExp[]>>>

const SECONDS = '[\\d.]+ (µs|ms|s)'
const PERCENT = '[\\d.]+ ?%'
const COUNT = '[\\d,.]+( K)?'
/** A name and its value, one after the other. */
const reading = (name: string, value: string): RegExp => new RegExp(`(^| )${name} (Last: ?)?${value}( |$)`)

/** What is read from the application, the database, and the host, whatever the rollout does. */
const ALWAYS = {
  'API Performance Monitor': [
    reading('avg', SECONDS),
    reading('p95', SECONDS),
    reading('errors', PERCENT),
    reading('throughput', '[\\d.]+ req/s'),
  ],
  'Database Health Checker': [
    reading('query', SECONDS),
    reading('lock wait', SECONDS),
    reading('buffer hits', PERCENT),
    reading('active', COUNT),
    reading('used', PERCENT),
    reading('queue', COUNT),
  ],
  'System Resource Monitor': [
    reading('CPU', PERCENT),
    reading('RAM', PERCENT),
    reading('disk', PERCENT),
    reading('I/O', '[\\d.]+K? io/s'),
    reading('network', '[\\d.]+ [kM]?B/s'),
  ],
} as const satisfies Readings

/** A backfill is running, and the database refuses two rows by a CHECK, one by a division, and one by an exception. */
export const READINGS_WHILE_ROWS_FAIL: Readings = {
  ...ALWAYS,
  'STI Progress Tracker': [
    reading('complete', PERCENT),
    reading('processed', COUNT),
    reading('total', '10\\d,\\d{3}'),
    reading('rows/min', COUNT),
    reading('time left', '\\d\\d:\\d\\d:\\d\\d'),
  ],
  'Error Rate Tracker': [
    reading('failed rows', '4'),
    reading('retries', COUNT),
    reading('recovered', '0[.]0 ?%'),
    reading('23514 check violation', '2'),
    reading('22012 division by zero', '1'),
    reading('P0001 raised by a trigger', '1'),
  ],
}

/** Two of the four failed rows were repaired and retried. */
export const READINGS_OF_RECOVERY: Readings = {
  'Error Rate Tracker': [
    reading('failed rows', '2'),
    reading('recovered', '50[.]0 ?%'),
    reading('22012 division by zero', '1'),
    reading('P0001 raised by a trigger', '1'),
  ],
}

/** Every row is written and validated, and the flag is on. */
export const READINGS_WITH_FLAG: Readings = {
  ...ALWAYS,
  'STI Progress Tracker': [
    reading('complete', '100[.]0 ?%'),
    reading('processed', '10\\d,\\d{3}'),
    reading('total', '10\\d,\\d{3}'),
    reading('rows/min', '0'),
  ],
  'Error Rate Tracker': [
    reading('failed rows', '0'),
    reading('retries', COUNT),
    reading('error types', 'none'),
    reading('recovered', '100[.]0 ?%'),
  ],
  'Data Integrity Validator': [
    reading('failed', '\\d+'),
    reading('inconclusive', '\\d+'),
    reading('passed', '[1-9]\\d*'),
    reading('discrepancies', '0'),
    reading('score', PERCENT),
    reading('last run', '.*(s|min|mins)'),
    reading('runs in 24 h', '[1-9]'),
    reading('every', '.*hour'),
  ],
  'Feature Flag Status': [
    /Environment Agent Stage Flag In sync Propagation p95/,
    new RegExp(`staging up enabled on yes ${SECONDS} ${SECONDS}`),
    /production up new off yes/,
  ],
  'Rollback Readiness': [
    /Scope Ready Duration Last tested/,
    ...['Flag', 'Data', 'System', 'Monitoring', 'Backup', 'Contacts', 'Automatic'].map((name) =>
      reading(name, '(not )?ready'),
    ),
  ],
}

/** The rows of three members are written, and one member has no validation yet. */
export const READINGS_OF_FLEET: Readings = {
  'STI Progress Tracker': [
    reading('complete', '100[.]0 ?%'),
    reading('processed', COUNT),
    reading('total', COUNT),
    reading('rows/min', '0'),
  ],
  'API Performance Monitor': [
    ...['eu_1', 'eu_2', 'us_1'].map((member) => reading(`p95 ${member}`, SECONDS)),
    reading('avg \\w+', SECONDS),
    reading('errors \\w+', PERCENT),
    reading('throughput', '[\\d.]+ req/s'),
    reading('above limit', '0'),
  ],
  'Database Health Checker': [
    reading('lock wait \\w+', SECONDS),
    reading('buffer hits \\w+', PERCENT),
    reading('active', COUNT),
    reading('used', PERCENT),
    reading('queue', COUNT),
  ],
  'System Resource Monitor': [
    ...['eu_1', 'eu_2', 'us_1'].map((member) => reading(`CPU ${member}`, PERCENT)),
    reading('RAM \\w+', PERCENT),
    reading('disk \\w+', PERCENT),
    reading('I/O', '[\\d.]+K? io/s'),
    reading('network', '[\\d.]+ [kM]?B/s'),
  ],
  'Error Rate Tracker': [
    reading('failed rows', '0'),
    reading('retries', COUNT),
    reading('error types', 'none'),
    reading('recovered', 'nothing to recover'),
  ],
  'Data Integrity Validator': [
    reading('failed', '\\d+'),
    reading('passed', '[1-9]\\d*'),
    reading('discrepancies', '0'),
    reading('score', PERCENT),
    reading('oldest run', '.*(s|min|mins)'),
    reading('members without one', '1'),
  ],
  'Feature Flag Status': [
    /Member Agent Stage Flag In sync/,
    ...['eu_1', 'eu_2', 'us_1'].map((member) => new RegExp(`${member} up [\\w-]+ (on|off)`)),
  ],
  'Rollback Readiness': [
    /Scope Not ready Such as Duration Last tested/,
    ...['Flag', 'Data', 'System', 'Monitoring', 'Backup', 'Automatic'].map((name) => reading(name, '(none|\\d)')),
  ],
}

/** Waits until every panel shows every reading, and then fails if a text is cut off or covered at any width of a screen. */
export async function expectDrawn(page: Page, readings: Readings, height = 1700): Promise<void> {
  // Every panel is in the viewport, so that Grafana draws it and nothing has to be scrolled.
  await page.setViewportSize({ width: 1440, height })
  await expect(async () => {
    const missing: string[] = []
    for (const [title, patterns] of Object.entries(readings)) {
      const text = await shownText(page, title)
      missing.push(
        ...patterns.filter((pattern) => !pattern.test(text)).map(({ source }) => `${title}: ${source} in ${text}`),
      )
    }
    expect(missing).toEqual([])
  }).toPass({ timeout: 40_000, intervals: [500] })
  expect(await illegibleTexts(page, 'main')).toEqual([])
}

/** The texts of a panel that take up space, in their order, separated by single spaces. */
function shownText(page: Page, title: string): Promise<string> {
  return dashboardPanel(page, title).evaluate((panel) => {
    const parts: string[] = []
    const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const range = document.createRange()
      range.selectNodeContents(node)
      const { width, height } = range.getBoundingClientRect()
      if (width > 1 && height > 1) parts.push(node.textContent ?? '')
    }
    return parts.join(' ').replace(/\s+/g, ' ').trim()
  })
}
