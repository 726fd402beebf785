import { readFile, writeFile } from 'node:fs/promises'
import { generatedFiles as dashboards } from '../plugin/dashboard/generatedFiles.ts'
import { generatedSchemaFiles as rolloutSchema } from '../agent/src/rollout/jsonSchema.ts'
import { agentEnvironmentFile } from '../agent/src/configVariables.ts'
import { generatedFiles as alerting } from './alerts/generatedFiles.ts'
import { generatedFiles as faults } from './faults/generatedFiles.ts'

/** Checks every generated file and fails if one is stale. With --write, writes the stale ones. */
const root = new URL('../', import.meta.url)
const stale: string[] = []
const files = [
  { path: 'deploy/agent.env', text: agentEnvironmentFile() },
  ...rolloutSchema(),
  ...dashboards(),
  ...(await faults()),
  ...(await alerting()),
]
for (const { path, text } of files) {
  const current = await readFile(new URL(path, root), 'utf8').catch(() => null)
  if (current === text) continue
  stale.push(path)
  if (process.argv.includes('--write')) await writeFile(new URL(path, root), text)
}
if (process.argv.includes('--write')) {
  process.stdout.write(stale.length === 0 ? 'all generated files are up to date\n' : `written: ${stale.join(', ')}\n`)
} else if (stale.length > 0) {
  process.stderr.write(`Generated files are stale: ${stale.join(', ')}. Run npm run generate.\n`)
  process.exit(1)
}
