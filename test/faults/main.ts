import { parseArgs } from 'node:util'
import { ENVIRONMENT_NAMES, type SeededFault, type FaultEnvironmentName } from './fault.ts'
import { FAULT_SEEDERS } from './testEnvironments.ts'
import { FAULTS } from './faultCatalog.ts'
import type { SeedOutcome } from './seedFault.ts'

/** Those of a row disturb each other little; traffic and the machine want to be alone. */
const PARALLEL_ENVIRONMENTS: readonly FaultEnvironmentName[][] = [
  ['vehicles', 'partitions', 'server'],
  ['traffic'],
  ['machine'],
  ['disk'],
]

const HELP = `npm run faults [-- --only NAME …] [-- --list]

Seeds each kind of fault in turn, on real servers with a real agent, and looks whether a validation finds it. The last
line has the sums; the exit code is 1 when one was not found, or a check failed that nothing was wrong with.

  --only NAME   only this one; may be given several times; also the name of a ground (${ENVIRONMENT_NAMES.join(', ')})
  --list        what there is
`

const { only, list, help } = parseOptions()
const chosen = FAULTS.filter(({ name, ground }) => only === undefined || only.includes(name) || only.includes(ground))
const unknown = (only ?? []).filter((name) => !FAULTS.some((fault) => fault.name === name || fault.ground === name))
if (help) process.stdout.write(HELP)
else if (unknown.length > 0) {
  process.stderr.write(`There is no fault ${unknown.join(', ')}: --list says which there are.\n`)
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
  for (const together of PARALLEL_ENVIRONMENTS) {
    const seeding = together.map(async (ground) => {
      const own = faults.filter((fault) => fault.ground === ground)
      if (own.length === 0) return
      await FAULT_SEEDERS[ground](own, (outcome) => {
        outcomes.push(outcome)
        printOutcome(ground, outcome)
      })
    })
    for (const one of await Promise.allSettled(seeding)) if (one.status === 'rejected') throw one.reason
  }
  const seeded = outcomes.filter(({ verdict }) => verdict === 'found' || verdict === 'not found').length
  const found = outcomes.filter(({ verdict }) => verdict === 'found').length
  const alarms = outcomes.reduce((sum, outcome) => sum + outcome.alarms.length, 0)
  process.stdout.write(`\n${seeded} seeded, ${found} found, ${alarms} false alarms\n`)
  return found === seeded && alarms === 0 ? 0 : 1
}

function printOutcome(ground: string, { fault, verdict, because, alarms, seconds }: SeedOutcome): void {
  const head = [
    ground.padEnd(10),
    verdict.padEnd(9),
    (fault?.name ?? 'no fault').padEnd(35),
    `${seconds.toFixed(1).padStart(5)} s`,
  ]
  process.stdout.write(`${[...head, because.slice(0, 240)].join('  ')}\n`)
  for (const alarm of alarms) process.stdout.write(`${ground.padEnd(10)}  FALSE ALARM  ${alarm.slice(0, 400)}\n`)
}
