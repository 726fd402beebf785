import { parseArgs } from 'node:util'

export interface MttrOptions {
  readonly rounds: number
  /** Which way is measured; the other one is kept out of it by the agent's configuration. */
  readonly path: 'alert' | 'guard'
  readonly rows: number
  readonly json: string | null
}

export const HELP = `npm run mttr                       from a fault to the flag off at the last client, through Prometheus and Grafana
        -- --rounds N             how often it is measured (10)
           --path alert|guard     by alerts with the agent's own guard switched off (alert), or by the guard alone
           --rows N               vehicles in the table (20000)
           --json FILE            every round's figures`

/** Reads the command line; a fault comes as one sentence. */
export function parseOptions(args: string[]): MttrOptions | { readonly fault: string } | 'help' {
  try {
    const { values } = parseArgs({
      args,
      options: {
        rounds: { type: 'string', default: '10' },
        path: { type: 'string', default: 'alert' },
        rows: { type: 'string', default: '20000' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) return 'help'
    const { path } = values
    if (path !== 'alert' && path !== 'guard') return { fault: '--path is alert or guard.' }
    const [rounds, rows] = [Number(values.rounds), Number(values.rows)]
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1000)
      return { fault: '--rounds is a number from 1 to 1000.' }
    if (!Number.isInteger(rows) || rows < 1000) return { fault: '--rows is a number from 1000 on.' }
    return { rounds, path, rows, json: values.json ?? null }
  } catch (error) {
    return { fault: `${(error as Error).message.split('. ')[0]}.` }
  }
}
