import type { Dependency } from './contract/index.ts'
import type { Database } from './database/connect.ts'
import { messageOf } from './engine/errors.ts'
import type { Authentication } from './http/authentication.ts'

const BOUND_MS = 2_000

/** The health of what this agent depends on, each asked now and for two seconds at most. */
export async function dependencies(parts: {
  readonly database: Database
  readonly authentication: Authentication
  readonly prometheusUrl: string | null
}): Promise<Dependency[]> {
  const [postgresql, prometheus, keys] = await Promise.all([
    askDatabase(parts.database),
    parts.prometheusUrl === null ? null : askPrometheus(parts.prometheusUrl),
    parts.authentication.keysHealth(),
  ])
  return [
    postgresql,
    ...(prometheus === null ? [] : [prometheus]),
    ...(keys === null ? [] : [{ name: 'grafana-keys' as const, healthy: keys.healthy, detail: keys.detail }]),
  ]
}

/** Bounded by a timer alone: the driver's own cancel can end the process when the server is away. */
async function askDatabase(database: Database): Promise<Dependency> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in 2 s')), BOUND_MS)
  })
  try {
    const [server] = await Promise.race([version(database), late])
    return { name: 'postgresql', healthy: true, detail: `PostgreSQL ${server!.version}` }
  } catch (error) {
    return { name: 'postgresql', healthy: false, detail: `The agent does not reach PostgreSQL: ${messageOf(error)}.` }
  } finally {
    clearTimeout(timer)
  }
}

async function version(database: Database): Promise<{ version: string }[]> {
  return await database.state<{ version: string }[]>`select current_setting('server_version') as version`
}

async function askPrometheus(url: string): Promise<Dependency> {
  try {
    const answer = await fetch(`${url.replace(/\/$/, '')}/-/ready`, {
      signal: AbortSignal.timeout(BOUND_MS),
      redirect: 'error',
    })
    await answer.body?.cancel()
    if (answer.ok) return { name: 'prometheus', healthy: true, detail: 'ready' }
    return { name: 'prometheus', healthy: false, detail: `Prometheus answers ${answer.status}.` }
  } catch (error) {
    return { name: 'prometheus', healthy: false, detail: `The agent does not reach Prometheus: ${messageOf(error)}.` }
  }
}
