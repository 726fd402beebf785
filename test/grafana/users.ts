import type { PluginOptions } from '@grafana/plugin-e2e'
import type { Browser, Page } from '@playwright/test'
import { join } from 'node:path'

type TestUser = NonNullable<PluginOptions['user']>

export const ADMIN = {
  user: process.env.STI_TEST_GRAFANA_USER ?? 'admin',
  password: process.env.STI_TEST_GRAFANA_PASSWORD ?? 'admin',
  role: 'Admin',
} satisfies TestUser
export const EDITOR = { user: 'sti-test-editor', password: 'sti-test-editor', role: 'Editor' } satisfies TestUser
export const VIEWER = { user: 'sti-test-viewer', password: 'sti-test-viewer', role: 'Viewer' } satisfies TestUser

/** The file in which the login of plugin-e2e saves the session of a user. */
export const sessionFile = ({ user }: { user: string }): string => join(process.cwd(), `playwright/.auth/${user}.json`)

/** Opens one page for all tests of a role, because loading Grafana's files takes most of the time of a page. */
export async function openPageAs(browser: Browser, user: { user: string }): Promise<Page> {
  const context = await browser.newContext({
    baseURL: process.env.STI_TEST_GRAFANA_URL,
    storageState: sessionFile(user),
    viewport: { width: 1440, height: 900 },
  })
  // Grafana's default on wide screens, and the narrowest for a page.
  await context.addInitScript(() => localStorage.setItem('grafana.navigation.docked', 'true'))
  return context.newPage()
}
