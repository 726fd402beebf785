import { writeFile } from 'node:fs/promises'
import { median } from '../statistics.ts'
import { markdownTable } from '../format.ts'
import { runProgram } from '../../demo/start/runProgram.ts'
import { HELP, parseOptions, type MttrOptions } from './options.ts'
import { measureRound } from './measureRound.ts'
import { startTestbed } from './testbed.ts'
import { MTTR_PHASES, type MttrRound } from './timeline.ts'

/** The scrape interval of the demo, the shortest rule interval of Grafana, and the time allowed for everything else. */
const SCRAPE_INTERVAL_SECONDS = 5
const RULE_INTERVAL_SECONDS = 10
const SLACK_SECONDS = 2
const AGENT_ALERT_LIMIT_SECONDS = 1
const AGENT_GUARD_LIMIT_SECONDS = 3

/** Measures the time from a fault to the flag off at the last client. Returns exit code 1 if a goal was missed. */
async function main(options: MttrOptions): Promise<number> {
  const rounds: MttrRound[] = []
  const testbed = await startTestbed(options)
  const interrupted = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => reject(new Error('interrupted')))
  })
  try {
    for (let round = 0; round < options.rounds; round++) {
      const phase = ((round + 0.5) / options.rounds) * RULE_INTERVAL_SECONDS * 1000
      const measured = await Promise.race([measureRound(testbed, phase), testbed.unexpectedExit, interrupted])
      rounds.push(measured)
      process.stdout.write(`round ${round + 1}: ${measured.whole.toFixed(1)} s (${formatPhases(measured)})\n`)
    }
  } finally {
    await testbed.stop()
  }
  if (options.json) await writeFile(options.json, `${JSON.stringify(rounds, null, 2)}\n`)
  process.stdout.write(`\n${roundsTable(rounds)}\n`)
  const missed = rounds.flatMap((round, index) =>
    missedGoals(round, options).map((goal) => `round ${index + 1}: ${goal}`),
  )
  for (const line of missed) process.stdout.write(`${line}\n`)
  const whole = rounds.map((round) => round.whole)
  const agent = Math.max(...rounds.map((round) => round.agent))
  process.stdout.write(
    `median ${median(whole).toFixed(1)} s, worst ${Math.max(...whole).toFixed(1)} s, agent ${agent.toFixed(2)} s\n`,
  )
  return missed.length === 0 ? 0 : 1
}

function formatPhases({ parts }: MttrRound): string {
  return MTTR_PHASES.flatMap((phase) => (parts[phase] === null ? [] : [`${phase} ${parts[phase].toFixed(1)}`])).join(
    ', ',
  )
}

function roundsTable(rounds: readonly MttrRound[]): string {
  const row = (name: string, values: readonly number[]): string[] => [
    name,
    ...[median(values), Math.max(...values)].map((seconds) => `${seconds.toFixed(2)} s`),
  ]
  const parts = MTTR_PHASES.flatMap((part) => {
    const values = rounds.flatMap((round) => round.parts[part] ?? [])
    return values.length === 0 ? [] : [row(part, values)]
  })
  return markdownTable(
    ['part', 'median', 'worst'],
    [
      ...parts,
      row(
        'total',
        rounds.map((round) => round.whole),
      ),
    ],
  )
}

/** The goals that a round missed. The signal may take as long as the window of its rate. */
function missedGoals({ parts, whole, agent }: MttrRound, { path }: MttrOptions): string[] {
  const agentLimit = path === 'alert' ? AGENT_ALERT_LIMIT_SECONDS : AGENT_GUARD_LIMIT_SECONDS
  const waits = path === 'alert' ? SCRAPE_INTERVAL_SECONDS + RULE_INTERVAL_SECONDS : AGENT_GUARD_LIMIT_SECONDS
  const bound = (parts.signal ?? 0) + waits + (parts.propagation ?? 0) + SLACK_SECONDS
  return [
    ...(agent > agentLimit ? [`the agent took ${agent.toFixed(2)} s (limit ${agentLimit} s)`] : []),
    ...(whole > bound ? [`the total was ${whole.toFixed(1)} s (limit ${bound.toFixed(1)} s)`] : []),
  ]
}

await runProgram(parseOptions(process.argv.slice(2)), { help: HELP, failure: 'The measurement failed: ', main })
