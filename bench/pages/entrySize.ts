import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'

const DIST = resolve(import.meta.dirname, '../../plugin/dist')

/** The compressed size of the file that Grafana loads for the app on every page, in bytes. */
export async function measureEntrySize(): Promise<number> {
  return gzipSync(await readFile(join(DIST, 'module.js'))).length
}
