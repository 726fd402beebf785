import type { DependencyHealth } from './contract/index.ts'
import type { Database } from './database/connect.ts'
import { errorMessage } from './database/errors.ts'
import { joinUrl } from './format/url.ts'
import type { Authentication } from './http/authentication.ts'
import { boundedGet } from './boundedGet.ts'
import type { Rollout } from './rollout/rollout.ts'
import type { ApiReadings } from './signals/apiScraper.ts'
import { checkReadVariants } from './signals/checkVariants.ts'

const CHECK_TIMEOUT_MS = 2_000

/** Checks every dependency of the agent now, for at most CHECK_TIMEOUT_MS each. */
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

/**
 * If the requests of each application are read, and which variants of the flag they have. From memory, since the answer
 * also opens a rollback: it waits for no application. They say nothing about the agent, so `/readyz` leaves them out.
 */
export function checkApplications(
  rollouts: readonly Pick<Rollout, 'name' | 'file'>[],
  readApi: (rollout: string) => ApiReadings,
): DependencyHealth[] {
  return rollouts.flatMap(({ name, file: { api } }) => {
    const check = api === undefined ? null : checkReadVariants(api, readApi(name))
    return check === null ? [] : [{ name: 'api' as const, healthy: check.found, detail: `${name}: ${check.sentence}` }]
  })
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
