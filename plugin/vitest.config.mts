import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    name: 'plugin',
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}', 'dashboard/**/*.test.ts'],
    setupFiles: ['./vitest.setup.mts'],
    testTimeout: 20_000,
    pool: 'forks',
    maxWorkers: 1,
    server: { deps: { inline: [/@grafana\//] } },
  },
})
