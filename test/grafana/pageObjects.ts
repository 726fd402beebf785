import { expect } from '@grafana/plugin-e2e'
import type { Locator, Page } from '@playwright/test'

const APP = '/a/sti-rollout-app'
export const ROLLOUTS_PAGE = `${APP}/rollouts`
export const CONFIGURATION_PAGE = `${APP}/configuration`
export const ROLLBACK_PAGE = `${APP}/rollback`
export const STAGING_ROLLOUT_PAGE = `${ROLLOUTS_PAGE}/staging/vehicles`
export const PRODUCTION_ROLLOUT_PAGE = `${ROLLOUTS_PAGE}/production/vehicles`
export const RUNBOOK_PAGE = `${APP}/runbook`
export const INCIDENTS_PAGE = `${APP}/incidents`
export const READINESS_PAGE = `${APP}/readiness`
export const DASHBOARD_PAGE = '/d/sti-rollout-monitoring?var-agent=sti-staging&var-rollout=vehicles'

/** The action bar, on the rollout page and in the panel. */
export const actionBar = (page: Page): Locator => page.getByRole('toolbar', { name: /^Actions on vehicles/ })
export const actionButton = (page: Page, name: string): Locator =>
  actionBar(page).getByRole('button', { name, exact: true })
export const rolloutSummary = (page: Page): Locator => page.getByRole('group', { name: /^vehicles in/ })
/** A section of a page. */
export const pageSection = (page: Page, title: string): Locator =>
  page.getByRole('region', { name: title, exact: true })
export const dialog = (page: Page): Locator => page.getByRole('dialog')
export const dashboardPanel = (page: Page, title: string): Locator =>
  page.getByTestId(`data-testid Panel header ${title}`).first()

/** Waits up to a minute until the agent allows an action. */
export async function waitForAllowed(page: Page, name: string): Promise<void> {
  await expect(actionButton(page, name)).not.toHaveAttribute('aria-disabled', 'true', { timeout: 60_000 })
}

/** Opens the confirmation of an action and confirms it as soon as the agent's preview allows it. */
export async function confirmAction(page: Page, name: string): Promise<void> {
  await actionButton(page, name).click()
  await dialog(page).getByRole('button', { name, exact: true }).click()
  await expect(dialog(page)).toBeHidden()
}

/** Collects the errors of the browser, except for files that Grafana itself does not find, here or on the internet. */
export function collectBrowserErrors(page: Page): string[] {
  const errors: string[] = []
  const grafanaUrls = /public-dashboards|gnet|gravatar|favicon/
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => {
    const { url } = message.location()
    const isOtherHost = URL.canParse(url) && new URL(url).host !== new URL(page.url()).host
    if (message.type() === 'error' && !isOtherHost && !grafanaUrls.test(url)) errors.push(`${message.text()} ${url}`)
  })
  return errors
}
