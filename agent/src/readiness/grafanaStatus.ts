import { DASHBOARD_UID, DASHBOARD_PANELS } from '../provisioning/dashboardPanels.ts'
import { boundedGet } from '../signals/boundedGet.ts'
import type { Reading } from '../signals/reading.ts'

const REQUEST_BOUNDS = { milliseconds: 2_000, bytes: 2_000_000 }

export interface GrafanaStatus {
  readonly version: string
  /** Of the eight panels those that the dashboard lacks; unknown: it may not be read. */
  readonly missing: Reading<readonly string[]>
}

/** Whether Grafana answers, and what its dashboard has. */
export async function fetchGrafanaStatus(url: string, token: string | null, now: number): Promise<GrafanaStatus> {
  const { status, text } = await boundedGet(`${url}/api/health`, REQUEST_BOUNDS)
  const health = parseJsonOrNull(text) as { database?: string; version?: string } | null
  if (status !== 200 || health?.database !== 'ok')
    throw new Error(`Grafana at ${url} answers ${status} and is not healthy`)
  return { version: health.version ?? 'of unknown version', missing: await fetchMissingPanels(url, token, now) }
}

async function fetchMissingPanels(url: string, token: string | null, at: number): Promise<Reading<readonly string[]>> {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  const { status, text } = await boundedGet(`${url}/api/dashboards/uid/${DASHBOARD_UID}`, {
    ...REQUEST_BOUNDS,
    headers,
  })
  if (status === 401 || status === 403) {
    return {
      unknown:
        token === null
          ? 'Grafana shows no dashboard without a login: set STI_GRAFANA_TOKEN_FILE to the token of a service account that is a Viewer'
          : 'Grafana refuses STI_GRAFANA_TOKEN: make a new token of a service account that is a Viewer',
    }
  }
  if (status === 404) return { value: DASHBOARD_PANELS, at }
  const response = parseJsonOrNull(text) as { dashboard?: { panels?: { title?: string }[] } } | null
  const panels = response?.dashboard?.panels
  if (status !== 200 || panels === undefined)
    return { unknown: `Grafana answers ${status} when asked for the dashboard` }
  return { value: DASHBOARD_PANELS.filter((title) => !panels.some((panel) => panel.title === title)), at }
}

function parseJsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
