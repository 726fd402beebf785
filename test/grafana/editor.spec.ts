import { expect, test } from '@grafana/plugin-e2e'
import type { Locator, Page } from '@playwright/test'
import { readFile } from 'node:fs/promises'
import type postgres from 'postgres'
import { expectDrawn, READINGS_OF_RECOVERY, READINGS_WHILE_ROWS_FAIL, READINGS_WITH_FLAG } from './dashboardReadings.ts'
import { startFailingRequests } from './failingRequests.ts'
import { dialogFaults } from './legibility.ts'
import { acceptRows, openDatabase, refuseRows } from './refusedRows.ts'
import {
  confirmAction,
  incidentBanner,
  openMenu,
  revealAction,
  waitForAllowed,
  DASHBOARD_PAGE,
  dialog,
  rolloutSummary,
  dashboardPanel,
  pageSection,
  PRODUCTION_ROLLOUT_PAGE,
  ROLLOUTS_PAGE,
  STAGING_ROLLOUT_PAGE,
} from './pageObjects.ts'
import { openPageAs, EDITOR } from './users.ts'

let page: Page
let sql: postgres.Sql
test.beforeAll(async ({ browser }) => {
  page = await openPageAs(browser, EDITOR)
  sql = await openDatabase(process.env.STI_TEST_DATABASE_URL_FILE ?? '')
})
test.afterAll(async () => {
  await sql.end({ timeout: 2 })
  await page.context().close()
})

test('a refused action shows its reasons', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  const entry = (menu: Locator, name: string) =>
    menu.getByRole('listitem').filter({ has: page.getByRole('button', { name, exact: true }) })
  await expect(entry(await openMenu(page, 'More actions'), 'Enable flag')).toContainText('expand')
  await page.keyboard.press('Escape')
  await expect(entry(await openMenu(page, 'More'), 'Roll back data')).toContainText('admin')
})

test('a confirmation marks production in red', async () => {
  await page.goto(PRODUCTION_ROLLOUT_PAGE)
  await (await revealAction(page, 'Expand')).click()
  const badge = dialog(page).getByRole('heading').getByText('production', { exact: true })
  await expect(badge).toHaveCSS('background-color', /^rgb\((1[89]\d|2\d\d), \d{1,2}, \d{1,2}\)$/)
  await dialog(page).getByRole('button', { name: 'Cancel' }).click()
  await expect(dialog(page)).toBeHidden()
})

test('an editor expands and starts a backfill with the buttons, and the database refuses four rows', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await page.waitForResponse((answer) => answer.url().includes('/vehicles/events?since='))
  const operations: Array<number | null> = []
  page.on('response', async (answer) => {
    if (!answer.url().includes('/vehicles/events?since=')) return
    const { events } = (await answer.json()) as { events: Array<{ operationId: number | null }> }
    operations.push(...events.map(({ operationId }) => operationId))
  })
  await confirmAction(page, 'Expand')
  await waitForAllowed(page, 'backfill')
  // The panels show what happened once the page knows of it.
  await expect.poll(() => operations).not.toEqual([])
  page.removeAllListeners('response')
  await refuseRows(sql)
  await confirmAction(page, 'Backfill', async (confirmation) => {
    await confirmation.getByText(/^Advanced settings/).click()
    await confirmation.getByLabel('Rest ratio').fill(SLOW_REST_RATIO)
    expect(await dialogFaults(page)).toEqual([])
    await page.setViewportSize({ width: 1440, height: 900 })
  })
  await expect(page.getByRole('progressbar', { name: 'Backfill of vehicles' })).toBeVisible()
})

test('while rows fail, every reading is drawn beside the docked menu', async ({}, testInfo) => {
  await page.goto(DASHBOARD_PAGE)
  await expectDrawn(page, READINGS_WHILE_ROWS_FAIL)
  await dashboardPanel(page, 'Error Rate Tracker').screenshot({ path: testInfo.outputPath('failing-rows.png') })
  await stopResting()
})

test('failed rows that are repaired and retried are drawn as recovered', async ({}, testInfo) => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await expect(rolloutSummary(page)).toContainText('covered', { timeout: 90_000 })
  await acceptRows(sql, 'check')
  await confirmAction(page, 'Retry failed rows')
  await page.goto(DASHBOARD_PAGE)
  await expectDrawn(page, READINGS_OF_RECOVERY)
  await dashboardPanel(page, 'Error Rate Tracker').screenshot({ path: testInfo.outputPath('recovering-rows.png') })
  await acceptRows(sql, 'division', 'raised')
})

test('an editor takes staging from failed rows to enabled with the buttons', async () => {
  await page.setViewportSize({ width: 1440, height: 900 })
  await page.goto(STAGING_ROLLOUT_PAGE)
  await confirmAction(page, 'Retry failed rows')
  await waitForAllowed(page, 'validation')
  await confirmAction(page, 'Validate')
  await waitForAllowed(page, 'finalize')
  await confirmAction(page, 'Finalize')
  await waitForAllowed(page, 'enable')
  await expect(rolloutSummary(page)).toContainText('finalized')
  await confirmAction(page, 'Enable flag')
  await expect(rolloutSummary(page)).toContainText('Flag on')
})

test('an editor signs off an item and withdraws the sign-off', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/readiness`)
  const list = pageSection(page, 'Production readiness')
  const training = list.getByRole('listitem').filter({ hasText: 'Team training completed' }).first()
  await training.getByRole('button', { name: /^Sign off/ }).click()
  const confirm = dialog(page).getByRole('button', { name: 'Sign off', exact: true })
  await expect(confirm).toBeDisabled()
  await dialog(page).getByLabel('What was done and verified').fill('One hour with everyone on call.')
  await confirm.click()
  await expect(training).toContainText('sti-test-editor: One hour with everyone on call.')
  await training.getByRole('button', { name: /^Withdraw/ }).click()
  await dialog(page).getByLabel('Reason').fill('Two people are new.')
  await dialog(page).getByRole('button', { name: 'Withdraw', exact: true }).click()
  await expect(training).toContainText('withdrawn')
  await expect(pageSection(page, 'Contacts')).toContainText('+1 555 0100')
})

test('the downloaded report of staging promotes production; a modified report does not', async ({}, testInfo) => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/validation`)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    pageSection(page, 'Report').getByRole('button', { name: 'JSON' }).click(),
  ])
  const file = testInfo.outputPath('report.json')
  await download.saveAs(file)
  const text = await readFile(file, 'utf8')

  await page.goto(`${PRODUCTION_ROLLOUT_PAGE}/validation`)
  const promotion = pageSection(page, 'Promotion')
  await promotion.getByRole('button', { name: 'Force promotion' }).hover()
  await expect(page.getByRole('tooltip')).toContainText('admin')
  await promotion.getByRole('button', { name: 'Submit report' }).click()
  const upload = (content: string) =>
    dialog(page)
      .locator('input[type=file]')
      .setInputFiles({ name: 'report.json', mimeType: 'application/json', buffer: Buffer.from(content) })
  const confirm = dialog(page).getByRole('button', { name: 'Submit report', exact: true })
  await upload('{}')
  await expect(dialog(page)).toContainText('not a report')
  await expect(confirm).toBeDisabled()
  await upload(text.replace('"environment":"staging"', '"environment":"elsewhere"'))
  await expect(dialog(page)).toContainText('vehicles in elsewhere')
  await confirm.click()
  await expect(dialog(page).getByRole('alert')).toBeVisible()
  await upload(text)
  await confirm.click()
  await expect(dialog(page)).toBeHidden()
  await expect(promotion).toContainText('promoted from staging')
  await expect(promotion.getByRole('row', { name: /sti-test-editor/ })).toContainText('yes')
})

test('an editor runs one layer and one check, and the full validation is still shown', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/validation`)
  const integrity = pageSection(page, 'Data integrity')
  await expect(integrity).toContainText('required for the flag')
  await expect(integrity.getByRole('row', { name: /coverage/ })).toContainText('100%')
  await page.getByRole('button', { name: 'Validate' }).click()
  for (const layer of ['integrity', 'performance', 'business'])
    await dialog(page).getByText(layer, { exact: true }).click()
  await dialog(page).getByText('no-failed-row', { exact: true }).click()
  await dialog(page).getByRole('button', { name: 'Validate', exact: true }).click()
  await expect(dialog(page)).toBeHidden()
  // A partial validation does not count for the flag: the page still shows the latest full validation, and the partial one above it.
  await expect.poll(latestOperation, { timeout: 45_000 }).toMatchObject({
    kind: 'validation',
    state: 'succeeded',
    parameters: { full: false, layers: ['system'], checks: ['no-failed-row'] },
  })
  await expect(integrity.getByRole('row', { name: /coverage/ })).toContainText('100%')
  const partial = pageSection(page, 'Latest partial validation')
  await expect(partial).toContainText('integrity (partial): pass')
  await expect(partial.getByRole('row', { name: /no-failed-row/ })).toContainText('pass')
})

test('with the flag on, every reading is drawn beside the docked menu', async () => {
  await page.goto(DASHBOARD_PAGE)
  await expectDrawn(page, READINGS_WITH_FLAG)
  await page.setViewportSize({ width: 1440, height: 900 })
})

test('two clicks on the dashboard turn the flag off, and the operation page shows who did it', async () => {
  await page.goto(DASHBOARD_PAGE)
  await expect(rolloutSummary(page)).toContainText('Flag on')
  await confirmAction(page, 'Roll back flag')
  await expect(rolloutSummary(page)).toContainText('Flag off')

  await page.goto(STAGING_ROLLOUT_PAGE)
  await page
    .getByRole('link', { name: /^Rollback of the flag/ })
    .first()
    .click()
  await expect(page.getByRole('region', { name: 'Events' })).toContainText('live')
  await expect(page.getByRole('region', { name: 'Events' }).getByRole('listitem').first()).toBeVisible()
  await expect(page.getByText('sti-test-editor (editor, via grafana)')).toBeVisible()
})

test('a ramp shows its steps until the flag is rolled back', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await waitForAllowed(page, 'enable')
  await (await revealAction(page, 'Enable flag')).click()
  await dialog(page).getByRole('radio', { name: 'In steps' }).click()
  await expect(dialog(page)).toContainText('Raises the flag to 10%, 50%, 100%')
  expect(await dialogFaults(page)).toEqual([])
  await page.setViewportSize({ width: 1440, height: 900 })
  await dialog(page).getByRole('button', { name: 'Enable flag', exact: true }).click()
  await expect(dialog(page)).toBeHidden()
  const ramp = page.getByRole('region', { name: /^Flag ramp \d+$/ })
  await expect(ramp).toContainText('step 1 of 3: on for 10%')
  await expect(rolloutSummary(page)).toContainText('ramping')
  await confirmAction(page, 'Roll back flag')
  await expect(ramp).toBeHidden()
  await expect(rolloutSummary(page)).toContainText('Flag off')
})

test('automatic rollback is paused until a time, with a reason, and resumed', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  const automaticRollback = page.getByRole('group', { name: 'Automatic rollback of vehicles' })
  await expect(automaticRollback).toContainText('armed')
  await automaticRollback.getByRole('button', { name: 'Pause automatic rollback' }).click()
  const confirm = dialog(page).getByRole('button', { name: 'Pause automatic rollback', exact: true })
  await expect(confirm).toBeDisabled()
  await dialog(page).getByLabel('Reason').fill('a load test until lunch')
  await confirm.click()
  await expect(automaticRollback).toContainText(/Paused until .* by sti-test-editor/)
  await page.goto(ROLLOUTS_PAGE)
  await expect(page.getByRole('row', { name: /staging vehicles/ })).toContainText(/Paused until .* by sti-test-editor/)
  await page.goto(STAGING_ROLLOUT_PAGE)
  await automaticRollback.getByRole('button', { name: 'Resume automatic rollback' }).click()
  await dialog(page).getByLabel('Reason').fill('the load test is over')
  await dialog(page).getByRole('button', { name: 'Resume automatic rollback', exact: true }).click()
  await expect(automaticRollback).toContainText('armed')
})

test('failing requests turn the flag off, and an editor acknowledges the incident with a note', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await waitForAllowed(page, 'enable')
  await confirmAction(page, 'Enable flag')
  await expect(rolloutSummary(page)).toContainText('Flag on')
  const failing = await startFailingRequests(page)
  try {
    await expect(rolloutSummary(page)).toContainText('Flag off', { timeout: 45_000 })
  } finally {
    await failing.stop()
  }

  await expect(incidentBanner(page)).toContainText('Critical · API errors high')
  await expect(incidentBanner(page)).toContainText('The agent turned the flag off at')
  // The agent's reading covers the last requests, some of which failed.
  await expect(incidentBanner(page)).toContainText('Users are protected', { timeout: 45_000 })
  await page.getByRole('tab', { name: 'Validation' }).click()
  await expect(incidentBanner(page)).toBeVisible()
  await incidentBanner(page).getByRole('link', { name: 'Incident', exact: true }).click()
  const incident = page
    .getByRole('article', { name: /^Incident \d+$/ })
    .filter({ hasText: 'StiApiErrorsHigh' })
    .first()
  await expect(incident).toBeFocused()
  await expect(incident).toContainText('acknowledge within')
  await expect(incident).toContainText(/requests failed/)
  await expect(incident).toContainText('The agent turned the flag off at')
  await incident.getByRole('button', { name: 'Acknowledge' }).click()
  await dialog(page).getByLabel('Note').fill('the client sends half an axle; a fix is on its way')
  await dialog(page).getByRole('button', { name: 'Acknowledge', exact: true }).click()
  await expect(dialog(page)).toBeHidden()
  await expect(incident).toContainText(/acknowledged after .* by sti-test-editor/)
  await expect(incident).toContainText(/sti-test-editor, [\d:]+: the client sends half an axle/)
  await expect(incident.getByRole('button', { name: 'Acknowledge' })).toBeHidden()
})

test('the command palette opens the list of flags', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await expect(rolloutSummary(page)).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  await page.getByPlaceholder(/search or jump/i).fill('roll back')
  await page.getByText('Roll back a flag…').click()
  await expect(page.getByRole('group', { name: 'vehicles in staging' })).toBeVisible()
  await expect(page.getByRole('group', { name: 'vehicles in production' })).toBeVisible()
})

/** Seconds of rest per second of work, so that the backfill runs until the panels have shown it. */
const SLOW_REST_RATIO = '3'
const STAGING_AGENT = '/api/datasources/proxy/uid/sti-staging/as'

async function latestOperation(): Promise<{ readonly id: number }> {
  const answer = await page.request.get(`${STAGING_AGENT}/viewer/v1/rollouts/vehicles`)
  const [latest] = ((await answer.json()) as { operations: { id: number }[] }).operations
  if (latest === undefined) throw new Error('The rollout has no operation.')
  return latest
}

async function stopResting(): Promise<void> {
  const { id } = await latestOperation()
  const answer = await page.request.patch(`${STAGING_AGENT}/editor/v1/operations/${id}`, { data: { niceRatio: 0 } })
  expect(answer.ok(), await answer.text()).toBe(true)
}
