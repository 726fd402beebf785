import { AxeBuilder } from '@axe-core/playwright'
import { DEFAULT_A11Y_TAGS, expect, test } from '@grafana/plugin-e2e'
import type { Page } from '@playwright/test'
import { startFleet, type RunningFleet } from './fleetAgents.ts'
import { addDataSources, removeDataSources } from './fleetDataSources.ts'
import { illegibleTexts } from './legibility.ts'
import { collectBrowserErrors, dialog, pageSection, ROLLOUTS_PAGE } from './pageObjects.ts'
import { ADMIN, openPageAs, VIEWER } from './users.ts'

const GRAFANA_URL = process.env.STI_TEST_GRAFANA_URL ?? ''
const ROLLOUT = 'tenants'
const MEMBERS = [{ name: 'tenants', environment: 'tenants', rows: 200, tenants: 6, stage: 'new' }] as const

let fleet: RunningFleet
let page: Page
test.beforeAll(async ({ browser }) => {
  fleet = await startFleet(GRAFANA_URL, ROLLOUT, MEMBERS)
  await addDataSources(GRAFANA_URL, fleet)
  page = await openPageAs(browser, ADMIN)
})
test.afterAll(async () => {
  await removeDataSources(GRAFANA_URL, MEMBERS)
  await page.context().close()
  await fleet.send({ end: true })
})

const steps = () => pageSection(page, 'Steps')
const tables = () => pageSection(page, 'Tables')

/** Presses a button, and confirms it once the agent's preview allows it. */
async function confirm(label: string, within = steps()): Promise<void> {
  await within.getByRole('button', { name: label, exact: true }).click()
  await dialog(page).getByRole('button', { name: label, exact: true }).click()
  await expect(dialog(page)).toBeHidden()
}

test('the tables of a tenant each are taken to the flag with the buttons, and its rollback is two clicks', async () => {
  const errors = collectBrowserErrors(page)
  await page.goto(ROLLOUTS_PAGE)
  await page.getByRole('region', { name: 'With several tables' }).getByRole('link', { name: ROLLOUT }).click()
  await expect(page).toHaveURL(/\/tables\/tenants\/tenants/)
  await expect(tables()).toContainText('no operation has looked at the tables yet')

  await steps().getByRole('button', { name: 'Enable flag', exact: true }).click()
  await expect(dialog(page)).toContainText('6 of 6 tables have no column or no trigger')
  await page.keyboard.press('Escape')
  for (const [label, stage] of [
    ['Expand', 'expanded'],
    ['Backfill', 'covered'],
    ['Validate', 'verified'],
    ['Finalize', 'finalized'],
  ] as const) {
    await confirm(label)
    await expect(tables()).toContainText(`6 tables: 6 ${stage}`, { timeout: 120_000 })
    await expect(tables().getByRole('row')).toHaveCount(7)
  }
  await confirm('Enable flag')
  const title = page.getByRole('group', { name: `${ROLLOUT} in tenants` })
  await expect(title).toContainText('Flag on')
  const { violations } = await new AxeBuilder({ page }).include('main').withTags(DEFAULT_A11Y_TAGS).analyze()
  expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([])
  expect(await illegibleTexts(page, 'main')).toEqual([])

  const created = 'create schema tenant_7; create table tenant_7.vehicles (is_truck boolean, is_bike boolean)'
  await fleet.send({ member: 'tenants', sql: created })
  const warning = page.getByRole('alert').filter({ hasText: 'There are new tables' })
  await expect(warning).toContainText('the table of tenant_7', { timeout: 60_000 })
  await fleet.send({ member: 'tenants', sql: 'drop schema tenant_7 cascade' })

  await confirm('Roll back flag', page.getByRole('toolbar', { name: /^Rollback of/ }))
  await expect(title).toContainText('Flag off')
  expect(errors).toEqual([])
})

test('a viewer sees the tables and may act at none', async ({ browser }) => {
  const viewer = await openPageAs(browser, VIEWER)
  // The address of a rollout leads to its tables.
  await viewer.goto(`${ROLLOUTS_PAGE}/tenants/${ROLLOUT}`)
  await expect(pageSection(viewer, 'Tables')).toContainText('tables')
  for (const name of ['Expand', 'Enable flag'])
    await expect(viewer.getByRole('button', { name, exact: true })).toHaveAttribute('aria-disabled', 'true')
  await viewer.context().close()
})
