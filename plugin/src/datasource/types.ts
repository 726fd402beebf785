import type { DataSourceJsonData } from '@grafana/data'
import type { DataQuery } from '@grafana/schema'

export interface AgentDataSourceOptions extends DataSourceJsonData {
  /** The expected environment; the connection test compares it with the environment that the agent reports. */
  environment?: string
  /** The Prometheus data source with the metrics of this agent; empty: the first one. */
  prometheusUid?: string
}

export const TOKEN_KEYS = ['viewerToken', 'editorToken', 'adminToken'] as const
export type AgentDataSourceSecrets = Partial<Record<(typeof TOKEN_KEYS)[number], string>>

export interface RolloutEventsQuery extends DataQuery {
  /** The rollout whose events are queried; may contain variables. Empty: every rollout of the agent. */
  rollout?: string
}
