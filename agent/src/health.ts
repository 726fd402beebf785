import type { DependencyHealth } from './contract/index.ts'
import type { Database } from './database/connect.ts'
import { errorMessage } from './database/errors.ts'
import { joinUrl } from './format/url.ts'
import type { Authentication } from './http/authentication.ts'
import { boundedGet } from './boundedGet.ts'
import type { Rollout } from './rollout/rollout.ts'
import { checkVariants } from './signals/checkVariants.ts'

const CHECK_TIMEOUT_MS = 2_000

/** Checks every dependency of the agent now, for at most CHECK_TIMEOUT_MS each. */
export async function checkDependencies(deps: {
  readonly database: Database
  readonly authentication: Authentication
  readonly prometheusUrl: string | null
  readonly rollouts: readonly Pick<Rollout, 'name' | 'file'>[]
}): Promise<DependencyHealth[]> {
  const [postgresql, prometheus, signingKeys, ...applications] = await Promise.all([
    checkDatabase(deps.database),
    deps.prometheusUrl === null ? null : checkPrometheus(deps.prometheusUrl),
    deps.authentication.signingKeysHealth(),
    ...deps.rollouts.map(checkApplication),
  ])
  return [
    postgresql,
    ...(prometheus === null ? [] : [prometheus]),
    ...(signingKeys === null
      ? []
      : [{ name: 'grafana-keys' as const, healthy: signingKeys.healthy, detail: signingKeys.detail }]),
    ...applications.filter((application) => application !== null),
  ]
}

/** Bounded by a timer only: a cancel of the driver can end the process if the server is unavailable. */
async function checkDatabase(database: Database): Promise<DependencyHealth> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${CHECK_TIMEOUT_MS / 1000} s`)), CHECK_TIMEOUT_MS)
  })
  try {
    const [server] = await Promise.race([readServerVersion(database), timeout])
    return { name: 'postgresql', healthy: true, detail: `PostgreSQL ${server!.version}` }
  } catch (error) {
    return {
      name: 'postgresql',
      healthy: false,
      detail: `The agent cannot reach PostgreSQL: ${errorMessage(error)}.`,
    }
  } finally {
    clearTimeout(timer)
  }
}

/** If the histogram of the application can be read, and which variants of the flag it has. Null: the file has none. */
async function checkApplication({ name, file }: Pick<Rollout, 'name' | 'file'>): Promise<DependencyHealth | null> {
  if (file.api?.histogram === undefined) return null
  const { found, sentence } = await checkVariants(file.api.histogram)
  return { name: 'api', healthy: found, detail: `${name}: ${sentence}` }
}

async function readServerVersion(database: Database): Promise<{ version: string }[]> {
  return await database.state<{ version: string }[]>`select current_setting('server_version') as version`
}

async function checkPrometheus(url: string): Promise<DependencyHealth> {
  try {
    const { status } = await boundedGet(joinUrl(url, '/-/ready'), { milliseconds: CHECK_TIMEOUT_MS, bytes: 10_000 })
    if (status === 200) return { name: 'prometheus', healthy: true, detail: 'ready' }
    return { name: 'prometheus', healthy: false, detail: `Prometheus responds with status ${status}.` }
  } catch (error) {
    return {
      name: 'prometheus',
      healthy: false,
      detail: `The agent cannot reach Prometheus: ${errorMessage(error)}.`,
    }
  }
}
