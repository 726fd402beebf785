import { expect, test } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import { action, bar, DASHBOARD, dialog, STAGING } from './places.ts'
import { openAs, VIEWER } from './users.ts'

let page: Page
test.beforeAll(async ({ browser }) => void (page = await openAs(browser, VIEWER)))
test.afterAll(() => page.context().close())

test('a viewer sees the buttons, none of which can be pressed, each with its reason', async () => {
  await page.goto(STAGING)
  const buttons = bar(page).getByRole('button')
  await expect(buttons).toHaveCount(8)
  for (const button of await buttons.all()) await expect(button).toHaveAttribute('aria-disabled', 'true')
  await action(page, 'Expand').hover()
  await expect(page.getByRole('tooltip')).toContainText('editor')
  await action(page, 'Expand').click({ force: true })
  await expect(dialog(page)).toBeHidden()
})

test('the bar on the dashboard says the same', async () => {
  await page.goto(DASHBOARD)
  await action(page, 'Roll back flag').focus()
  await expect(page.getByRole('tooltip')).toContainText('editor')
})

test('a viewer who goes around the buttons is refused by Grafana, and by the agent', async () => {
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
