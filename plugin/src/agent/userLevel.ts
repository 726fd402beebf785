import { config } from '@grafana/runtime'
import type { AccessLevel } from '@sti-rollout/agent/contract'

/**
 * The level this person acts with: the route of the data source that their role in the organisation opens. The agent
 * checks token and identity again, and answers what that level may do.
 */
export function userLevel(): AccessLevel {
  const { orgRole, isGrafanaAdmin } = config.bootData.user
  if (orgRole === 'Admin' || isGrafanaAdmin) return 'admin'
  return orgRole === 'Editor' ? 'editor' : 'viewer'
}
