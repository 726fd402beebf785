import type { Sql } from '../database/connect.ts'
import type { Change } from '../engine/ddl.ts'
import { literal, quote } from '../rollout/names.ts'

/** A setting of PostgreSQL that enhanced monitoring needs. */
interface Wanted {
  readonly name: string
  readonly value: string
}

const WANTED: readonly Wanted[] = [
  // How long statements wait for I/O.
  { name: 'track_io_timing', value: 'on' },
  // Statements inside of functions and triggers too: what the dual write costs. Those at the top stay as they are.
  { name: 'pg_stat_statements.track', value: 'all' },
]

/** What was there before a setting of ours, kept with its change. */
export interface SettingBefore {
  readonly setting: string
  readonly scope: 'database' | 'role'
  /** As it was set there; null: it was not set there. */
  readonly value: string | null
  readonly now: string
}

export interface SettingsPlan {
  readonly changes: readonly Change[]
  /** What the agent's role may not do, or what is missing; each sentence says who has to do what. */
  readonly refused: readonly string[]
}

interface Look {
  readonly name: string
  readonly now: string | null
  readonly allowed: boolean
  readonly owner: boolean
  readonly database: string
  readonly role: string
  readonly of_database: string | null
  readonly of_role: string | null
}

/** What would be set, for new sessions of the database; where the role does not own it, for the agent's own. */
export async function planSettings(sql: Sql): Promise<SettingsPlan> {
  const looks = await sql<Look[]>`
    select w.name, current_setting(w.name, true) as now, d.datname::text as database, r.rolname::text as role,
      coalesce(has_parameter_privilege(current_user, w.name, 'SET'), false) as allowed,
      pg_has_role(current_user, d.datdba, 'USAGE') as owner,
      (select substr(e, strpos(e, '=') + 1) from pg_db_role_setting s, unnest(s.setconfig) e
        where s.setdatabase = d.oid and s.setrole = 0 and split_part(e, '=', 1) = w.name) as of_database,
      (select substr(e, strpos(e, '=') + 1) from pg_db_role_setting s, unnest(s.setconfig) e
        where s.setdatabase = d.oid and s.setrole = r.oid and split_part(e, '=', 1) = w.name) as of_role
    from jsonb_array_elements_text(${sql.json(WANTED.map(({ name }) => name))}::jsonb) as w (name),
      pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`
  const changes: Change[] = []
  const refused: string[] = []
  for (const { name, value } of WANTED) {
    const look = looks.find((one) => one.name === name)!
    const { sentence, change } = planOne(look, value)
    if (sentence !== null) refused.push(sentence)
    if (change !== null) changes.push(change)
  }
  return { changes, refused }
}

function planOne(look: Look, value: string): { sentence: string | null; change: Change | null } {
  const { name, now, allowed, owner, database, role } = look
  if (now === null)
    return { sentence: `${name} is not known here: add pg_stat_statements to shared_preload_libraries.`, change: null }
  const ofDatabase = `alter database ${quote(database)}`
  if (!allowed) {
    if (now === value) return { sentence: null, change: null }
    const who = `${role} may not set ${name}`
    return { sentence: `${who}: as a superuser, grant set on parameter ${name} to ${quote(role)}.`, change: null }
  }
  if (owner) {
    const before = look.of_database
    return {
      sentence: null,
      change: now === value ? null : setting(ofDatabase, look, { scope: 'database', before, value }),
    }
  }
  if (now === value && look.of_role !== value) return { sentence: null, change: null }
  const ofRole = `alter role ${quote(role)} in database ${quote(database)}`
  return {
    sentence: `${name} is raised for the agent’s own sessions only, since ${role} does not own the database: its owner can ${ofDatabase} set ${name} to ${value}.`,
    change: now === value ? null : setting(ofRole, look, { scope: 'role', before: look.of_role, value }),
  }
}

function setting(
  alter: string,
  { name, database, role }: Look,
  { scope, before, value }: { scope: SettingBefore['scope']; before: string | null; value: string },
): Change {
  const kept: SettingBefore = { setting: name, scope, value: before, now: value }
  return {
    kind: 'setting',
    object: `${name} of ${scope === 'database' ? `database ${database}` : `role ${role} in database ${database}`}`,
    statement: `${alter} set ${name} to ${literal(value)}`,
    inverse: before === null ? `${alter} reset ${name}` : `${alter} set ${name} to ${literal(before)}`,
    before: kept,
    look: settingNow(kept),
    back: before,
  }
}

/** As SQL: what is set now where a change of ours set something. */
export function settingNow({ setting, scope }: SettingBefore): string {
  const role = scope === 'database' ? '0' : '(select oid from pg_roles where rolname = current_user)'
  return `(select substr(e, strpos(e, '=') + 1) from pg_db_role_setting s, unnest(s.setconfig) e
    where s.setdatabase = (select oid from pg_database where datname = current_database()) and s.setrole = ${role}
      and split_part(e, '=', 1) = ${literal(setting)})`
}
