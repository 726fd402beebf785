import { expect } from 'vitest'
import { hashSignalSources } from '../../agent/src/measure/baselineStore.ts'
import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import type { TestAgent } from './agent.ts'

/** Imports a baseline of an hour with 30% memory usage for a rollout file. */
export async function importBaseline(agent: TestAgent, file: string): Promise<void> {
  const { rollout } = compileRollout('rollout.yaml', file)
  const ago = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString()
  const values = Array.from({ length: 12 }, () => 0.3)
  const memory = {
    signal: 'host-memory',
    samples: 720,
    mean: 0.3,
    standardDeviation: 0,
    median: 0.3,
    p95: 0.3,
    maximum: 0.3,
  }
  const content = {
    rollout: 'vehicles',
    environment: 'staging',
    fileHash: rollout!.hash,
    sourcesHash: hashSignalSources(rollout!.file),
    release: 'v1',
    measured: 'live',
    startedAt: ago(70),
    endedAt: ago(10),
    queries: [],
    notes: [],
    signals: [{ ...memory, stepSeconds: 300, values, unknown: null }],
  }
  const { status, body } = await agent.post('/v1/rollouts/vehicles/baselines', { content, reason: 'from the test' })
  expect([status, body]).toEqual([200, expect.anything()])
}
