import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadRollouts } from '../../agent/src/rollout/compileRollout.ts'
import { listChecks } from '../../agent/src/validation/layers.ts'
import { ENVIRONMENT_NAMES } from './fault.ts'
import { PARTITIONS_FILE, vehiclesFile } from './rolloutFiles.ts'
import { FAULT_SEEDERS } from './testEnvironments.ts'
import { FAULTS } from './faultCatalog.ts'
import type { SeedOutcome } from './seedFault.ts'

/** A quick one of each sort; STI_FAULTS=all seeds every one, which takes ten minutes. */
const QUICK_FAULTS = [
  'wrong-type',
  'trigger-sorts-after-ours',
  'check-not-valid',
  'another-answer-with-the-flag',
  'redirect',
]
const all = process.env['STI_FAULTS'] === 'all'
const chosen = FAULTS.filter(({ name }) => all || QUICK_FAULTS.includes(name))

test('there are 40 kinds of fault and more, each with a name of its own', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length)
  expect(FAULTS.length).toBeGreaterThanOrEqual(40)
  expect(chosen.length).toBe(all ? FAULTS.length : QUICK_FAULTS.length)
})

test('every check that a fault names is one', async () => {
  const known = [await namesOf(vehiclesFile('http://127.0.0.1:1')), await namesOf(PARTITIONS_FILE)]
  for (const { name, ground, layer, checks, follows = [] } of FAULTS) {
    const of = known[ground === 'partitions' ? 1 : 0]!
    expect({ name, unknown: checks.filter((check) => of.get(check) !== layer) }).toEqual({ name, unknown: [] })
    expect({ name, unknown: follows.filter((check) => !of.has(check)) }).toEqual({ name, unknown: [] })
  }
})

/** Names of checks, and their layers. */
async function namesOf(file: string): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-faults-'))
  try {
    await writeFile(join(folder, 'rollout.yaml'), file)
    const [rollout] = await loadRollouts(folder)
    return new Map(listChecks(rollout!).map(({ name, layer }) => [name, layer]))
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const ground of ENVIRONMENT_NAMES) {
  const faults = chosen.filter((fault) => fault.ground === ground)
  if (faults.length === 0) continue
  test(`each fault is found, and no check fails without one: ${ground}`, { timeout: 600_000 }, async () => {
    const outcomes: SeedOutcome[] = []
    await FAULT_SEEDERS[ground](faults, (outcome) => outcomes.push(outcome))
    expect(outcomes.length).toBe(faults.length + 1)
    expect(outcomes.filter(({ verdict }) => verdict === 'not found')).toEqual([])
    expect(outcomes.flatMap(({ alarms }) => alarms)).toEqual([])
  })
}
