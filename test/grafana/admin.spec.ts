import { AxeBuilder } from '@axe-core/playwright'
import { DEFAULT_A11Y_TAGS, expect, test } from '@grafana/plugin-e2e'
import type { FileChooser, Page } from '@playwright/test'
import { readFile, writeFile } from 'node:fs/promises'
import {
  actionButton,
  collectBrowserErrors,
  CONFIGURATION_PAGE,
  DASHBOARD_PAGE,
  dialog,
  rolloutSummary,
  INCIDENTS_PAGE,
  pageSection,
  PRODUCTION_ROLLOUT_PAGE,
  READINESS_PAGE,
  ROLLBACK_PAGE,
  ROLLOUTS_PAGE,
  STAGING_ROLLOUT_PAGE,
} from './pageObjects.ts'
import { openPageAs, ADMIN } from './users.ts'

let page: Page
test.beforeAll(async ({ browser }) => {
  page = await openPageAs(browser, ADMIN)
  await beginBaseline()
})
test.afterAll(() => page.context().close())

const PAGES = {
  rollouts: [ROLLOUTS_PAGE, 'Every rollout in every environment'],
  rollout: [STAGING_ROLLOUT_PAGE, 'Recent operations'],
  operation: [`${STAGING_ROLLOUT_PAGE}/operations/2`, 'Events'],
  validation: [`${STAGING_ROLLOUT_PAGE}/validation`, 'Types held and types expected'],
  readiness: [`${STAGING_ROLLOUT_PAGE}/readiness`, 'Monitoring and observability'],
  incidents: [`${STAGING_ROLLOUT_PAGE}/incidents`, 'vehicles in staging'],
  allIncidents: [INCIDENTS_PAGE, 'who has seen it'],
  allReadiness: [READINESS_PAGE, 'unknown is not ready'],
  promotion: [`${PRODUCTION_ROLLOUT_PAGE}/validation`, 'promoted from staging'],
  rollback: [ROLLBACK_PAGE, 'Flags that are on come first.'],
  configuration: [CONFIGURATION_PAGE, 'Agent → PostgreSQL'],
  dashboard: [DASHBOARD_PAGE, 'Rollback Readiness'],
} as const

for (const [name, [path, text]] of Object.entries(PAGES)) {
  test(`${name}: no complaint in the console, no barrier, in both themes`, async () => {
    const found = collectBrowserErrors(page)
    for (const theme of ['dark', 'light']) {
      await page.goto(`${path}${path.includes('?') ? '&' : '?'}theme=${theme}`)
      await expect(page.getByText(text).first()).toBeVisible()
      if (name !== 'configuration' && name !== 'allIncidents')
        await expect(page.getByText('vehicles').first()).toBeVisible()
      expect(await barriers(name === 'dashboard' ? '[aria-label^="Actions on"]' : 'main'), theme).toEqual([])
    }
    expect(found).toEqual([])
  })
}

/** A baseline wants a minute, which the tests before its own take anyway; that one says when there is none. */
async function beginBaseline(): Promise<void> {
  await page.request.post('/api/datasources/proxy/uid/sti-staging/as/admin/v1/rollouts/vehicles/operations', {
    data: {
      kind: 'baseline',
      environment: 'staging',
      parameters: { live: true, durationSeconds: 60, release: 'v2.0.1' },
    },
    headers: { 'Idempotency-Key': crypto.randomUUID() },
  })
}

/** What axe finds against WCAG 2.1 AA; the panels and controls of Grafana itself are not ours to mend. */
async function barriers(within: string): Promise<string[]> {
  await expect(page.locator(within).first()).toBeVisible()
  const { violations } = await new AxeBuilder({ page })
    .withTags(DEFAULT_A11Y_TAGS)
    .include(within)
    .exclude('[data-viz-panel-key]')
    .exclude('[data-testid^="data-testid TimePicker"]')
    .analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`)
}

test('the test of a data source is well when all is well', async () => {
  await page.goto('/connections/datasources/edit/sti-staging')
  await page.getByRole('button', { name: 'Test', exact: true }).click()
  await expect(page.getByText('staging-1 answers for staging, and PostgreSQL for it.')).toBeVisible()
})

test.describe('the test of a data source names the hop that fails', () => {
  const uid = 'sti-test-broken'
  const token = 'not-a-token-of-any-agent'
  test.afterEach(async () => void (await page.request.delete(`/api/datasources/uid/${uid}`)))

  test('the agent is not there', async () => {
    await page.request.post('/api/datasources', { data: broken('http://127.0.0.1:9') })
    await page.goto(`/connections/datasources/edit/${uid}`)
    await page.getByRole('button', { name: 'Save & test' }).click()
    await expect(page.getByText(/^Grafana → agent: Grafana cannot reach/)).toBeVisible()
  })

  test('a token is refused', async () => {
    const own = await page.request.get('/api/datasources/uid/sti-staging')
    await page.request.post('/api/datasources', { data: broken(((await own.json()) as { url: string }).url) })
    await page.goto(`/connections/datasources/edit/${uid}`)
    await page.getByRole('button', { name: 'Save & test' }).click()
    await expect(page.getByText(/^Token for viewers: Refused/)).toBeVisible()
  })

  function broken(url: string) {
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

test('an admin promotes without a report only with a reason, which stays to be read', async () => {
  await page.goto(`${PRODUCTION_ROLLOUT_PAGE}/validation`)
  const promotion = pageSection(page, 'Promotion')
  await promotion.getByRole('button', { name: 'Force' }).click()
  const yes = dialog(page).getByRole('button', { name: 'Force', exact: true })
  await expect(yes).toBeDisabled()
  await dialog(page).getByLabel('Reason').fill('the change board has agreed')
  await yes.click()
  await expect(dialog(page)).toBeHidden()
  await expect(promotion).toContainText('forced')
  await expect(promotion.getByRole('row', { name: /the change board has agreed/ })).toContainText('yes')
})

test('an admin takes enhanced monitoring back', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/readiness`)
  const monitoring = pageSection(page, 'Enhanced monitoring')
  await monitoring.getByRole('button', { name: 'Switch on' }).click()
  await dialog(page).getByRole('button', { name: 'Switch on', exact: true }).click()
  await expect(monitoring.getByRole('row', { name: /sampling of vehicles/ })).toContainText('5 s')
  await monitoring.getByRole('button', { name: 'Take back' }).click()
  await dialog(page).getByRole('button', { name: 'Take back', exact: true }).click()
  await expect(monitoring).toContainText('Nothing has been changed for it.')
})

test('a column drop is refused with its reasons, and a draft of it shows migration, undo and pull request', async () => {
  test.setTimeout(90_000)
  const found = collectBrowserErrors(page)
  await page.goto(`${STAGING_ROLLOUT_PAGE}/column-drop`)
  await expect(page.getByText('Nothing has been prepared yet')).toBeVisible()
  const prepare = page.getByRole('button', { name: 'Prepare', exact: true })
  await prepare.click()
  const yes = dialog(page).getByRole('button', { name: 'Prepare', exact: true })
  await expect(yes).toBeDisabled()
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicles')
  await yes.click()
  await expect(dialog(page)).toBeHidden()
  await expect(page.getByText('Refused: nothing was written')).toBeVisible({ timeout: 30_000 })
  const checks = pageSection(page, 'Safety checks')
  await expect(checks.getByRole('row', { name: /flag-stable/ })).toContainText('fail')
  await expect(checks.getByRole('row', { name: /no-failed-rows/ })).toContainText('pass')

  await prepare.click()
  await dialog(page).getByText('Safety checks', { exact: true }).click()
  // The trial has tests of its own, and copies a hundred thousand rows here.
  await dialog(page).getByText('Trial on a copy', { exact: true }).click()
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicles')
  await yes.click()
  await expect(page.getByText('A draft: it was not held to its safety checks')).toBeVisible({ timeout: 30_000 })
  await expect(page.getByLabel('Up: drops the columns', { exact: true })).toContainText('drop column')
  await expect(page.getByLabel('Down: brings columns and data back', { exact: true })).toContainText('add column')
  await expect(pageSection(page, 'Pull request')).toContainText('[Do Not Merge]')
  await expect(page.getByRole('button', { name: 'Copy Its text' })).toBeVisible()
  for (const theme of ['dark', 'light']) {
    await page.goto(`${STAGING_ROLLOUT_PAGE}/column-drop?theme=${theme}`)
    await expect(pageSection(page, 'Pull request')).toBeVisible()
    expect(await barriers('main'), theme).toEqual([])
  }
  expect(found).toEqual([])
})

test('system changes go back only for who types its name; an admin may force, and sees what the time rests on', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/readiness`)
  const ways = pageSection(page, 'Ways back')
  await expect(ways.getByRole('row', { name: /^flag/ })).toContainText('yes')
  await expect(ways.getByRole('row', { name: /^backup/ })).toBeVisible()
  await ways.getByRole('button', { name: 'Roll back system' }).click()
  await expect(dialog(page).getByText('Also what somebody else has changed since')).toBeVisible()
  await dialog(page).getByLabel('Reason').fill('only to look')
  await expect(dialog(page).getByRole('button', { name: 'Roll back system', exact: true })).toBeDisabled()
  await dialog(page).getByRole('button', { name: 'Do nothing' }).click()
})

test('a baseline is exported, chosen as a file, imported and compared', async ({}, testInfo) => {
  test.setTimeout(90_000)
  await page.goto(`${STAGING_ROLLOUT_PAGE}/validation`)
  const section = pageSection(page, 'Baseline')
  const taken = section.getByRole('row', { name: /live v2\.0\.1/ })
  await expect(taken).toBeVisible({ timeout: 45_000 })
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    taken.getByRole('button', { name: /^Export baseline/ }).click(),
  ])
  expect(download.suggestedFilename()).toMatch(/^sti-baseline-\d+-vehicles-staging-.*\.json$/)
  const file = testInfo.outputPath('baseline.json')
  await download.saveAs(file)
  // The same one is kept here already, and an import of it changes nothing.
  await writeFile(file, (await readFile(file, 'utf8')).replace('v2.0.1', 'v2.0.2'))

  await section.getByRole('button', { name: 'Import' }).click()
  const yes = dialog(page).getByRole('button', { name: 'Import', exact: true })
  const choose = async (chosen: Parameters<FileChooser['setFiles']>[0]) => {
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      dialog(page).getByText('Choose a file', { exact: true }).click(),
    ])
    await chooser.setFiles(chosen)
  }
  await choose({ name: 'other.json', mimeType: 'application/json', buffer: Buffer.from('{"types": []}') })
  await expect(dialog(page).getByRole('alert')).toContainText('no baseline')
  await expect(yes).toBeDisabled()
  await choose(file)
  await expect(dialog(page)).toContainText('vehicles in staging')
  await expect(dialog(page)).toContainText('v2.0.2')
  await yes.click()
  await expect(dialog(page)).toBeHidden()
  await expect(section.getByRole('row', { name: /import v2\.0\.2/ })).toBeVisible()

  await section.getByRole('button', { name: 'Compare with now' }).click()
  await expect(section.getByRole('row', { name: /api-latency-p95 [\d.]+ ms/ })).toBeVisible({ timeout: 20_000 })
  await expect(section).toContainText(/against baseline \d+/)
})

test('the data goes back only for who types its name and says why', async () => {
  test.setTimeout(120_000)
  await page.goto(STAGING_ROLLOUT_PAGE)
  await expect(actionButton(page, 'Roll back data')).not.toHaveAttribute('aria-disabled', 'true', { timeout: 60_000 })
  await actionButton(page, 'Roll back data').click()
  const yes = dialog(page).getByRole('button', { name: 'Roll back data', exact: true })
  await dialog(page).getByLabel('Reason').fill('the test is over')
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicle')
  await expect(yes).toBeDisabled()
  await dialog(page)
    .getByLabel(/^Type vehicles/)
    .fill('vehicles')
  await yes.click()
  await expect(dialog(page)).toBeHidden()
  await expect(rolloutSummary(page)).toContainText('rolled-back', { timeout: 60_000 })
})
