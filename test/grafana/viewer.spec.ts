import { expect, test } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import {
  DASHBOARD_PAGE,
  dialog,
  nextStep,
  openMenu,
  pageSection,
  PRODUCTION_ROLLOUT_PAGE,
  READINESS_PAGE,
  RUNBOOK_PAGE,
  STAGING_ROLLOUT_PAGE,
} from './pageObjects.ts'
import { openPageAs, VIEWER } from './users.ts'

let page: Page
test.beforeAll(async ({ browser }) => void (page = await openPageAs(browser, VIEWER)))
test.afterAll(() => page.context().close())

test('a viewer sees every action disabled, each with its reason', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  const next = nextStep(page).getByRole('button', { name: 'Take baseline' })
  await expect(next).toHaveAttribute('aria-disabled', 'true')
  await next.hover()
  await expect(page.getByRole('tooltip')).toContainText('editor')
  await next.click({ force: true })
  await expect(dialog(page)).toBeHidden()
  for (const [name, count] of [
    ['More actions', 9],
    ['More', 3],
  ] as const) {
    const entries = (await openMenu(page, name)).getByRole('listitem')
    await expect(entries).toHaveCount(count)
    for (const entry of await entries.all()) {
      await expect(entry.getByRole('button')).toHaveAttribute('aria-disabled', 'true')
      await expect(entry).toContainText(/editor|admin/)
    }
    await page.keyboard.press('Escape')
  }
})

test('the panel on the dashboard shows the same', async () => {
  await page.goto(DASHBOARD_PAGE)
  await expect(page.getByRole('list', { name: 'Steps of the rollout' }).getByRole('listitem')).toHaveCount(8)
  const button = (await openMenu(page, 'More')).getByRole('button', { name: 'Roll back data' })
  await expect(button).toHaveAttribute('aria-disabled', 'true')
})

test('the tabs of a rollout lead to each other, and other addresses lead to the overview', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  for (const name of ['Validation', 'Readiness', 'Incidents', 'Operations', 'Column drop', 'Overview']) {
    await page.getByRole('tab', { name }).click()
    await expect(page.getByRole('tab', { name })).toHaveAttribute('aria-selected', 'true')
  }
  await page.goto(`${STAGING_ROLLOUT_PAGE}/monitoring`)
  await expect(page).toHaveURL(new RegExp(`${STAGING_ROLLOUT_PAGE}/?(?:[?].*)?$`))
})

test('a viewer reads the readiness without phone numbers and cannot sign off', async () => {
  await page.goto(READINESS_PAGE)
  await page
    .getByRole('row', { name: /staging/ })
    .getByRole('link', { name: 'vehicles' })
    .click()
  await expect(page.getByRole('group', { name: 'Production readiness' })).toContainText('%')
  const training = pageSection(page, 'Production readiness').getByRole('button', {
    name: 'Sign off: Team training completed',
  })
  await expect(training).toHaveAttribute('aria-disabled', 'true')
  await training.hover()
  await expect(page.getByRole('tooltip')).toContainText('editor')
  await expect(pageSection(page, 'Contacts').getByRole('row', { name: /Ada Lindqvist/ })).toContainText('editors only')
  await expect(pageSection(page, 'Contacts')).not.toContainText('555')
  await expect(
    pageSection(page, 'Enhanced monitoring').getByRole('button', { name: 'Disable monitoring' }),
  ).toHaveAttribute('aria-disabled', 'true')
})

test('Grafana evaluates every provisioned rule', async () => {
  await expect(async () => {
    const answer = await page.request.get('/api/prometheus/grafana/api/v1/rules')
    const { data } = (await answer.json()) as { data: { groups: { rules: { name: string; health: string }[] }[] } }
    const stiRules = data.groups.flatMap(({ rules }) => rules).filter(({ name }) => name.startsWith('Sti'))
    expect(stiRules.length).toBeGreaterThan(25)
    expect(stiRules.filter(({ health }) => !['ok', 'nodata'].includes(health))).toEqual([])
  }).toPass({ timeout: 45_000 })
})

test('the link of an alert opens its section of the runbook', async () => {
  await page.goto(`${RUNBOOK_PAGE}?environment=staging&rollout=vehicles#stiapierrorshigh`)
  await expect(pageSection(page, 'StiApiErrorsHigh')).toBeFocused()
  const command = 'sti flag --environment staging --rollout vehicles --disable'
  await expect(pageSection(page, 'StiApiErrorsHigh').getByRole('button', { name: `Copy ${command}` })).toBeVisible()
  await pageSection(page, 'StiApiErrorsHigh').getByRole('link', { name: 'the application fails on writes' }).click()
  await expect(pageSection(page, 'The application fails on writes of the table')).toBeFocused()
})

test('a viewer reads the promotion of production and cannot submit or force it', async () => {
  await page.goto(`${PRODUCTION_ROLLOUT_PAGE}/validation`)
  const promotion = pageSection(page, 'Promotion')
  await expect(promotion).toContainText('not promoted from staging')
  for (const name of ['Submit report', 'Force promotion']) {
    await expect(promotion.getByRole('button', { name })).toHaveAttribute('aria-disabled', 'true')
  }
  const [report] = await Promise.all([
    page.waitForEvent('download'),
    pageSection(page, 'Report').getByRole('button', { name: 'Markdown' }).click(),
  ])
  expect(report.suggestedFilename()).toMatch(/^sti-report-vehicles-production-.*\.md$/)
})

test('requests of a viewer without the buttons are refused by Grafana and by the agent', async () => {
  const proxy = '/api/datasources/proxy/uid/sti-staging/as'
  const data = { kind: 'expand', environment: 'staging', parameters: {} }
  for (const level of ['editor', 'admin', 'viewer']) {
    const answer = await page.request.post(`${proxy}/${level}/v1/rollouts/vehicles/operations`, {
      data,
      headers: { 'Idempotency-Key': `viewer-${level}` },
    })
    expect(answer.status(), level).toBe(403)
  }
})
