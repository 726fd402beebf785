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

/** The actions at the top of a rollout's tabs and in the panel. */
export const headerActions = (page: Page): Locator => page.getByRole('toolbar', { name: /^Rollback of vehicles/ })
export const nextStep = (page: Page): Locator => page.getByRole('region', { name: 'Next step' })
/** The most severe incident, above the tabs and in the panel. */
export const incidentBanner = (page: Page): Locator => page.getByRole('region', { name: /^Incident \d+$/ })
/** The rollout with its stage and its flag: the title of its tabs, a line in the panel. */
export const rolloutSummary = (page: Page): Locator => page.getByRole('group', { name: /^vehicles in/ })
/** A section of a page. */
export const pageSection = (page: Page, title: string): Locator =>
  page.getByRole('region', { name: title, exact: true })
/** A confirmation; the lists of actions are dialogs, too. */
export const dialog = (page: Page): Locator => page.getByRole('dialog').filter({ has: page.getByRole('heading') })
export const dashboardPanel = (page: Page, title: string): Locator =>
  page.getByTestId(`data-testid Panel header ${title}`).first()

/** Opens a list of actions and returns it. */
export async function openMenu(page: Page, name: 'More' | 'More actions'): Promise<Locator> {
  const menu = page.getByRole('list', { name, exact: true })
  if (!(await menu.isVisible())) await page.getByRole('button', { name, exact: true }).click()
  await expect(menu).toBeVisible()
  return menu
}

/** The button of an action: at the top, as the next step, or in a list, which this opens. */
export async function revealAction(page: Page, label: string): Promise<Locator> {
  await expect(rolloutSummary(page)).toBeVisible()
  const isDangerous = DANGEROUS_LABELS.has(label)
  if (label === 'Roll back flag') return headerActions(page).getByRole('button', { name: label, exact: true })
  if (!isDangerous) {
    // While an operation writes the table, there is no next step.
    await expect(nextStep(page)).toBeVisible({ timeout: 60_000 })
    const button = nextStep(page).getByRole('button', { name: label, exact: true })
    if ((await button.count()) > 0) return button
  }
  return (await openMenu(page, isDangerous ? 'More' : 'More actions')).getByRole('button', { name: label, exact: true })
}

const DANGEROUS_LABELS: ReadonlySet<string> = new Set(['Disable flag', 'Roll back data', 'Roll back system'])

/** Waits up to a minute until the agent allows an action to a person with this level. */
export async function waitForAllowed(page: Page, action: string, level: 'editor' | 'admin' = 'editor'): Promise<void> {
  const isAllowed = async (): Promise<boolean | undefined> => {
    const answer = await page.request.get(`/api/datasources/proxy/uid/sti-staging/as/${level}/v1/rollouts/vehicles`)
    const { actions } = (await answer.json()) as { actions?: { action: string; allowed: boolean }[] }
    return actions?.find((candidate) => candidate.action === action)?.allowed
  }
  await expect.poll(isAllowed, { timeout: 60_000 }).toBe(true)
}

/** Opens the confirmation of an action, fills in its fields, and confirms it as soon as the agent's preview allows it. */
export async function confirmAction(
  page: Page,
  label: string,
  fill: (confirmation: Locator) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  // Another answer of the agent may replace the button of the next step in between.
  await expect(async () => {
    await (await revealAction(page, label)).click({ timeout: 5_000 })
    await expect(dialog(page)).toBeVisible({ timeout: 5_000 })
  }).toPass({ timeout: 60_000 })
  await fill(dialog(page))
  await dialog(page).getByRole('button', { name: label, exact: true }).click()
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
