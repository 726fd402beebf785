import { config } from '@grafana/runtime'
import type { AccessLevel } from '@sti-rollout/agent/contract'

/**
 * The access level of this person, which selects the route of the data source. The agent checks the token and the
 * identity again.
 */
export function userLevel(): AccessLevel {
  const { orgRole, isGrafanaAdmin } = config.bootData.user
  if (orgRole === 'Admin' || isGrafanaAdmin) return 'admin'
  return orgRole === 'Editor' ? 'editor' : 'viewer'
}

/** Why the role of this person allows no action at all; empty if it allows some. */
export const missingRoleReasons = (): readonly string[] =>
  userLevel() === 'viewer' ? ['This requires the role Editor in this organization.'] : []
