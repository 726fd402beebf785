import type { DependencyHealth } from './contract/index.ts'
import type { Database } from './database/connect.ts'
import { errorMessage } from './database/errors.ts'
import type { Authentication } from './http/authentication.ts'

const CHECK_TIMEOUT_MS = 2_000

/** The health of what this agent depends on, each asked now and for two seconds at most. */
export async function checkDependencies(deps: {
  readonly database: Database
  readonly authentication: Authentication
  readonly prometheusUrl: string | null
}): Promise<DependencyHealth[]> {
  const [postgresql, prometheus, signingKeys] = await Promise.all([
    checkDatabase(deps.database),
    deps.prometheusUrl === null ? null : checkPrometheus(deps.prometheusUrl),
    deps.authentication.signingKeysHealth(),
  ])
  return [
    postgresql,
    ...(prometheus === null ? [] : [prometheus]),
    ...(signingKeys === null
      ? []
      : [{ name: 'grafana-keys' as const, healthy: signingKeys.healthy, detail: signingKeys.detail }]),
  ]
}

/** Bounded by a timer alone: the driver's own cancel can end the process when the server is away. */
async function checkDatabase(database: Database): Promise<DependencyHealth> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in 2 s')), CHECK_TIMEOUT_MS)
  })
  try {
    const [server] = await Promise.race([readServerVersion(database), timeout])
    return { name: 'postgresql', healthy: true, detail: `PostgreSQL ${server!.version}` }
  } catch (error) {
    return {
      name: 'postgresql',
      healthy: false,
      detail: `The agent does not reach PostgreSQL: ${errorMessage(error)}.`,
    }
  } finally {
    clearTimeout(timer)
  }
}

async function readServerVersion(database: Database): Promise<{ version: string }[]> {
  return await database.state<{ version: string }[]>`select current_setting('server_version') as version`
}

async function checkPrometheus(url: string): Promise<DependencyHealth> {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/-/ready`, {
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      redirect: 'error',
    })
    await response.body?.cancel()
    if (response.ok) return { name: 'prometheus', healthy: true, detail: 'ready' }
    return { name: 'prometheus', healthy: false, detail: `Prometheus answers ${response.status}.` }
  } catch (error) {
    return {
      name: 'prometheus',
      healthy: false,
      detail: `The agent does not reach Prometheus: ${errorMessage(error)}.`,
    }
  }
}
