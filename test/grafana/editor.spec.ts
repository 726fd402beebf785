import { expect, test } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import { readFile } from 'node:fs/promises'
import { startFailingRequests } from './failingRequests.ts'
import {
  confirmAction,
  actionButton,
  waitForAllowed,
  DASHBOARD_PAGE,
  dialog,
  rolloutSummary,
  PANEL_TITLES,
  dashboardPanel,
  pageSection,
  PRODUCTION_ROLLOUT_PAGE,
  ROLLOUTS_PAGE,
  STAGING_ROLLOUT_PAGE,
} from './pageObjects.ts'
import { openPageAs, EDITOR } from './users.ts'

let page: Page
test.beforeAll(async ({ browser }) => void (page = await openPageAs(browser, EDITOR)))
test.afterAll(() => page.context().close())

test('what is not allowed yet says what would have to be true', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await actionButton(page, 'Enable flag').hover()
  await expect(page.getByRole('tooltip')).toContainText('expand')
  await actionButton(page, 'Roll back data').hover()
  await expect(page.getByRole('tooltip')).toContainText('admin')
})

test('production is red before anything happens there', async () => {
  await page.goto(PRODUCTION_ROLLOUT_PAGE)
  await actionButton(page, 'Expand').click()
  const badge = dialog(page).getByRole('heading').getByText('production', { exact: true })
  await expect(badge).toHaveCSS('background-color', /^rgb\((1[89]\d|2\d\d), \d{1,2}, \d{1,2}\)$/)
  await dialog(page).getByRole('button', { name: 'Do nothing' }).click()
  await expect(dialog(page)).toBeHidden()
})

test('an editor takes staging from new to enabled with the buttons', async () => {
  test.setTimeout(150_000)
  await page.goto(STAGING_ROLLOUT_PAGE)
  await confirmAction(page, 'Expand')
  await waitForAllowed(page, 'Backfill')
  await confirmAction(page, 'Backfill')
  await expect(page.getByRole('progressbar', { name: 'Backfill of vehicles' })).toBeVisible()
  await expect(rolloutSummary(page)).toContainText('covered', { timeout: 60_000 })
  await confirmAction(page, 'Validate')
  await waitForAllowed(page, 'Finalize')
  await confirmAction(page, 'Finalize')
  await waitForAllowed(page, 'Enable flag')
  await expect(rolloutSummary(page)).toContainText('finalized')
  await confirmAction(page, 'Enable flag')
  await expect(rolloutSummary(page)).toContainText('Flag on')
})

test('an editor signs off what only people know, and takes it back', async () => {
  await page.goto(`${STAGING_ROLLOUT_PAGE}/readiness`)
  const list = pageSection(page, 'Production readiness')
  const training = list.getByRole('listitem').filter({ hasText: 'Team training completed' }).first()
  await training.getByRole('button', { name: /^Sign off/ }).click()
  const yes = dialog(page).getByRole('button', { name: 'Sign off', exact: true })
  await expect(yes).toBeDisabled()
  await dialog(page).getByLabel('What was done and seen').fill('An hour with everybody on call.')
  await yes.click()
  await expect(training).toContainText('sti-test-editor: An hour with everybody on call.')
  await training.getByRole('button', { name: /^Withdraw/ }).click()
  await dialog(page).getByLabel('Why').fill('Two are new.')
  await dialog(page).getByRole('button', { name: 'Withdraw', exact: true }).click()
  await expect(training).toContainText('withdrawn')
  await expect(pageSection(page, 'Contacts')).toContainText('+1 555 0100')
})

test('the report of staging, as the browser got it, promotes production; a changed one does not', async ({}, testInfo) => {
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
  await promotion.getByRole('button', { name: 'Force' }).hover()
  await expect(page.getByRole('tooltip')).toContainText('admin')
  await promotion.getByRole('button', { name: 'Hand in a report' }).click()
  const upload = (content: string) =>
    dialog(page)
      .locator('input[type=file]')
      .setInputFiles({ name: 'report.json', mimeType: 'application/json', buffer: Buffer.from(content) })
  const yes = dialog(page).getByRole('button', { name: 'Hand in', exact: true })
  await upload('{}')
  await expect(dialog(page)).toContainText('no report')
  await expect(yes).toBeDisabled()
  await upload(text.replace('"environment":"staging"', '"environment":"elsewhere"'))
  await expect(dialog(page)).toContainText('vehicles in elsewhere')
  await yes.click()
  await expect(dialog(page).getByRole('alert')).toBeVisible()
  await upload(text)
  await yes.click()
  await expect(dialog(page)).toBeHidden()
  await expect(promotion).toContainText('promoted from staging')
  await expect(promotion.getByRole('row', { name: /sti-test-editor/ })).toContainText('yes')
})

test('an editor runs one layer and one check, and the whole validation still says what the flag needs', async () => {
  test.setTimeout(90_000)
  await page.goto(`${STAGING_ROLLOUT_PAGE}/validation`)
  const integrity = pageSection(page, 'Data integrity')
  await expect(integrity).toContainText('the flag needs it')
  await expect(integrity.getByRole('row', { name: /coverage/ })).toContainText('100 %')
  await page.getByRole('button', { name: 'Validate' }).click()
  for (const layer of ['integrity', 'performance', 'business'])
    await dialog(page).getByText(layer, { exact: true }).click()
  await dialog(page).getByText('no-failed-row', { exact: true }).click()
  await dialog(page).getByRole('button', { name: 'Validate', exact: true }).click()
  await expect(dialog(page)).toBeHidden()
  // Of a part nothing follows for the flag: the page goes on showing the last whole validation, and that part beside it.
  const last = async (): Promise<unknown> => {
    const answer = await page.request.get('/api/datasources/proxy/uid/sti-staging/as/viewer/v1/rollouts/vehicles')
    return ((await answer.json()) as { operations: unknown[] }).operations[0]
  }
  await expect.poll(last, { timeout: 45_000 }).toMatchObject({
    kind: 'validation',
    state: 'succeeded',
    parameters: { full: false, layers: ['system'], checks: ['no-failed-row'] },
  })
  await expect(integrity.getByRole('row', { name: /coverage/ })).toContainText('100 %')
  const partial = pageSection(page, 'The last validation was of a part')
  await expect(partial).toContainText('integrity in part: pass')
  await expect(partial.getByRole('row', { name: /no-failed-row/ })).toContainText('pass')
})

test('the dashboard shows all eight panels with data', async () => {
  await page.goto(DASHBOARD_PAGE)
  const words = [
    /100/,
    /throughput/,
    /buffer hits/,
    /CPU/,
    /failed records/,
    /passed/,
    /staging.*enabled/,
    /Flag.*ready/,
  ]
  for (const [index, title] of PANEL_TITLES.entries()) {
    await dashboardPanel(page, title).scrollIntoViewIfNeeded()
    await expect(dashboardPanel(page, title)).toContainText(words[index] as RegExp)
  }
  const bottom = await dashboardPanel(page, 'Rollback Readiness').boundingBox()
  expect(bottom && bottom.y + bottom.height, 'legible at 1440 x 900 without scrolling').toBeLessThanOrEqual(900)
})

test('two clicks on the dashboard turn the flag off, and the page of the operation says who did it', async () => {
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
  await expect(page.getByText('sti-test-editor (editor, through grafana)')).toBeVisible()
})

test('the flag goes up in steps that are seen, until somebody turns it off', async () => {
  test.setTimeout(60_000)
  await page.goto(STAGING_ROLLOUT_PAGE)
  await waitForAllowed(page, 'Enable flag')
  await actionButton(page, 'Enable flag').click()
  await dialog(page).getByRole('radio', { name: 'In steps' }).click()
  await expect(dialog(page)).toContainText('Goes up by 10, 50, 100 %')
  await dialog(page).getByRole('button', { name: 'Enable flag', exact: true }).click()
  await expect(dialog(page)).toBeHidden()
  const ramp = page.getByRole('region', { name: /^Ramp of the flag \d+$/ })
  await expect(ramp).toContainText('step 1 of 3: on for 10 %')
  await expect(rolloutSummary(page)).toContainText('ramping')
  await actionButton(page, 'Enable flag').hover()
  await confirmAction(page, 'Roll back flag')
  await expect(ramp).toBeHidden()
  await expect(rolloutSummary(page)).toContainText('Flag off')
})

test('automatic rollback is held until a time, with a reason, and armed again', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  const lever = page.getByRole('group', { name: 'Automatic rollback of vehicles' })
  await expect(lever).toContainText('armed')
  await lever.getByRole('button', { name: 'Hold' }).click()
  const yes = dialog(page).getByRole('button', { name: 'Hold', exact: true })
  await expect(yes).toBeDisabled()
  await dialog(page).getByLabel('Reason').fill('a load test until lunch')
  await yes.click()
  await expect(lever).toContainText('Held by sti-test-editor until')
  await page.goto(ROLLOUTS_PAGE)
  await expect(page.getByRole('row', { name: /staging vehicles/ })).toContainText('Held by sti-test-editor')
  await page.goto(STAGING_ROLLOUT_PAGE)
  await lever.getByRole('button', { name: 'Arm' }).click()
  await dialog(page).getByLabel('Reason').fill('it is over')
  await dialog(page).getByRole('button', { name: 'Arm', exact: true }).click()
  await expect(lever).toContainText('armed')
})

test('requests that fail turn the flag off, and whoever is on call acknowledges the incident with a note', async () => {
  test.setTimeout(90_000)
  await page.goto(STAGING_ROLLOUT_PAGE)
  await waitForAllowed(page, 'Enable flag')
  await confirmAction(page, 'Enable flag')
  await expect(rolloutSummary(page)).toContainText('Flag on')
  const failing = await startFailingRequests(page)
  try {
    await expect(rolloutSummary(page)).toContainText('Flag off', { timeout: 45_000 })
  } finally {
    await failing.stop()
  }

  await rolloutSummary(page)
    .getByRole('link', { name: /open incident/ })
    .click()
  const incident = page.getByRole('article', { name: /^Incident \d+$/ }).filter({ hasText: 'StiApiErrorsHigh' })
  await expect(incident).toContainText('to be acknowledged within')
  await expect(incident).toContainText(/The agent reads\s*unhealthy: .*requests/)
  await expect(incident).toContainText(/Rolled back\s*flag, /)
  await incident.getByRole('button', { name: 'Acknowledge' }).click()
  await dialog(page).getByLabel('Note').fill('half an axle is no number of axles; the client is being mended')
  await dialog(page).getByRole('button', { name: 'Acknowledge', exact: true }).click()
  await expect(dialog(page)).toBeHidden()
  await expect(incident).toContainText(/acknowledged after \d/)
  await expect(incident).toContainText(/Acknowledged by\s*sti-test-editor, [\d:]+: half an axle is no number of axles/)
  await expect(incident.getByRole('button', { name: 'Acknowledge' })).toBeHidden()
})

test('the command palette leads to every flag', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  await expect(rolloutSummary(page)).toBeVisible()
  await page.keyboard.press('ControlOrMeta+k')
  await page.getByPlaceholder(/search or jump/i).fill('roll back')
  await page.getByText('Roll back a flag…').click()
  await expect(page.getByRole('group', { name: 'vehicles in staging' })).toBeVisible()
  await expect(page.getByRole('group', { name: 'vehicles in production' })).toBeVisible()
})

test('at the width of a phone nothing is wider than the screen', async () => {
  await page.setViewportSize({ width: 400, height: 800 })
  for (const path of [
    STAGING_ROLLOUT_PAGE,
    `${STAGING_ROLLOUT_PAGE}/validation`,
    `${STAGING_ROLLOUT_PAGE}/readiness`,
    `${STAGING_ROLLOUT_PAGE}/incidents`,
  ]) {
    await page.goto(path)
    const shown = path.endsWith('incidents') ? page.getByText(/no incident|late|acknowledge/).first() : null
    await expect(
      shown ?? (path === STAGING_ROLLOUT_PAGE ? rolloutSummary(page) : page.getByRole('region').first()),
    ).toBeVisible()
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(400)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
})
