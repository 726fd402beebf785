import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Method } from '../method.ts'
import { DERIVED_TYPE_SQL } from '../benchTable.ts'

/** The pgroll program on the PATH: `start` adds and fills the column, `complete` renames it. */
export const pgroll: Method = {
  name: 'pgroll',
  workers: 1,
  shares: 50,
  leaves: 'types',
  // After `init`, pgroll records objects that other programs create; it refuses tables that were created before.
  before: (url) => runPgroll(url, 'init'),
  async run(url, timed) {
    const folder = await mkdtemp(join(tmpdir(), 'sti-bench-'))
    try {
      const file = join(folder, 'vehicles_type.json')
      const column = { name: 'type', type: 'text', nullable: true }
      const operations = [{ add_column: { table: 'vehicles', up: DERIVED_TYPE_SQL, column } }]
      await writeFile(file, JSON.stringify({ operations }))
      await timed(() => runPgroll(url, 'start', file))
      await runPgroll(url, 'complete')
      return {}
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function runPgroll(url: string, ...args: string[]): Promise<void> {
  await promisify(execFile)('pgroll', ['--postgres-url', `${url}?sslmode=disable`, ...args], {
    maxBuffer: 64 * 1024 * 1024,
  })
}
