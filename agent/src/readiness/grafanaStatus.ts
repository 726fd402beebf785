import { displayUrl, joinUrl } from '../format/url.ts'
import { DASHBOARD_UID, DASHBOARD_PANELS } from '../provisioning/dashboardPanels.ts'
import { boundedGet } from '../boundedGet.ts'
import { readGrafanaToken, type GrafanaToken } from './grafanaToken.ts'
import type { Reading } from '../signals/reading.ts'

const REQUEST_BOUNDS = { milliseconds: 2_000, bytes: 2_000_000 }

export interface GrafanaStatus {
  readonly version: string
  /** URL as people may see it. */
  readonly url: string
  /** The panels missing from the dashboard; unknown if the agent may not read it. */
  readonly missing: Reading<readonly string[]>
}

/**
 * Reads the health of Grafana and the panels of its dashboard.
 * @throws Error if Grafana is unreachable or unhealthy
 */
export async function fetchGrafanaStatus(url: string, token: GrafanaToken, now: number): Promise<GrafanaStatus> {
  const { status, text } = await boundedGet(joinUrl(url, '/api/health'), REQUEST_BOUNDS)
  const health = parseJsonOrNull(text) as { database?: string; version?: string } | null
  if (status !== 200 || health?.database !== 'ok')
    throw new Error(`Grafana at ${displayUrl(url)} is unhealthy (HTTP ${status})`)
  return {
    url: displayUrl(url),
    version: health.version ?? '(unknown version)',
    missing: await fetchMissingPanels(url, token, now),
  }
}

async function fetchMissingPanels(
  url: string,
  configured: GrafanaToken,
  at: number,
): Promise<Reading<readonly string[]>> {
  let token: string | null
  try {
    token = await readGrafanaToken(configured)
  } catch (error) {
    return { unknown: `the agent has no token to read the dashboard: ${(error as Error).message}` }
  }
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const { status, text } = await boundedGet(joinUrl(url, `/api/dashboards/uid/${DASHBOARD_UID}`), {
    ...REQUEST_BOUNDS,
    headers,
  })
  if (status === 401 || status === 403) {
    return {
      unknown:
        token === null
          ? 'the agent has no token to read the dashboard (STI_GRAFANA_TOKEN_FILE)'
          : 'Grafana rejects the agent’s token (STI_GRAFANA_TOKEN_FILE)',
    }
  }
  if (status === 404) return { value: DASHBOARD_PANELS, at }
  const response = parseJsonOrNull(text) as { dashboard?: { panels?: { title?: string }[] } } | null
  const panels = response?.dashboard?.panels
  if (status !== 200 || panels === undefined) return { unknown: `Grafana returned HTTP ${status} for the dashboard` }
  return { value: DASHBOARD_PANELS.filter((title) => !panels.some((panel) => panel.title === title)), at }
}

function parseJsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
