import { readFile, writeFile } from 'node:fs/promises'
import { generatedFiles as dashboards } from '../plugin/dashboard/generatedFiles.ts'
import { generatedSchemaFiles as rolloutSchema } from '../agent/src/rollout/jsonSchema.ts'
import { generatedFiles as alerting } from './alerts/generatedFiles.ts'
import { generatedFiles as faults } from './faults/generatedFiles.ts'

/** Every file that is generated from code. With --write they are written; without, stale ones are named and it fails. */
const root = new URL('../', import.meta.url)
const stale: string[] = []
for (const { path, text } of [...rolloutSchema(), ...dashboards(), ...(await faults()), ...(await alerting())]) {
  const there = await readFile(new URL(path, root), 'utf8').catch(() => null)
  if (there === text) continue
  stale.push(path)
  if (process.argv.includes('--write')) await writeFile(new URL(path, root), text)
}
if (process.argv.includes('--write')) {
  process.stdout.write(stale.length === 0 ? 'every generated file was fresh\n' : `written: ${stale.join(', ')}\n`)
} else if (stale.length > 0) {
  process.stderr.write(`stale: ${stale.join(', ')}. Run npm run generate.\n`)
  process.exit(1)
}
