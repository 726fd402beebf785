import { defineConfig } from 'vitest/config'

export default defineConfig({
  logLevel: 'error',
  test: {
    include: ['agent/src/**/*.test.ts', 'demo/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/grafana/**'],
    globalSetup: ['test/support/programs.ts', 'test/support/server.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most tests spend their time waiting, so more workers than processors pay off.
    maxWorkers: 4,
    // A failed test fails: only a test marked with realTimeTest (test/support/realTime.ts) runs a second time.
    retry: 0,
    // The package imports JSON without the import attribute that Node requires.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
  },
})
