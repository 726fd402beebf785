import { expect } from '@grafana/plugin-e2e'
import type { Locator, Page } from '@playwright/test'

const APP = '/a/sti-rollout-app'
export const ROLLOUTS = `${APP}/rollouts`
export const CONFIGURATION = `${APP}/configuration`
export const ROLLBACK = `${APP}/rollback`
export const STAGING = `${ROLLOUTS}/staging/vehicles`
export const PRODUCTION = `${ROLLOUTS}/production/vehicles`
export const RUNBOOK = `${APP}/runbook`
export const INCIDENTS = `${APP}/incidents`
export const READINESS = `${APP}/readiness`
export const DASHBOARD = '/d/sti-rollout-monitoring?var-agent=sti-staging&var-rollout=vehicles'

export const PANELS = [
  'STI Progress Tracker',
  'API Performance Monitor',
  'Database Health Checker',
  'System Resource Monitor',
  'Error Rate Tracker',
  'Data Integrity Validator',
  'Feature Flag Status',
  'Rollback Readiness',
]

/** The bar with the buttons, as page and panel show it. */
export const bar = (page: Page): Locator => page.getByRole('toolbar', { name: /^Actions on vehicles/ })
export const action = (page: Page, name: string): Locator => bar(page).getByRole('button', { name, exact: true })
export const facts = (page: Page): Locator => page.getByRole('group', { name: /^vehicles in/ })
/** A part of a page, by its title. */
export const part = (page: Page, title: string): Locator => page.getByRole('region', { name: title, exact: true })
export const dialog = (page: Page): Locator => page.getByRole('dialog')
export const panel = (page: Page, title: string): Locator =>
  page.getByTestId(`data-testid Panel header ${title}`).first()

/** Waits until the agent allows an action. */
export async function allowed(page: Page, name: string): Promise<void> {
  await expect(action(page, name)).not.toHaveAttribute('aria-disabled', 'true', { timeout: 60_000 })
}

/** Opens a confirmation and says yes, as soon as the agent's preview allows it. */
export async function act(page: Page, name: string): Promise<void> {
  await action(page, name).click()
  await dialog(page).getByRole('button', { name, exact: true }).click()
  await expect(dialog(page)).toBeHidden()
}

/** What the browser complained about, what Grafana itself looks for in vain apart, here and on the internet. */
export function complaints(page: Page): string[] {
  const found: string[] = []
  const grafanas = /public-dashboards|gnet|gravatar|favicon/
  page.on('pageerror', (error) => found.push(error.message))
  page.on('console', (message) => {
    const { url } = message.location()
    const elsewhere = URL.canParse(url) && new URL(url).host !== new URL(page.url()).host
    if (message.type() === 'error' && !elsewhere && !grafanas.test(url)) found.push(`${message.text()} ${url}`)
  })
  return found
}
