import { writeFile } from 'node:fs/promises'
import { middle } from '../median.ts'
import { markdown } from '../print.ts'
import { help, parseOptions, type Options } from './options.ts'
import { measureRound } from './round.ts'
import { startStand } from './stand.ts'
import { PARTS, type Round } from './timeline.ts'

/** Seconds: of the demo's Prometheus, of Grafana's shortest interval, and what everything else may take. */
const SCRAPE = 5
const RULE_INTERVAL = 10
const REST = 2
const AGENT_ALERT = 1
const AGENT_GUARD = 3

/** Measures from a fault to the flag off at the last client; gives the exit code: 1 when something was not reached. */
async function main(options: Options): Promise<number> {
  const rounds: Round[] = []
  const stand = await startStand(options)
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')))
  })
  try {
    for (let round = 0; round < options.rounds; round++) {
      const phase = ((round + 0.5) / options.rounds) * RULE_INTERVAL * 1000
      const found = await Promise.race([measureRound(stand, phase), stand.accident, interrupted])
      rounds.push(found)
      process.stdout.write(`round ${round + 1}: ${found.whole.toFixed(1)} s (${said(found)})\n`)
    }
  } finally {
    await stand.stop()
  }
  if (options.json) await writeFile(options.json, `${JSON.stringify(rounds, null, 2)}\n`)
  process.stdout.write(`\n${table(rounds)}\n`)
  const missed = rounds.flatMap((round, index) => misses(round, options).map((what) => `round ${index + 1}: ${what}`))
  for (const line of missed) process.stdout.write(`${line}\n`)
  const whole = rounds.map((round) => round.whole)
  const agent = Math.max(...rounds.map((round) => round.agent))
  process.stdout.write(
    `median ${middle(whole).toFixed(1)} s, worst ${Math.max(...whole).toFixed(1)} s, agent ${agent.toFixed(2)} s\n`,
  )
  return missed.length === 0 ? 0 : 1
}

function said({ parts }: Round): string {
  return PARTS.flatMap((part) => (parts[part] === null ? [] : [`${part} ${parts[part].toFixed(1)}`])).join(', ')
}

function table(rounds: readonly Round[]): string {
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    ...[middle(values), Math.max(...values)].map((seconds) => `${seconds.toFixed(2)} s`),
  ]
  const parts = PARTS.flatMap((part) => {
    const values = rounds.flatMap((round) => round.parts[part] ?? [])
    return values.length === 0 ? [] : [row(part, values)]
  })
  return markdown(
    ['part', 'median', 'worst'],
    [
      ...parts,
      row(
        'in all',
        rounds.map((round) => round.whole),
      ),
    ],
  )
}

/** What a round did not reach. The signal has the window of its rate, which is what it takes. */
function misses({ parts, whole, agent }: Round, { path }: Options): string[] {
  const most = path === 'alert' ? AGENT_ALERT : AGENT_GUARD
  const waits = path === 'alert' ? SCRAPE + RULE_INTERVAL : AGENT_GUARD
  const bound = (parts.signal ?? 0) + waits + (parts.propagation ?? 0) + REST
  return [
    ...(agent > most ? [`the agent took ${agent.toFixed(2)} s, more than ${most} s`] : []),
    ...(whole > bound ? [`${whole.toFixed(1)} s in all, more than ${bound.toFixed(1)} s`] : []),
  ]
}

const options = parseOptions(process.argv.slice(2))
if (options === 'help') {
  process.stdout.write(`${help}\n`)
} else if ('fault' in options) {
  process.stderr.write(`${options.fault}\n\n${help}\n`)
  process.exitCode = 2
} else {
  process.exit(
    await main(options).catch((error: Error) => {
      process.stderr.write(`It was not measured: ${error.message}\n`)
      return 1
    }),
  )
}
