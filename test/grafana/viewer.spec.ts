import { expect, test } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import {
  actionButton,
  actionBar,
  DASHBOARD_PAGE,
  dialog,
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

test('a viewer sees all buttons disabled, each with its reason', async () => {
  await page.goto(STAGING_ROLLOUT_PAGE)
  const buttons = actionBar(page).getByRole('button')
  await expect(buttons).toHaveCount(9)
  for (const button of await buttons.all()) await expect(button).toHaveAttribute('aria-disabled', 'true')
  await actionButton(page, 'Expand').hover()
  await expect(page.getByRole('tooltip')).toContainText('editor')
  await actionButton(page, 'Expand').click({ force: true })
  await expect(dialog(page)).toBeHidden()
})

test('the action bar on the dashboard shows the same', async () => {
  await page.goto(DASHBOARD_PAGE)
  await actionButton(page, 'Roll back flag').focus()
  await expect(page.getByRole('tooltip')).toContainText('editor')
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
  await page.goto(`${RUNBOOK_PAGE}#stiapierrorshigh`)
  await expect(pageSection(page, 'StiApiErrorsHigh')).toBeFocused()
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
