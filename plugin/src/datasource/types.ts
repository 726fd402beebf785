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

/** What a query shows; dashboards of earlier versions have no subject and show events. */
export const SUBJECTS = ['events', 'operations', 'incidents', 'checks', 'failed-rows'] as const
export type Subject = (typeof SUBJECTS)[number]

export interface AgentQuery extends DataQuery {
  subject?: Subject
  /** The name of the rollout; may contain variables. Empty: every rollout of the agent. */
  rollout?: string
  /** Annotations are read again when it differs, and not before a while otherwise. */
  revision?: string
}
