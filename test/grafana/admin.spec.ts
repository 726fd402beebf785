import { AxeBuilder } from '@axe-core/playwright'
import { DEFAULT_A11Y_TAGS, expect, test } from '@grafana/plugin-e2e'
import type { FileChooser, Page } from '@playwright/test'
import { readFile, writeFile } from 'node:fs/promises'
import {
  collectBrowserErrors,
  CONFIGURATION_PAGE,
  DASHBOARD_PAGE,
  dashboardPanel,
  dialog,
  openMenu,
  revealAction,
  rolloutSummary,
  RUNBOOK_PAGE,
  waitForAllowed,
  INCIDENTS_PAGE,
  pageSection,
  PRODUCTION_ROLLOUT_PAGE,
  READINESS_PAGE,
  ROLLBACK_PAGE,
  ROLLOUTS_PAGE,
  STAGING_ROLLOUT_PAGE,
} from './pageObjects.ts'
import { dialogFaults, illegibleTexts } from './legibility.ts'
import { openPageAs, ADMIN } from './users.ts'

let page: Page
test.beforeAll(async ({ browser }) => {
  page = await openPageAs(browser, ADMIN)
  await startBaseline()
})
test.afterAll(() => page.context().close())

const PAGES = {
  rollouts: [ROLLOUTS_PAGE, 'Every rollout in every environment'],
  rollout: [STAGING_ROLLOUT_PAGE, 'Recent operations'],
  operations: [`${STAGING_ROLLOUT_PAGE}/operations`, 'Requested by'],
  operation: [`${STAGING_ROLLOUT_PAGE}/operations/2`, 'Events'],
  validation: [`${STAGING_ROLLOUT_PAGE}/validation`, 'Actual and expected types'],
  readiness: [`${STAGING_ROLLOUT_PAGE}/readiness`, 'Monitoring and observability'],
  columnDrop: [`${STAGING_ROLLOUT_PAGE}/column-drop`, 'Prepare column drop'],
  incidents: [`${STAGING_ROLLOUT_PAGE}/incidents`, 'The agent turned the flag off'],
  allIncidents: [INCIDENTS_PAGE, 'Alerts, decisions of the agents'],
  allReadiness: [READINESS_PAGE, 'unknown items count as not ready'],
  promotion: [`${PRODUCTION_ROLLOUT_PAGE}/validation`, 'promoted from staging'],
  rollback: [ROLLBACK_PAGE, 'Flags that are on are listed first.'],
  configuration: [CONFIGURATION_PAGE, 'Agent → PostgreSQL'],
  runbook: [
    `${RUNBOOK_PAGE}?environment=staging&rollout=vehicles#stiapierrorshigh`,
    'The commands are for vehicles in staging.',
  ],
  dashboard: [DASHBOARD_PAGE, 'STI Progress Tracker'],
} as const

for (const [name, [path, text]] of Object.entries(PAGES)) {
  test(`${name}: no console errors, no accessibility violations in both themes, and legible at every width`, async () => {
    const browserErrors = collectBrowserErrors(page)
    for (const theme of ['dark', 'light'] as const) {
      const [address, hash = ''] = path.split('#')
      await page.goto(`${address}${path.includes('?') ? '&' : '?'}theme=${theme}#${hash}`)
      await expect(page.getByText(text).first()).toBeVisible()
      if (name !== 'configuration' && name !== 'allIncidents')
        await expect(page.getByText('vehicles').first()).toBeVisible()
      const within = name === 'dashboard' ? '[aria-label^="Actions on"]' : 'main'
      expect(await accessibilityViolations(within, theme), theme).toEqual([])
    }
    expect(browserErrors).toEqual([])
    expect(await illegibleTexts(page, 'main')).toEqual([])
  })
}

test('the confirmations that a list opens are legible, reachable with the keyboard, accessible, and left with Escape', async () => {
  test.setTimeout(600_000)
  const faults: string[] = []
  await page.goto(`${STAGING_ROLLOUT_PAGE}?theme=light`)
  await expect(rolloutSummary(page)).toBeVisible()
  const allowed = (await openMenu(page, 'More')).locator('button:not([aria-disabled="true"])')
  const labels = await allowed.allInnerTexts()
  expect(labels.length).toBeGreaterThan(1)
  await page.keyboard.press('Escape')
  for (const label of labels) {
    await (await openMenu(page, 'More')).getByRole('button', { name: label, exact: true }).click()
    await expect(dialog(page), label).toBeVisible()
    const found = [
      ...(await accessibilityViolations('[role="dialog"]:has(h2)', 'light')),
      ...(await dialogFaults(page)),
    ]
    await page.setViewportSize({ width: 1440, height: 900 })
    // A tooltip that is open takes the first one.
    await expect(async () => {
      await page.keyboard.press('Escape')
      await expect(dialog(page), label).toBeHidden({ timeout: 1_000 })
    }).toPass({ timeout: 10_000 })
    faults.push(...found.map((fault) => `${label}: ${fault}`))
  }
  expect(faults).toEqual([])
})

/** Starts a one-minute baseline early enough for its own test, since the tests before it take longer than a minute. */
async function startBaseline(): Promise<void> {
  await page.request.post('/api/datasources/proxy/uid/sti-staging/as/admin/v1/rollouts/vehicles/operations', {
    data: {
      kind: 'baseline',
      environment: 'staging',
      parameters: { live: true, durationSeconds: 60, release: 'v2.0.1' },
    },
    headers: { 'Idempotency-Key': crypto.randomUUID() },
  })
}

/**
 * The violations of WCAG 2.1 AA that axe finds, without the panels and controls of Grafana itself. The themes differ in
 * colors only.
 */
async function accessibilityViolations(within: string, theme: 'dark' | 'light' = 'dark'): Promise<string[]> {
  await expect(page.locator(within).first()).toBeVisible()
  const axe = new AxeBuilder({ page })
  const { violations } = await (theme === 'dark' ? axe.withTags(DEFAULT_A11Y_TAGS) : axe.withRules('color-contrast'))
    .include(within)
    .exclude('[data-viz-panel-key]')
    .exclude('[data-testid^="data-testid TimePicker"]')
    .analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
}

test('the connection test of a data source succeeds', async () => {
  await page.goto('/connections/datasources/edit/sti-staging')
  await page.getByRole('button', { name: 'Test', exact: true }).click()
  await expect(page.getByText('staging-1 is connected to PostgreSQL and serves staging.')).toBeVisible()
})

test.describe('the connection test of a data source names the step that fails', () => {
  const uid = 'sti-test-broken'
  const token = 'not-a-token-of-any-agent'
  test.afterEach(async () => void (await page.request.delete(`/api/datasources/uid/${uid}`)))

  test('the agent is unavailable', async () => {
    await page.request.post('/api/datasources', { data: brokenDataSource('http://127.0.0.1:9') })
    await page.goto(`/connections/datasources/edit/${uid}`)
    await page.getByRole('button', { name: 'Save & test' }).click()
    await expect(page.getByText(/^Grafana → agent: Grafana cannot reach/)).toBeVisible()
  })

  test('a token is refused', async () => {
    const response = await page.request.get('/api/datasources/uid/sti-staging')
    await page.request.post('/api/datasources', {
      data: brokenDataSource(((await response.json()) as { url: string }).url),
    })
    await page.goto(`/connections/datasources/edit/${uid}`)
    await page.getByRole('button', { name: 'Save & test' }).click()
    await expect(page.getByText(/^Token for viewers: The agent refused it/)).toBeVisible()
  })

  function brokenDataSource(url: string) {
    return {
      uid,
      name: uid,
      type: 'sti-rollout-datasource',
      access: 'proxy',
      url,
      secureJsonData: { viewerToken: token, editorToken: token, adminToken: token },
    }
  }
})

test('an alert rule, its instance, and a panel lead to the rollout, whose operations are a table in Explore', async () => {
  const browserErrors = collectBrowserErrors(page)
  await page.goto('/alerting/grafana/sti-api-errors-high/view?tab=instances')
  await page.getByRole('button', { name: 'More', exact: true }).click()
  await expect(page.getByRole('menuitem', { name: 'Open the incidents of every rollout' })).toBeVisible()
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Actions', exact: true }).first().click()
  await page.getByRole('menuitem', { name: 'Open vehicles in staging' }).click()
  // Grafana asks if its page stays open.
  await dialog(page).getByRole('button', { name: 'Open', exact: true }).click()
  await expect(page).toHaveURL(new RegExp(`${STAGING_ROLLOUT_PAGE}[?].*alert=StiApiErrorsHigh`))
  await page.goto(DASHBOARD_PAGE)
  await dashboardPanel(page, 'API Performance Monitor').hover()
  await page.getByRole('button', { name: 'Menu for panel API Performance Monitor' }).click()
  await page.getByRole('menuitem', { name: 'Extensions' }).hover()
  await page.getByRole('menuitem', { name: 'Open rollout' }).click()
  await expect(rolloutSummary(page)).toContainText('staging')
  const datasource = { type: 'sti-rollout-datasource', uid: 'sti-staging' }
  const queries = [{ refId: 'A', datasource, subject: 'operations', rollout: 'vehicles' }]
  const panes = { a: { datasource: datasource.uid, queries, range: { from: 'now-1h', to: 'now' } } }
  await page.goto(`/explore?schemaVersion=1&panes=${encodeURIComponent(JSON.stringify(panes))}`)
  await expect(page.getByRole('cell', { name: 'Backfill', exact: true }).first()).toBeVisible()
  expect(browserErrors).toEqual([])
})

test('an admin needs a reason to force a promotion, and the reason is shown afterwards', async () => {
  await page.goto(`${PRODUCTION_ROLLOUT_PAGE}/validation`)
  const promotion = pageSection(page, 'Promotion')
  await promotion.getByRole('button', { name: 'Force promotion' }).click()
  const confirm = dialog(page).getByRole('button', { name: 'Force promotion', exact: true })
  await expect(confirm).toBeDisabled()
  await dialog(page).getByLabel('Reason').fill('the change board has agreed')
  await confirm.click()
  await expect(dialog(page)).toBeHidden()
  await expect(promotion).toContainText('forced')
  await expect(promotion.getByRole('row', { name: /the change board has agreed/ })).toContainText('yes')
})

test('an admin turns enhanced monitoring on and rolls it back', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/readiness`)
  const monitoring = pageSection(page, 'Enhanced monitoring')
  await monitoring.getByRole('button', { name: 'Enable monitoring' }).click()
  await dialog(page).getByRole('button', { name: 'Enable monitoring', exact: true }).click()
  await expect(monitoring.getByRole('row', { name: /sampling of vehicles/ })).toContainText('5 s')
  await monitoring.getByRole('button', { name: 'Disable monitoring' }).click()
  await dialog(page).getByRole('button', { name: 'Disable monitoring', exact: true }).click()
  await expect(monitoring).toContainText('No settings are changed.')
})

test('a column drop is refused with its reasons, and a draft shows the migration, its undo, and the pull request', async () => {
  const browserErrors = collectBrowserErrors(page)
  await page.goto(`${STAGING_ROLLOUT_PAGE}/column-drop`)
  await expect(page.getByText('No column drop has been prepared')).toBeVisible()
  const prepare = page.getByRole('button', { name: 'Prepare column drop', exact: true })
  await prepare.click()
  const confirm = dialog(page).getByRole('button', { name: 'Prepare column drop', exact: true })
  await expect(confirm).toBeDisabled()
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicles')
  await confirm.click()
  await expect(dialog(page)).toBeHidden()
  await expect(page.getByText('Refused: no migration was written')).toBeVisible({ timeout: 30_000 })
  const checks = pageSection(page, 'Safety checks')
  await expect(checks.getByRole('row', { name: /flag-stable/ })).toContainText('fail')
  await expect(checks.getByRole('row', { name: /no-failed-rows/ })).toContainText('pass')

  await prepare.click()
  await dialog(page).getByText('Safety checks', { exact: true }).click()
  // The trial has its own tests; here it would copy a hundred thousand rows.
  await dialog(page).getByText('Trial on a copy', { exact: true }).click()
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicles')
  await confirm.click()
  await expect(page.getByText('Draft: the safety checks were skipped')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByLabel('Up: drops the columns', { exact: true })).toContainText('drop column')
  await expect(page.getByLabel('Down: restores columns and data', { exact: true })).toContainText('add column')
  await expect(pageSection(page, 'Pull request')).toContainText('[Do Not Merge]')
  await expect(page.getByRole('button', { name: 'Copy Description' })).toBeVisible()
  for (const theme of ['dark', 'light']) {
    await page.goto(`${STAGING_ROLLOUT_PAGE}/column-drop?theme=${theme}`)
    await expect(pageSection(page, 'Pull request')).toBeVisible()
    expect(await accessibilityViolations('main'), theme).toEqual([])
  }
  expect(browserErrors).toEqual([])
})

test('a rollback of the system needs the typed name; an admin can force it', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/readiness`)
  const rollbackOptions = pageSection(page, 'Rollback options')
  await expect(rollbackOptions.getByRole('row', { name: /^flag/ })).toContainText('yes')
  await expect(rollbackOptions.getByRole('row', { name: /^backup/ })).toBeVisible()
  await rollbackOptions.getByRole('button', { name: 'Roll back system' }).click()
  await expect(dialog(page).getByText('Also overwrite changes made by others since then')).toBeVisible()
  await expect(dialog(page).getByText('Duration')).toBeVisible()
  await page.setViewportSize({ width: 400, height: 900 })
  await expect(dialog(page).getByLabel(/^Type vehicles/)).toBeInViewport({ ratio: 1 })
  await page.setViewportSize({ width: 1440, height: 900 })
  await dialog(page).getByLabel('Reason').fill('only a test')
  await expect(dialog(page).getByRole('button', { name: 'Roll back system', exact: true })).toBeDisabled()
  await dialog(page).getByRole('button', { name: 'Cancel' }).click()
})

test('a baseline is exported, selected as a file, imported, and compared', async ({}, testInfo) => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/validation`)
  const section = pageSection(page, 'Baseline')
  // After a failed test a new worker has started another one.
  const takenBaseline = section.getByRole('row', { name: /live v2\.0\.1/ }).first()
  await expect(takenBaseline).toBeVisible({ timeout: 45_000 })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    takenBaseline.getByRole('button', { name: /^Export baseline/ }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^sti-baseline-\d+-vehicles-staging-.*\.json$/)
  const file = testInfo.outputPath('baseline.json')
  await download.saveAs(file)
  // An import of the same baseline would change nothing, because it already exists.
  await writeFile(file, (await readFile(file, 'utf8')).replace('v2.0.1', 'v2.0.2'))

  await section.getByRole('button', { name: 'Import baseline' }).click()
  const confirm = dialog(page).getByRole('button', { name: 'Import baseline', exact: true })
  const selectFile = async (file: Parameters<FileChooser['setFiles']>[0]) => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      dialog(page).getByText('Choose file', { exact: true }).click(),
    ])
    await chooser.setFiles(file)
  }
  await selectFile({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"types": []}') })
  await expect(dialog(page).getByRole('alert')).toContainText('not a baseline')
  await expect(confirm).toBeDisabled()
  await selectFile(file)
  await expect(dialog(page)).toContainText('vehicles in staging')
  await expect(dialog(page)).toContainText('v2.0.2')
  await confirm.click()
  await expect(dialog(page)).toBeHidden()
  await expect(section.getByRole('row', { name: /import v2\.0\.2/ })).toBeVisible()

  await section.getByRole('button', { name: 'Compare with now' }).click()
  await expect(section.getByRole('row', { name: /api-latency-p95 [\d.]+ ms/ })).toBeVisible({ timeout: 20_000 })
  await expect(section).toContainText(/compared with baseline \d+/)
})

test('a rollback of the data needs the typed name and a reason', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await waitForAllowed(page, 'rollback-data', 'admin')
  await (await revealAction(page, 'Roll back data')).click()
  const confirm = dialog(page).getByRole('button', { name: 'Roll back data', exact: true })
  await dialog(page).getByLabel('Reason').fill('the test is over')
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicle')
  await expect(confirm).toBeDisabled()
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicles')
  await confirm.click()
  await expect(dialog(page)).toBeHidden()
  await expect(rolloutSummary(page)).toContainText('rolled-back', { timeout: 60_000 })
})
