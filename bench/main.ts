import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import postgres from 'postgres'
import { startPostgres } from '../test/support/server.ts'
import { METHODS, type Method } from './methods.ts'
import { makeTable, sizes, walBetween } from './table.ts'

/** What `--json` writes, one entry for each method. */
interface Measured {
  readonly method: string
  readonly workers: number
  readonly rows: number
  readonly rowsPerSecond: number
  readonly walBytesPerRow: number
  readonly heapGrowthBytes: number
  readonly indexGrowthBytes: number
  readonly hotRatio: number
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '2000000' },
    methods: { type: 'string', default: 'single-update,range-1000,range-50000,engine' },
    json: { type: 'string' },
  },
})
const rows = Number(values.rows)
const wanted = values.methods.split(',').map((name) => METHODS.find((method) => method.name === name) ?? fail(name))
if (!Number.isInteger(rows) || rows < 1) usage('--rows takes a whole number above 0')

const measured: Measured[] = []
for (const method of wanted) {
  measured.push(await measure(method))
  process.stdout.write(`${line(measured.at(-1)!, measured[0]!)}\n`)
}
if (values.json) await writeFile(values.json, `${JSON.stringify(measured, null, 2)}\n`)

/** Each method gets a server of its own, so that none inherits the caches and the WAL of another. */
async function measure(method: Method): Promise<Measured> {
  const server = await startPostgres([
    ...[
      '-c',
      'shared_buffers=1GB',
      '-c',
      'max_wal_size=16GB',
      '-c',
      'checkpoint_timeout=30min',
      '-c',
      'wal_compression=off',
    ],
  ])
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await makeTable(sql, rows)
    const before = await sizes(sql)
    let seconds = 0
    await method.run(server.url, async (work) => {
      const started = performance.now()
      const result = await work()
      seconds = (performance.now() - started) / 1000
      return result
    })
    const after = await sizes(sql)
    const [left] = await sql<{ rows: number }[]>`
      select count(*)::int as rows from public.vehicles
      where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
    if (left!.rows !== 0) throw new Error(`${method.name} left ${left!.rows} rows without a right type`)
    return {
      method: method.name,
      workers: method.workers,
      rows,
      rowsPerSecond: Math.round(rows / seconds),
      walBytesPerRow: Math.round((await walBetween(sql, before.wal, after.wal)) / rows),
      heapGrowthBytes: after.heapBytes - before.heapBytes,
      indexGrowthBytes: after.indexBytes - before.indexBytes,
      hotRatio: Number(
        ((after.hotUpdates - before.hotUpdates) / Math.max(1, after.updates - before.updates)).toFixed(3),
      ),
    }
  } finally {
    await sql.end()
    await server.stop()
  }
}

function line(one: Measured, first: Measured): string {
  const mb = (bytes: number): string => `${Math.round(bytes / 1048576)} MB`
  return [
    one.method.padEnd(16),
    `${one.rowsPerSecond} rows/s`.padStart(16),
    `x${(one.rowsPerSecond / first.rowsPerSecond).toFixed(2)}`.padStart(7),
    `${one.walBytesPerRow} WAL B/row`.padStart(16),
    `heap +${mb(one.heapGrowthBytes)}`.padStart(16),
    `indexes +${mb(one.indexGrowthBytes)}`.padStart(18),
    `HOT ${Math.round(one.hotRatio * 100)} %`.padStart(10),
  ].join('')
}

function fail(name: string): never {
  return usage(`there is no method ${name}; there are ${METHODS.map((method) => method.name).join(', ')}`)
}

function usage(sentence: string): never {
  process.stderr.write(`${sentence}\n`)
  process.exit(2)
}
