import { defineConfig } from 'vitest/config'

export default defineConfig({
  logLevel: 'error',
  test: {
    include: ['agent/src/**/*.test.ts', 'demo/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/grafana/**'],
    globalSetup: ['test/support/server.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    // Most tests wait most of the time: more of them than there are processors can be at work.
    maxWorkers: 4,
    // Real servers and real clocks on a shared machine: what fails is run once more, and the output names it (retry x1).
    // What speaks of rows that were lost, doubled or wrong is not: once is too often (the check nothing-lost is only named).
    retry: { count: 1, condition: /^(?![\s\S]*(?<!-)\b(lost|doubled|wrong|journal)\b)/ },
    // It imports JSON without the attribute that Node asks for.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
  },
})
