import type { DataSourceJsonData } from '@grafana/data'
import type { DataQuery } from '@grafana/schema'

export interface AgentDataSourceOptions extends DataSourceJsonData {
  /** The environment this agent is meant to be; the health check compares it with what the agent answers. */
  environment?: string
  /** The Prometheus data source whose series of this agent the panels show; empty: Grafana's default one. */
  prometheusUid?: string
}

export const TOKEN_KEYS = ['viewerToken', 'editorToken', 'adminToken'] as const
export type AgentDataSourceSecrets = Partial<Record<(typeof TOKEN_KEYS)[number], string>>

export interface RolloutEventsQuery extends DataQuery {
  /** The rollout whose events are asked for; may hold variables. Empty: all of this agent. */
  rollout?: string
}
