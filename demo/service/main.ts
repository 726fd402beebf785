import { serve } from '@hono/node-server'
import { hostname } from 'node:os'
import postgres from 'postgres'
import { buildApp } from './app.ts'
import { readEnv } from '../env.ts'
import { connectFlag } from './flag.ts'
import { vehicleStore } from './vehicleStore.ts'

const port = Number(readEnv('PORT', '8080'))
const sql = postgres(readEnv('DATABASE_URL'), { max: 10, onnotice: () => undefined })
const flagToken = readEnv('FLAG_TOKEN')
const app = buildApp({
  vehicles: vehicleStore(sql),
  flag: await connectFlag({
    url: readEnv('FLAG_URL'),
    token: flagToken,
    key: readEnv('FLAG_KEY', 'vehicles-sti'),
    client: `${hostname()}-${port}`,
  }),
  flagToken,
})

const server = serve({ fetch: app.fetch, port, hostname: readEnv('HOST', '127.0.0.1') }, () => process.send?.('ready'))
server.on('error', (error: Error) => {
  process.stderr.write(`The service cannot listen on port ${port}: ${error.message}. Set PORT to a free port.\n`)
  process.exit(1)
})

/** Finishes requests in progress, accepts no new ones, and exits. */
function stop(): void {
  server.close(() => void sql.end({ timeout: 2 }).finally(() => process.exit(0)))
  if ('closeIdleConnections' in server) server.closeIdleConnections()
  setTimeout(() => process.exit(1), 5_000).unref()
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
