import { type DataSourceInstanceSettings } from '@grafana/data'
import { getDataSourceSrv } from '@grafana/runtime'
import type { AgentDataSource } from '../agent/agentDataSources'

/** Every Prometheus that Grafana knows; its list of a type also holds what is built in. */
export function listPrometheusDataSources(): DataSourceInstanceSettings[] {
  return getDataSourceSrv()
    .getList({ type: 'prometheus' })
    .filter(({ meta }) => !meta.builtIn)
}

/** The Prometheus with this agent's series: as its data source says, else the first one; undefined: there is none. */
export function prometheusUidFor(agent: AgentDataSource): string | undefined {
  const own = getDataSourceSrv().getInstanceSettings(agent.uid)?.jsonData as { prometheusUid?: string } | undefined
  return own?.prometheusUid || listPrometheusDataSources()[0]?.uid
}
