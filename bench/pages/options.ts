import { parseArgs } from 'node:util'
import type { ParsedOptions } from '../../demo/start/runProgram.ts'

export interface PagesOptions {
  readonly viewers: number
  /** How long each measurement of the agent's CPU takes. */
  readonly seconds: number
  readonly clicks: number
  readonly json: string | null
}

export const HELP = `Usage: npm run pages -- [options]

Measures the pages of the app in the installed Grafana, with a real agent: the size of the app's entry, the time from a click
until the overview of a rollout is usable, the requests of each page, also while it is hidden, and the agent's CPU time while
many people watch a rollout. It needs Grafana, Prometheus, and Chromium.

Options:
  --viewers N    people who watch the rollout at the same time (default 50)
  --seconds N    length of each measurement of the CPU time (default 60)
  --clicks N     number of measured clicks (default 7)
  --json FILE    write the figures to a file
  -h, --help     show this help`

/** Parses the command line. An error is returned as one sentence. */
export function parseOptions(args: string[]): ParsedOptions<PagesOptions> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        viewers: { type: 'string', default: '50' },
        seconds: { type: 'string', default: '60' },
        clicks: { type: 'string', default: '7' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return 'help'
    const [viewers, seconds, clicks] = [Number(values.viewers), Number(values.seconds), Number(values.clicks)]
    if (!Number.isInteger(viewers) || viewers < 1 || viewers > 1000)
      return { error: '--viewers must be a number from 1 to 1000.' }
    if (!Number.isInteger(seconds) || seconds < 10) return { error: '--seconds must be a number of at least 10.' }
    if (!Number.isInteger(clicks) || clicks < 1) return { error: '--clicks must be a number of at least 1.' }
    return { viewers, seconds, clicks, json: values.json ?? null }
  } catch (error) {
    return { error: `${(error as Error).message.split('. ')[0]}.` }
  }
}
