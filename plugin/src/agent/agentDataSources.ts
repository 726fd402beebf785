import { getDataSourceSrv } from '@grafana/runtime'
import { DATASOURCE_ID } from '../routes'

/** An agent as Grafana knows it: one instance of the nested data source. */
export interface AgentDataSource {
  readonly uid: string
  readonly name: string
  /** The environment its data source was set up for; what the agent itself answers counts. */
  readonly expected: string | null
}

/** Every agent that Grafana lets this person see. */
export function listAgentDataSources(): AgentDataSource[] {
  return getDataSourceSrv()
    .getList({ pluginId: DATASOURCE_ID })
    .map(({ uid, name, jsonData }) => ({
      uid,
      name,
      expected: (jsonData as { environment?: string } | undefined)?.environment || null,
    }))
}

/** The agent of a data source uid; one that is not in the list still has its uid. */
export function getAgentDataSource(uid: string): AgentDataSource {
  return listAgentDataSources().find((agent) => agent.uid === uid) ?? { uid, name: uid, expected: null }
}
