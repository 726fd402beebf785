import type { PluginOptions } from '@grafana/plugin-e2e'
import { defineConfig, devices } from '@playwright/test'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ADMIN, EDITOR, VIEWER } from './users.ts'

const authentication = join(dirname(createRequire(import.meta.url).resolve('@grafana/plugin-e2e')), 'auth')

/** One worker: all tests share one rollout, and the tests of each role depend on those of the previous role. */
export default defineConfig<PluginOptions>({
  testDir: '.',
  fullyParallel: false,
  workers: 1,
  retries: 0,
  // Ends a test that hangs, also on a shared, loaded machine.
  timeout: 240_000,
  expect: { timeout: 30_000 },
  outputDir: join(process.cwd(), 'results'),
  reporter: process.env.PLAYWRIGHT_JSON_OUTPUT_FILE ? [['list'], ['json']] : [['list']],
  use: {
    ...devices['Desktop Chrome'],
    baseURL: process.env.STI_TEST_GRAFANA_URL,
    launchOptions: {
      executablePath: process.env.STI_TEST_BROWSER,
      args: ['--no-sandbox', '--disable-gpu'],
    },
    grafanaAPICredentials: { user: ADMIN.user, password: ADMIN.password },
  },
  projects: [
    ...[ADMIN, EDITOR, VIEWER].map((user) => ({
      name: `login as ${user.user}`,
      testDir: authentication,
      testMatch: [/.*\.js/],
      use: { user },
    })),
    { name: 'viewer', testMatch: 'viewer.spec.ts', dependencies: logins() },
    { name: 'editor', testMatch: 'editor.spec.ts', dependencies: ['viewer'] },
    { name: 'admin', testMatch: 'admin.spec.ts', dependencies: ['editor'] },
    // Last, since its data sources are more agents of the other pages.
    { name: 'fleet', testMatch: 'fleet.spec.ts', dependencies: ['admin'] },
    { name: 'tables', testMatch: 'tables.spec.ts', dependencies: ['admin'] },
  ],
})

function logins(): string[] {
  return [ADMIN, EDITOR, VIEWER].map(({ user }) => `login as ${user}`)
}
