import { getDataSourceSrv } from '@grafana/runtime'
import { DATASOURCE_ID } from '../routes'

/** An agent as Grafana knows it: one instance of the data source. */
export interface AgentDataSource {
  readonly uid: string
  readonly name: string
  /** The environment that its data source is configured for; the agent's own answer takes precedence. */
  readonly expected: string | null
}

/** The agents that this person can see in Grafana. */
export function listAgentDataSources(): AgentDataSource[] {
  return getDataSourceSrv()
    .getList({ pluginId: DATASOURCE_ID })
    .map(({ uid, name, jsonData }) => ({
      uid,
      name,
      expected: (jsonData as { environment?: string } | undefined)?.environment || null,
    }))
}

/** The agent of a data source; an unknown uid gets an agent with only that uid. */
export function getAgentDataSource(uid: string): AgentDataSource {
  return listAgentDataSources().find((agent) => agent.uid === uid) ?? { uid, name: uid, expected: null }
}
