import { AxeBuilder } from '@axe-core/playwright'
import { DEFAULT_A11Y_TAGS, expect, test } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import { rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readRunRecord } from '../../demo/start/previousRun.ts'
import { expectDrawn, READINGS_OF_FLEET } from './dashboardReadings.ts'
import { startFleet, type FleetReady, type RunningFleet } from './fleetAgents.ts'
import { addDataSources, removeDataSources } from './fleetDataSources.ts'
import { illegibleTexts } from './legibility.ts'
import { collectBrowserErrors, dashboardPanel, dialog, ROLLOUTS_PAGE } from './pageObjects.ts'
import { EDITOR, openPageAs, VIEWER } from './users.ts'

const GRAFANA_URL = process.env.STI_TEST_GRAFANA_URL ?? ''
const ROLLOUT = 'shards'
/** Two of them have the same environment, as the members of a fleet may. */
const MEMBERS = [
  { name: 'eu_1', environment: 'production', rows: 1_000, stage: 'enabled' },
  { name: 'eu_2', environment: 'production', rows: 1_000, stage: 'enabled' },
  { name: 'us_1', environment: 'us', rows: 1_000, stage: 'expanded' },
] as const
const FOLDED = `${ROLLOUTS_PAGE}?filter=${ROLLOUT}`
/** The members of more than three agents are shown on request. */
const OPEN = `${FOLDED}&toggle=${ROLLOUT}`

let fleet: RunningFleet
let page: Page
test.beforeAll(async ({ browser }) => {
  fleet = await startFleet(GRAFANA_URL, ROLLOUT, MEMBERS)
  await scrapeFleet(fleet.members)
  await addDataSources(GRAFANA_URL, fleet)
  page = await openPageAs(browser, EDITOR)
})
test.afterAll(async () => {
  await scrapeFleet([])
  await removeDataSources(GRAFANA_URL, MEMBERS)
  await page.context().close()
  await fleet.send({ end: true })
})

const fleetRow = () => page.getByRole('rowheader').filter({ hasText: ROLLOUT })
const flagOf = async (name: string): Promise<boolean | undefined> => {
  const answer = await page.request.get(`/api/datasources/proxy/uid/sti-${name}/as/viewer/v1/rollouts/${ROLLOUT}`)
  return ((await answer.json()) as { flag?: { enabled: boolean } }).flag?.enabled
}
const member = (name: string | RegExp) => dialog(page).getByRole('listitem').filter({ hasText: name })

test('the flag is rolled back everywhere, a member that does not answer is shown as failed, and is retried', async () => {
  const errors = collectBrowserErrors(page)
  await page.goto(FOLDED)
  await expect(fleetRow()).toContainText('3 members: 1 expanded, 2 on')
  await fleet.send({ stop: 'eu_2' })
  await fleetRow()
    .getByRole('button', { name: `Roll back the flag of ${ROLLOUT} everywhere` })
    .click()
  await expect(dialog(page).getByRole('listitem')).toHaveCount(MEMBERS.length)
  await dialog(page).getByLabel('Reason').fill('wrong types')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await expect(dialog(page).getByRole('status')).toHaveText('The flag is off in 2 of 3 members. 1 failed.')
  await expect(dialog(page).getByRole('status')).toBeFocused()
  await expect(member('STI eu_1')).toContainText('The flag is off')
  await expect(member('STI eu_2')).toContainText(/Failed: Grafana cannot reach STI eu_2.*sti rollback flag/s)
  expect(await illegibleTexts(page, '[role=dialog]')).toEqual([])
  const { violations } = await new AxeBuilder({ page }).include('[role=dialog]').withTags(DEFAULT_A11Y_TAGS).analyze()
  expect(violations).toEqual([])

  await fleet.send({ start: 'eu_2' })
  expect(await flagOf('eu_2')).toBe(true)
  await dialog(page).getByRole('button', { name: 'Retry 1 member' }).click()
  await expect(dialog(page).getByRole('status')).toHaveText('The flag is off in 3 of 3 members.')
  for (const { name } of MEMBERS) expect(await flagOf(name), name).toBe(false)
  await dialog(page).getByRole('button', { name: 'Close' }).last().click()
  await expect(fleetRow()).toContainText('3 members: 3 rolled back')
  expect(errors.filter((error) => !error.includes('502'))).toEqual([])
})

test('one button acts at the chosen members, with a preview of each, and leaves out those that refuse', async () => {
  await fleetRow().getByRole('button', { name: ROLLOUT, exact: true }).click()
  await page.getByRole('checkbox', { name: 'Choose all' }).check({ force: true })
  await page.getByRole('button', { name: 'Act on 3 members' }).click()
  await page.getByRole('menuitem', { name: 'Backfill' }).click()
  await expect(member('us')).toContainText('1,000 rows')
  await dialog(page)
    .getByRole('button', { name: /^Backfill in \d members?$/ })
    .click()
  await expect(member('us')).toContainText('Started')
  await dialog(page).getByRole('button', { name: 'Close' }).last().click()
  await expect(fleetRow()).toContainText('3,000 of 3,000')
})

test('a member opens by its data source, since its environment has several databases', async () => {
  await page
    .getByRole('row', { name: /STI eu_2/ })
    .getByRole('link', { name: ROLLOUT })
    .click()
  await expect(page).toHaveURL(/rollouts\/production%40sti-eu_2\/shards/)
  await expect(page.getByRole('group', { name: `${ROLLOUT} in production@sti-eu_2` })).toContainText('rolled-back')
  await expect(page.getByRole('tab', { name: 'Overview' })).toHaveAttribute('aria-selected', 'true')
  await page.goto(`${ROLLOUTS_PAGE}/production/${ROLLOUT}`)
  await expect(page.getByText('databases have the environment production')).toBeVisible()
})

test('the panels of the fleet open from its row, and each has data that nothing cuts off', async () => {
  // The dashboard offers the rollouts that Prometheus has when it is opened.
  await expect.poll(countScraped, { timeout: 30_000 }).toBe(MEMBERS.length)
  await page.goto(FOLDED)
  await fleetRow().getByRole('link', { name: 'Panels of the fleet' }).click()
  await expect(page).toHaveURL(/\/d\/sti-rollout-fleet\/.*var-rollout=shards/)
  await expect(dashboardPanel(page, 'Members')).toContainText('flag off')
  await expectDrawn(page, READINGS_OF_FLEET, 2700)
})

test('a viewer sees the members and may act at none', async ({ browser }) => {
  const viewer = await openPageAs(browser, VIEWER)
  await viewer.goto(OPEN)
  for (const name of [`Roll back the flag of ${ROLLOUT} everywhere`, 'Act on chosen members'])
    await expect(viewer.getByRole('button', { name })).toHaveAttribute('aria-disabled', 'true')
  await viewer.context().close()
})

/** Tells the Prometheus of the demo about the agents. */
async function scrapeFleet(members: FleetReady['members']): Promise<void> {
  const demo = await readRunRecord(dirname(process.env.STI_TEST_DATABASE_URL_FILE ?? ''))
  if (demo === null) throw new Error('The demo behind this Grafana runs on another machine, or has no file run.json.')
  const targets = members.map(({ name, environment, url }) => ({
    targets: [new URL(url).host],
    labels: { environment, member: name },
  }))
  const file = join(demo.folder, 'provisioning/prometheus/targets/sti-agent-fleet.json')
  // Prometheus reads the file as soon as it changes: it must never be half written.
  await writeFile(`${file}.new`, JSON.stringify(targets))
  await rename(`${file}.new`, file)
}

/** How many agents of the fleet Prometheus has scraped. */
async function countScraped(): Promise<number> {
  const query = encodeURIComponent(`count(sti_flag_enabled{rollout="${ROLLOUT}"})`)
  const answer = await page.request.get(`/api/datasources/proxy/uid/sti-prometheus/api/v1/query?query=${query}`)
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
  return Number(data.result[0]?.value[1] ?? 0)
}
