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

async function askDatabase(database: Database): Promise<Dependency> {
  const query = database.state<{ version: string; migration: number | null }[]>`
    select current_setting('server_version') as version,
      case when to_regclass('sti.migration') is null then null else (xpath('/row/n/text()',
        query_to_xml('select max(number) as n from sti.migration', false, true, '')))[1]::text::int end as migration`
  const timer = setTimeout(() => query.cancel(), BOUND_MS)
  try {
    const late = new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error('no answer in 2 s')), BOUND_MS + 100).unref(),
    )
    const [row] = await Promise.race([query, late])
    return {
      name: 'postgresql',
      healthy: true,
      detail: `PostgreSQL ${row!.version}, schema sti at migration ${row!.migration ?? 'none'}`,
    }
  } catch (error) {
    query.catch(() => undefined)
    return { name: 'postgresql', healthy: false, detail: `The agent does not reach PostgreSQL: ${messageOf(error)}.` }
  } finally {
    clearTimeout(timer)
  }
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
