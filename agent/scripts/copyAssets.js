import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { URL } from 'node:url'

// What the compiler does not copy: the schema, the alert rules of sti provisioning, and the files to deploy the agent with.
const agent = new URL('../', import.meta.url)
const rules = new URL('../alerts/', agent)

cpSync(new URL('src/database/migrations', agent), new URL('dist/database/migrations', agent), { recursive: true })
mkdirSync(new URL('dist/alerts', agent), { recursive: true })
for (const name of readdirSync(rules).filter((file) => file.endsWith('.rules.yml')))
  cpSync(new URL(name, rules), new URL(`dist/alerts/${name}`, agent))
for (const name of ['agent.env', 'sti-agent.service', 'kubernetes.yaml'])
  cpSync(new URL(`../deploy/${name}`, agent), new URL(`dist/deploy/${name}`, agent))
