import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { MethodResult } from './measureMethod.ts'
import { readResults } from './comparison.ts'
import type { Method } from './method.ts'
import { METHODS } from './methods/allMethods.ts'

export interface BenchOptions {
  readonly rows: number
  readonly runs: number
  readonly methods: readonly Method[]
  readonly json: string | null
  readonly svg: string | null
  readonly compare: readonly MethodResult[] | null
  /** Measures the cost of a validation instead of the methods. */
  readonly validation: boolean
  /** Measures what counting conflicts costs instead of the methods. */
  readonly conflicts: boolean
  /** Measures a table in shards of a Citus cluster instead; null: measures the methods. */
  readonly citus: { readonly url: string; readonly shards: number; readonly workers: number } | null
  /** Measures this number of schemas with one file instead; null: measures the methods. */
  readonly tenants: number | null
  /** Measures updates next to a held row instead; null: measures the methods. */
  readonly heldRow: { readonly seconds: number; readonly perSecond: number } | null
  /** Measures the latency of other clients instead; null: measures the methods. */
  readonly foreground: {
    readonly workers: number
    readonly niceRatio: number
    /** Maximum batch duration; null: the engine's default. */
    readonly batchSeconds: number | null
    readonly perSecond: number
  } | null
}

/** An invalid option. The message says what to do. */
export class UsageError extends Error {
  readonly code = 'usage'
}

export const HELP = `npm run bench -- [options]

  --rows N          rows in the table (2000000)
  --methods A,B     methods to run: ${METHODS.map((method) => method.name).join(', ')} (all)
  --runs N          runs of each method, interleaved; medians are shown (1; with --foreground 5)
  --json FILE       writes the results
  --svg FILE        writes a chart
  --compare FILE    compares with an earlier --json: time per row, agent memory
  --foreground      measures the latency of other clients instead: without a backfill, with the engine, with one UPDATE,
                    with ranges of 50,000 rows
    --workers N     workers of the engine (1)
    --nice-ratio N  seconds of rest per second of work (0)
    --batch-seconds N  maximum duration of an engine batch (0.1)
    --rate N        requests per second, in total for 4 clients (400)
  --held-row        measures the updates of 8 clients next to a row that another session holds, and without it (--runs 1)
    --seconds N     how long it is held (60)
    --rate N        updates per second, in total (400)
  --validation      measures the cost of a validation instead, as a multiple of count(*) (--runs 5)
  --conflicts       measures what it costs the dual-write trigger to count conflicts before finalize (--runs 5)
  --citus           measures a table in shards instead: one UPDATE through the coordinator that STI_TEST_CITUS_URL names,
                    and the engine (--runs 3)
    --shards N      shards of the table (16)
    --workers N     workers of the engine (1)
  --tenants N       measures every step in N schemas of --rows rows (1000), with one rollout file
  --help
`

/** What is measured instead of the methods. */
const KINDS = ['foreground', 'held-row', 'validation', 'conflicts', 'citus', 'tenants'] as const

/** @throws UsageError */
export async function parseOptions(args: string[]): Promise<BenchOptions | 'help'> {
  const values = parseArguments(args)
  if (values.help) return 'help'
  const foreground = values.foreground === true
  const heldRow = values['held-row'] === true
  if (!foreground && !values.citus && values.workers !== undefined)
    throw new UsageError('--workers requires --foreground or --citus')
  if (!values.citus && values.shards !== undefined) throw new UsageError('--shards requires --citus')
  for (const name of ['nice-ratio', 'batch-seconds'] as const) {
    if (!foreground && values[name] !== undefined) throw new UsageError(`--${name} requires --foreground`)
  }
  if (!foreground && !heldRow && values.rate !== undefined)
    throw new UsageError('--rate requires --foreground or --held-row')
  if (!heldRow && values.seconds !== undefined) throw new UsageError('--seconds requires --held-row')
  const chosen = KINDS.filter((kind) => values[kind] !== undefined)
  if (chosen.length > 1) throw new UsageError(`--${chosen[0]} cannot be used with --${chosen[1]}`)
  for (const kind of chosen) {
    for (const name of ['methods', 'compare', ...(kind === 'foreground' ? [] : (['svg'] as const))] as const)
      if (values[name] !== undefined) throw new UsageError(`--${name} cannot be used with --${kind}`)
  }
  for (const name of ['json', 'svg'] as const) await requireWritableFolder(name, values[name])
  return {
    rows: parsePositiveInteger('rows', values.rows, values.tenants === undefined ? 2_000_000 : 1_000),
    runs: parsePositiveInteger(
      'runs',
      values.runs,
      foreground || values.validation || values.conflicts ? 5 : values.citus ? 3 : 1,
    ),
    methods: values.methods === undefined ? METHODS : [...new Set(values.methods.split(','))].map(findMethod),
    validation: values.validation === true,
    conflicts: values.conflicts === true,
    citus: values.citus
      ? {
          url: requireCoordinator(),
          shards: parsePositiveInteger('shards', values.shards, 16),
          workers: parsePositiveInteger('workers', values.workers, 1),
        }
      : null,
    tenants: values.tenants === undefined ? null : parsePositiveInteger('tenants', values.tenants, 1_000),
    heldRow: heldRow
      ? {
          seconds: parsePositiveInteger('seconds', values.seconds, 60),
          perSecond: parsePositiveInteger('rate', values.rate, 400),
        }
      : null,
    json: values.json ?? null,
    svg: values.svg ?? null,
    compare: values.compare === undefined ? null : await readEarlierResults(values.compare),
    foreground: foreground
      ? {
          workers: parsePositiveInteger('workers', values.workers, 1),
          niceRatio: parseNonNegativeNumber('nice-ratio', values['nice-ratio'], 0),
          batchSeconds:
            values['batch-seconds'] === undefined
              ? null
              : parseNonNegativeNumber('batch-seconds', values['batch-seconds'], 0.1),
          perSecond: parsePositiveInteger('rate', values.rate, 400),
        }
      : null,
  }
}

function parseArguments(args: string[]) {
  const text = { type: 'string' } as const
  const options = {
    rows: text,
    methods: text,
    runs: text,
    json: text,
    svg: text,
    compare: text,
    workers: text,
    'nice-ratio': text,
    'batch-seconds': text,
    rate: text,
    seconds: text,
    'held-row': { type: 'boolean' },
    foreground: { type: 'boolean' },
    validation: { type: 'boolean' },
    conflicts: { type: 'boolean' },
    citus: { type: 'boolean' },
    shards: text,
    tenants: text,
    help: { type: 'boolean' },
  } as const
  try {
    return parseArgs({ args, options, allowPositionals: false }).values
  } catch (error) {
    // The first sentence of parseArgs names the fault; the rest is general advice.
    const [wrong] = (error as Error).message.split('. ')
    throw new UsageError(`${wrong}: see npm run bench -- --help`)
  }
}

function requireCoordinator(): string {
  const url = process.env['STI_TEST_CITUS_URL']
  if (url === undefined)
    throw new UsageError('--citus requires STI_TEST_CITUS_URL: the URL of a coordinator with at least one worker')
  return url
}

function findMethod(name: string): Method {
  const method = METHODS.find((candidate) => candidate.name === name)
  if (method === undefined) {
    throw new UsageError(`Unknown method '${name}'. Use ${METHODS.map((method) => method.name).join(', ')}`)
  }
  return method
}

function parsePositiveInteger(name: string, given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : given.trim() === '' ? NaN : Number(given)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`--${name} must be a whole number above 0, such as ${otherwise}`)
  }
  return value
}

function parseNonNegativeNumber(name: string, given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : given.trim() === '' ? NaN : Number(given)
  if (!(value >= 0 && value < Infinity)) throw new UsageError(`--${name} must be a number of 0 or more, such as 2`)
  return value
}

/** Checked before a long run instead of after it. */
async function requireWritableFolder(name: string, path: string | undefined): Promise<void> {
  if (path === undefined) return
  await access(dirname(path), constants.W_OK).catch(() => {
    throw new UsageError(
      `--${name} ${path}: the folder does not exist or is not writable. Create it or use another one`,
    )
  })
}

async function readEarlierResults(path: string): Promise<MethodResult[]> {
  return await readResults(path).catch((error: Error) => {
    throw new UsageError(`--compare ${path} cannot be read (${error.message}). Use a file that --json wrote`)
  })
}
