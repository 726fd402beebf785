import { type DataSourceInstanceSettings } from '@grafana/data'
import { getDataSourceSrv } from '@grafana/runtime'
import type { AgentDataSource } from '../agent/agentDataSources'

/** The Prometheus data sources, without Grafana's built-in data sources. */
export function listPrometheusDataSources(): DataSourceInstanceSettings[] {
  return getDataSourceSrv()
    .getList({ type: 'prometheus' })
    .filter(({ meta }) => !meta.builtIn)
}

/** The Prometheus data source of an agent: the configured one, or else the first; undefined if there is none. */
export function prometheusUidFor(agent: AgentDataSource): string | undefined {
  const own = getDataSourceSrv().getInstanceSettings(agent.uid)?.jsonData as { prometheusUid?: string } | undefined
  return own?.prometheusUid || listPrometheusDataSources()[0]?.uid
}
