import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take a minute or more: one that started last would run alone at the end. */
const LONG_FILES = [
  'test/crash/',
  'test/ramp/',
  'test/applications/',
  'test/rehearsal/',
  'test/column-drop/round-trip',
  'test/baseline/',
  'test/http/load',
]

class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => LONG_FILES.some((part) => moduleId.includes(part))
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

export default defineConfig({
  logLevel: 'error',
  test: {
    include: ['agent/src/**/*.test.ts', 'demo/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', 'test/grafana/**'],
    globalSetup: ['test/support/programs.ts', 'test/support/server.ts'],
    // Ends a test that hangs; a shared, loaded machine is five times as slow as an idle one.
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // What a test waits for comes later on a loaded machine; what must come in time is measured.
    expect: { poll: { timeout: 60_000 } },
    pool: 'forks',
    // The files of a worker share its modules: loading the agent again for each costs a third of the run. What a test changes
    // beyond its database (timers, variables, handlers), it puts back.
    isolate: false,
    // Most tests spend their time waiting, so more workers than processors pay off.
    maxWorkers: 4,
    sequence: { sequencer: LongFilesFirst },
    // A failed test fails: only a test marked with realTimeTest (test/support/realTime.ts) runs a second time.
    retry: 0,
    // The package imports JSON without the import attribute that Node requires.
    server: { deps: { inline: ['@actions/workflow-parser'] } },
  },
})
