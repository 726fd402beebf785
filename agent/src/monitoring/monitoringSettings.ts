import type { Sql } from '../database/connect.ts'
import type { ReversibleChange } from '../ddl/transactional.ts'
import { quoteLiteral, quoteIdentifier } from '../rollout/identifiers.ts'
import { MONITORING_SETTINGS } from '../rollout/preparation.ts'

/** A setting of PostgreSQL that enhanced monitoring needs. */
interface RequiredSetting {
  readonly name: string
  readonly value: string
}

const REQUIRED_VALUES: Readonly<Record<(typeof MONITORING_SETTINGS)[number], string>> = {
  // Measures how long statements wait for I/O.
  track_io_timing: 'on',
  // Includes statements inside functions and triggers, to show the cost of the dual write.
  'pg_stat_statements.track': 'all',
}
const REQUIRED_SETTINGS: readonly RequiredSetting[] = MONITORING_SETTINGS.map((name) => ({
  name,
  value: REQUIRED_VALUES[name],
}))

/** The previous value of a setting that STI changed, stored with the change. */
export interface PreviousSetting {
  readonly setting: string
  readonly scope: 'database' | 'role'
  /** Null: not set in this scope. */
  readonly value: string | null
  readonly now: string
}

export interface SettingsPlan {
  readonly changes: readonly ReversibleChange[]
  /** Settings that the agent cannot change; each sentence says why and what to do. */
  readonly refused: readonly string[]
}

interface SettingStateRow {
  readonly name: string
  readonly now: string | null
  readonly allowed: boolean
  readonly owner: boolean
  readonly database: string
  readonly role: string
  readonly of_database: string | null
  readonly of_role: string | null
}

/** Plans the settings for new sessions of the database, or of the agent's role if it does not own the database. */
export async function planSettings(sql: Sql): Promise<SettingsPlan> {
  const states = await sql<SettingStateRow[]>`
    select w.name, current_setting(w.name, true) as now, d.datname::text as database, r.rolname::text as role,
      coalesce(has_parameter_privilege(current_user, w.name, 'SET'), false) as allowed,
      pg_has_role(current_user, d.datdba, 'USAGE') as owner,
      (select substr(e, strpos(e, '=') + 1) from pg_db_role_setting s, unnest(s.setconfig) e
        where s.setdatabase = d.oid and s.setrole = 0 and split_part(e, '=', 1) = w.name) as of_database,
      (select substr(e, strpos(e, '=') + 1) from pg_db_role_setting s, unnest(s.setconfig) e
        where s.setdatabase = d.oid and s.setrole = r.oid and split_part(e, '=', 1) = w.name) as of_role
    from jsonb_array_elements_text(${sql.json(REQUIRED_SETTINGS.map(({ name }) => name))}::jsonb) as w (name),
      pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`
  const changes: ReversibleChange[] = []
  const refused: string[] = []
  for (const { name, value } of REQUIRED_SETTINGS) {
    const state = states.find((candidate) => candidate.name === name)!
    const { sentence, change } = planSetting(state, value)
    if (sentence !== null) refused.push(sentence)
    if (change !== null) changes.push(change)
  }
  return { changes, refused }
}

function planSetting(
  state: SettingStateRow,
  value: string,
): { sentence: string | null; change: ReversibleChange | null } {
  const { name, now, allowed, owner, database, role } = state
  if (now === null)
    return {
      sentence: `${name} does not exist on this server. Add pg_stat_statements to shared_preload_libraries.`,
      change: null,
    }
  const ofDatabase = `alter database ${quoteIdentifier(database)}`
  if (!allowed) {
    if (now === value) return { sentence: null, change: null }
    const missingPrivilege = `${role} may not set ${name}`
    return {
      sentence: `${missingPrivilege}. Run as a superuser: grant set on parameter ${name} to ${quoteIdentifier(role)}.`,
      change: null,
    }
  }
  if (owner) {
    const before = state.of_database
    return {
      sentence: null,
      change: now === value ? null : settingChange(ofDatabase, state, { scope: 'database', before, value }),
    }
  }
  if (now === value && state.of_role !== value) return { sentence: null, change: null }
  const ofRole = `alter role ${quoteIdentifier(role)} in database ${quoteIdentifier(database)}`
  return {
    sentence: `${name} is set for the sessions of the agent only, because ${role} does not own the database. To set it for all sessions, run as the owner: ${ofDatabase} set ${name} to ${value}.`,
    change: now === value ? null : settingChange(ofRole, state, { scope: 'role', before: state.of_role, value }),
  }
}

function settingChange(
  alter: string,
  { name, database, role }: SettingStateRow,
  { scope, before, value }: { scope: PreviousSetting['scope']; before: string | null; value: string },
): ReversibleChange {
  const previous: PreviousSetting = { setting: name, scope, value: before, now: value }
  return {
    kind: 'setting',
    object: `${name} of ${scope === 'database' ? `database ${database}` : `role ${role} in database ${database}`}`,
    statement: `${alter} set ${name} to ${quoteLiteral(value)}`,
    inverse: before === null ? `${alter} reset ${name}` : `${alter} set ${name} to ${quoteLiteral(before)}`,
    before: previous,
    definitionSql: currentSettingSql(previous),
    definitionAfterRevert: before,
  }
}

/** SQL for the current value in the scope in which STI set it. */
export function currentSettingSql({ setting, scope }: PreviousSetting): string {
  const role = scope === 'database' ? '0' : '(select oid from pg_roles where rolname = current_user)'
  return `(select substr(e, strpos(e, '=') + 1) from pg_db_role_setting s, unnest(s.setconfig) e
    where s.setdatabase = (select oid from pg_database where datname = current_database()) and s.setrole = ${role}
      and split_part(e, '=', 1) = ${quoteLiteral(setting)})`
}
