import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'

/**
 * Packs the built plugin as Grafana's catalog and `grafana cli` expect it: one folder named like the plugin. An argument
 * is the folder of the zip file, the workspace by default.
 */
const dist = join(import.meta.dirname, 'dist')
const { id, info } = JSON.parse(readFileSync(join(dist, 'plugin.json'), 'utf8'))
const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .toSorted()
// A fixed time, so that the same build has the same checksum.
const mtime = new Date('2020-01-01T00:00:00Z')
const entries = files.map((file) => [`${id}/${file.slice(dist.length + 1)}`, [readFileSync(file), { mtime }]])
const zip = zipSync(Object.fromEntries(entries), { level: 9 })
const path = join(process.argv[2] ?? import.meta.dirname, `${id}-${info.version}.zip`)
writeFileSync(path, zip)
process.stdout.write(`${path}\nsha1 ${createHash('sha1').update(zip).digest('hex')}\n`)
