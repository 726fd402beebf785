import { SignalUnknownError } from './reading.ts'

/**
 * Without pg_read_all_stats (part of pg_monitor), the columns of other sessions are NULL, which looks healthy. So each
 * query also selects `pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')` and `current_user`.
 */
export function missingPrivilegeText(role: string): string {
  return `the role ${role} cannot see other sessions: GRANT pg_monitor TO "${role.replaceAll('"', '""')}"`
}

export function requireMonitorPrivilege(row: { readonly monitors: boolean; readonly role: string }): void {
  if (!row.monitors) throw new SignalUnknownError(missingPrivilegeText(row.role))
}
