import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { loadRollouts } from '../../agent/src/rollout/compileRollout.ts'
import { listChecks } from '../../agent/src/validation/layers.ts'
import { ENVIRONMENT_NAMES } from './fault.ts'
import { PARTITIONS_FILE, vehiclesFile } from './rolloutFiles.ts'
import { FAULT_SEEDERS } from './testEnvironments.ts'
import { CHECKS_WITHOUT_FAULT, FAULTS } from './faultCatalog.ts'
import type { SeedOutcome } from './seedFault.ts'
import { realTimeTest as test } from '../support/realTime.ts'

/** A quick fault of each kind. STI_FAULTS=all seeds all of them, which takes ten minutes. */
const QUICK_FAULTS = [
  'wrong-type',
  'trigger-sorts-after-ours',
  'check-not-valid',
  'another-answer-with-the-flag',
  'redirect',
]
const VEHICLES_FILE = vehiclesFile('http://127.0.0.1:1')
const all = process.env['STI_FAULTS'] === 'all'
const chosen = FAULTS.filter(({ name }) => all || QUICK_FAULTS.includes(name))

test('there are at least 40 kinds of fault, each with a unique name', () => {
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length)
  expect(FAULTS.length).toBeGreaterThanOrEqual(40)
  expect(chosen.length).toBe(all ? FAULTS.length : QUICK_FAULTS.length)
})

test('every check that a fault names exists', async () => {
  const checksOfFiles = [await readCheckLayers(VEHICLES_FILE), await readCheckLayers(PARTITIONS_FILE)]
  for (const { name, environment, layer, checks, follows = [] } of FAULTS) {
    const checkLayers = checksOfFiles[environment === 'partitions' ? 1 : 0]!
    expect({ name, unknown: checks.filter((check) => checkLayers.get(check) !== layer) }).toEqual({ name, unknown: [] })
    expect({ name, unknown: follows.filter((check) => !checkLayers.has(check)) }).toEqual({ name, unknown: [] })
  }
})

test('every check is named by a seeded fault, or there is a reason why not', async () => {
  const files = [VEHICLES_FILE, PARTITIONS_FILE, VEHICLES_FILE.replace('rollout:', 'dualWrite: application\nrollout:')]
  const checks = new Set((await Promise.all(files.map(readCheckLayers))).flatMap((layers) => [...layers.keys()]))
  const seeded = new Set(FAULTS.flatMap((fault) => fault.checks))
  const excused = new Set(Object.keys(CHECKS_WITHOUT_FAULT))
  expect([...checks].filter((check) => !seeded.has(check) && !excused.has(check))).toEqual([])
  expect([...excused].filter((check) => !checks.has(check) || seeded.has(check))).toEqual([])
})

/** The layer of each check by name. */
async function readCheckLayers(file: string): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-faults-'))
  try {
    await writeFile(join(folder, 'rollout.yaml'), file)
    const [rollout] = await loadRollouts(folder)
    return new Map(listChecks(rollout!).map(({ name, layer }) => [name, layer]))
  } finally {
    await rm(folder, { recursive: true })
  }
}

for (const environment of ENVIRONMENT_NAMES) {
  const faults = chosen.filter((fault) => fault.environment === environment)
  if (faults.length === 0) continue
  test(`validation finds each fault and raises no false alarm: ${environment}`, { timeout: 600_000 }, async () => {
    const outcomes: SeedOutcome[] = []
    await FAULT_SEEDERS[environment](faults, (outcome) => outcomes.push(outcome))
    expect(outcomes.length).toBe(faults.length + 1)
    expect(outcomes.filter(({ verdict }) => verdict === 'not found')).toEqual([])
    expect(outcomes.flatMap(({ alarms }) => alarms)).toEqual([])
  })
}
