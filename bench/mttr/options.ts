import { parseArgs } from 'node:util'
import type { ParsedOptions } from '../../demo/start/runProgram.ts'

export interface MttrOptions {
  readonly rounds: number
  /** The measured path. The configuration of the agent disables the other one. */
  readonly path: 'alert' | 'guard'
  readonly rows: number
  /** The percentage of users with the flag on; below 100, the control group decides. */
  readonly percentage: number
  readonly json: string | null
}

export const HELP = `Usage: npm run mttr -- [options]

Measures the time from a fault to the flag off at the last client.

Options:
  --rounds N           number of rounds (default 10)
  --path alert|guard   alert: through Prometheus and Grafana, without the agent's guard; guard: through the guard alone
                       (default alert)
  --percentage N       percentage of users with the flag on (default 100); below 100, their requests are compared with those
                       of the other users
  --rows N             number of vehicles in the table (default 20000)
  --json FILE          write the figures of every round to a file
  -h, --help           show this help`

/** Parses the command line. An error is returned as one sentence. */
export function parseOptions(args: string[]): ParsedOptions<MttrOptions> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '10' },
        path: { type: 'string', default: 'alert' },
        rows: { type: 'string', default: '20000' },
        percentage: { type: 'string', default: '100' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return 'help'
    const { path } = values
    if (path !== 'alert' && path !== 'guard') return { error: '--path must be alert or guard.' }
    const [rounds, rows, percentage] = [Number(values.rounds), Number(values.rows), Number(values.percentage)]
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
      return { error: '--rounds must be a number from 1 to 1000.' }
    if (!Number.isInteger(rows) || rows < 1000) return { error: '--rows must be a number of at least 1000.' }
    if (!(percentage > 0 && percentage <= 100)) return { error: '--percentage must be a number from 1 to 100.' }
    return { rounds, path, rows, percentage, json: values.json ?? null }
  } catch (error) {
    return { error: `${(error as Error).message.split('. ')[0]}.` }
  }
}
