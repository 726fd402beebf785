import { parseArgs } from 'node:util'

export interface DemoOptions {
  /** End after the rollout and its rollback. */
  readonly exit: boolean
  /** Leave the rollout to the user. */
  readonly idle: boolean
  /** Without Prometheus and Grafana, installed or not. */
  readonly bare: boolean
  /** Vehicles in staging. */
  readonly rows: number
  /** Where sti.yaml, logs and what a later start must know are kept. */
  readonly folder: string
}

export const HELP = `npm start                 a rollout in staging on screen; stays up afterwards
npm start -- --exit       the same and everything back; ends with code 0 only if everything held
npm start -- --idle       databases, agents, services and traffic; the rollout is yours
          --rows N        vehicles in staging, 1000 to 20000000 (default 1000000)
          --bare          without Prometheus and Grafana, installed or not
          --folder DIR    where sti.yaml and the logs go (default .demo)`

/** Reads the command line; a fault comes as one sentence. */
export function parseOptions(args: string[]): DemoOptions | { fault: string } | 'help' {
  try {
    const { values } = parseArgs({
      args,
      options: {
        exit: { type: 'boolean', default: false },
        idle: { type: 'boolean', default: false },
        bare: { type: 'boolean', default: false },
        rows: { type: 'string', default: '1000000' },
        folder: { type: 'string', default: '.demo' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return 'help'
    const rows = /^[\d_]+$/.test(values.rows) ? Number(values.rows.replaceAll('_', '')) : NaN
    if (!(rows >= 1000 && rows <= 20_000_000)) return { fault: '--rows must be a number from 1000 to 20000000.' }
    if (values.exit && values.idle) return { fault: 'Say one of --exit and --idle.' }
    return { exit: values.exit, idle: values.idle, bare: values.bare, rows, folder: values.folder }
  } catch (error) {
    return { fault: (error as Error).message.split('. ')[0] + '.' }
  }
}
