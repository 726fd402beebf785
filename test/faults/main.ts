import { parseArgs } from 'node:util'
import { ENVIRONMENT_NAMES, type SeededFault, type FaultEnvironmentName } from './fault.ts'
import { FAULT_SEEDERS } from './testEnvironments.ts'
import { FAULTS } from './faultCatalog.ts'
import type { SeedOutcome } from './seedFault.ts'

/** These groups run one after another, since traffic and machine faults disturb others. */
const PARALLEL_ENVIRONMENTS: readonly FaultEnvironmentName[][] = [
  ['vehicles', 'partitions', 'server'],
  ['traffic'],
  ['machine'],
  ['disk'],
]

const HELP = `npm run faults [-- --only NAME …] [-- --list]

Seeds each kind of fault on real servers with a real agent and tests that a validation finds it. The last line shows the
totals. The exit code is 1 if a fault was not found, or if an unaffected check failed.

  --only NAME   seed only this fault, or all faults of an environment (${ENVIRONMENT_NAMES.join(', ')}); repeatable
  --list        list the faults
`

const { only, list, help } = parseOptions()
const chosen = FAULTS.filter(
  ({ name, environment }) => only === undefined || only.includes(name) || only.includes(environment),
)
const unknown = (only ?? []).filter(
  (name) => !FAULTS.some((fault) => fault.name === name || fault.environment === name),
)
if (help) process.stdout.write(HELP)
else if (unknown.length > 0) {
  process.stderr.write(`Unknown fault ${unknown.join(', ')}. Use --list to see all faults.\n`)
  process.exitCode = 2
} else if (list)
  for (const fault of chosen) process.stdout.write(`${fault.name.padEnd(40)} ${fault.layer.padEnd(12)} ${fault.what}\n`)
else process.exitCode = await seedAll(chosen)

function parseOptions() {
  try {
    return parseArgs({
      options: {
        only: { type: 'string', multiple: true },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${HELP}`)
    process.exit(2)
  }
}

async function seedAll(faults: readonly SeededFault[]): Promise<number> {
  const outcomes: SeedOutcome[] = []
  for (const environments of PARALLEL_ENVIRONMENTS) {
    const seeding = environments.map(async (environment) => {
      const own = faults.filter((fault) => fault.environment === environment)
      if (own.length === 0) return
      await FAULT_SEEDERS[environment](own, (outcome) => {
        outcomes.push(outcome)
        printOutcome(environment, outcome)
      })
    })
    for (const result of await Promise.allSettled(seeding)) if (result.status === 'rejected') throw result.reason
  }
  const seeded = outcomes.filter(({ verdict }) => verdict === 'found' || verdict === 'not found').length
  const found = outcomes.filter(({ verdict }) => verdict === 'found').length
  const alarms = outcomes.reduce((sum, outcome) => sum + outcome.alarms.length, 0)
  process.stdout.write(`\n${seeded} seeded, ${found} found, ${alarms} false alarms\n`)
  return found === seeded && alarms === 0 ? 0 : 1
}

function printOutcome(environment: string, { fault, verdict, because, alarms, seconds }: SeedOutcome): void {
  const head = [
    environment.padEnd(10),
    verdict.padEnd(9),
    (fault?.name ?? 'no fault').padEnd(35),
    `${seconds.toFixed(1).padStart(5)} s`,
  ]
  process.stdout.write(`${[...head, because.slice(0, 240)].join('  ')}\n`)
  for (const alarm of alarms) process.stdout.write(`${environment.padEnd(10)}  FALSE ALARM  ${alarm.slice(0, 400)}\n`)
}
