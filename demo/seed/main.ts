import postgres from 'postgres'
import { createDatabase, createRoles } from './createDatabase.ts'
import { readEnv } from '../env.ts'

/** Creates roles and databases with vehicles on the PostgreSQL server of docker compose. Skips existing databases. */
const server = readEnv('POSTGRES_HOST', 'postgres')
const url = (name: string): string => `postgres://postgres:${readEnv('POSTGRES_PASSWORD')}@${server}:5432/${name}`
const sql = postgres(url('postgres'), { max: 1, onnotice: () => undefined })
await createRoles(sql, { agent: readEnv('AGENT_PASSWORD'), application: readEnv('APPLICATION_PASSWORD') })
for (const wanted of readEnv('DATABASES', 'staging:1000000 production:50000').split(' ')) {
  const [name = '', rows = ''] = wanted.split(':')
  if (!/^[a-z]+$/.test(name) || !/^\d+$/.test(rows))
    throw new Error(`DATABASES contains ${wanted}. Use name:rows, such as staging:1000000.`)
  const [existing] = await sql`select from pg_database where datname = ${name}`
  if (existing) continue
  await createDatabase(url(name), Number(rows))
  process.stdout.write(`${name}: ${rows} vehicles\n`)
}
await sql.end()
