import { parseArgs } from 'node:util'
import type { ParsedOptions } from './runProgram.ts'
import { ValidationLayer } from '@sti-rollout/agent/contract'

const LAYERS = ValidationLayer.options

export interface DemoOptions {
  /** Exit after the rollout and its rollback. */
  readonly exit: boolean
  /** Leave the rollout to the user. */
  readonly idle: boolean
  /** Start neither Prometheus nor Grafana. */
  readonly bare: boolean
  /** Vehicles in staging. */
  readonly rows: number
  /** Layers that must pass before the flag can be turned on; null: those of the rollout file. */
  readonly requires: readonly string[] | null
  /** Holds sti.yaml, the logs and the record of the run. */
  readonly folder: string
}

export const HELP = `Usage: npm start -- [options]

Rolls out the vehicles table in staging under traffic and keeps everything running.

Options:
  --exit         roll out, roll back and exit; the exit code is 0 only if every check passed
  --idle         start databases, agents, services and traffic, and leave the rollout to you
  --rows N       number of vehicles in staging, 1000 to 20000000 (default 1000000)
  --requires A,B layers that must pass before the flag can be turned on: integrity, performance, system, business
                 (default all; on a busy machine, integrity,business)
  --bare         start neither Prometheus nor Grafana
  --folder DIR   folder for sti.yaml and the logs (default .demo)
  -h, --help     show this help`

/** Parses the command line. An error is returned as one sentence. */
export function parseOptions(args: string[]): ParsedOptions<DemoOptions> {
  try {
    const { values } = parseArgs({
      args,
      options: {
        exit: { type: 'boolean', default: false },
        idle: { type: 'boolean', default: false },
        bare: { type: 'boolean', default: false },
        rows: { type: 'string', default: '1000000' },
        requires: { type: 'string' },
        folder: { type: 'string', default: '.demo' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return 'help'
    const rows = /^[\d_]+$/.test(values.rows) ? Number(values.rows.replaceAll('_', '')) : NaN
    if (!(rows >= 1000 && rows <= 20_000_000)) return { error: '--rows must be a number from 1000 to 20000000.' }
    if (values.exit && values.idle) return { error: '--exit and --idle cannot be combined. Use one of them.' }
    const requires = values.requires?.split(',') ?? null
    const unknown = requires?.find((layer) => !LAYERS.some((known) => known === layer))
    if (unknown !== undefined) return { error: `--requires ${unknown}: use ${LAYERS.join(', ')}, separated by commas.` }
    return { exit: values.exit, idle: values.idle, bare: values.bare, rows, requires, folder: values.folder }
  } catch (error) {
    return { error: (error as Error).message.split('. ')[0] + '.' }
  }
}
