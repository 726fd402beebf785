import { randomBytes } from 'node:crypto'
import type { ConnectionTarget, TargetSession } from './connectionUrl.ts'
import { leftoverSettings, refusedStatement, wrongSetting } from './sessionRefused.ts'
import { isSessionSetting, sessionSettings, type SessionProfile } from './sessionSettings.ts'
import { asciiLiteral } from './sqlLiteral.ts'

/** Sends the text as one simple query and returns the rows of all its statements. */
export type SimpleQuery = (text: string) => Promise<(string | null)[][]>

/** The state of a new session before its settings are changed. */
export interface NewSession {
  readonly pid: string
  readonly inRecovery: boolean
  readonly readOnly: boolean
  /** Setting of an earlier session of an agent that the server connection still has. */
  readonly leftover: string
}

/** The setting that tells one session of an agent from another. */
const MARKER_SETTING = 'sti.session'
const IDENTITY_ROW = 'pid'

/** Reads the session without changing it, whatever the defaults of the role and the database are. */
export async function readNewSession(query: SimpleQuery, majorVersion: number): Promise<NewSession> {
  const rows = await query(`begin transaction isolation level read committed read only;
    ${localDefaults(majorVersion)}
    set local search_path to pg_catalog, pg_temp;
    select /* sti */ pg_backend_pid()::text, pg_is_in_recovery()::text, current_setting('default_transaction_read_only'),
      coalesce(current_setting('${MARKER_SETTING}', true), '');
    commit`)
  const [pid, inRecovery, readOnly, leftover] = rows.at(-1) ?? []
  if (typeof pid !== 'string' || typeof leftover !== 'string') throw refusedStatement('it returned no row')
  return { pid, inRecovery: inRecovery === 'true', readOnly: readOnly === 'on', leftover }
}

/** True if a session on a server of this kind is what the URL asks for (`target_session_attrs`). */
export function isTargetSession(wanted: TargetSession, { inRecovery, readOnly }: NewSession): boolean {
  switch (wanted) {
    case 'any':
      return true
    case 'primary':
      return !inRecovery
    case 'standby':
      return inRecovery
    case 'read-write':
      return !inRecovery && !readOnly
    case 'read-only':
      return inRecovery || readOnly
  }
}

/**
 * Sets what the agent needs, as statements: a pooler passes on few parameters of the startup packet. Then reads all of
 * it back in another message. @throws SessionRefusedError
 */
export async function setUpSession(
  query: SimpleQuery,
  session: NewSession,
  profile: SessionProfile,
  target: ConnectionTarget,
  majorVersion: number,
): Promise<void> {
  if (session.leftover !== '') throw leftoverSettings()
  const wanted = sessionSettings(profile, majorVersion)
  const names = new Set(wanted.map(({ name }) => name))
  const marker = randomBytes(8).toString('hex')
  const fromUrl = [...target.serverSettings].filter(([name]) => !isSessionSetting(name))
  const before = await readSettings(
    query,
    localDefaults(majorVersion),
    wanted.filter(({ keeps }) => keeps.length > 0).map(({ name }) => name),
  )
  const changes = [
    ...fromUrl,
    ...wanted
      .filter(({ name, keeps }) => !keeps.includes(before.get(name) ?? ''))
      .map(({ name, value }) => [name, value]),
    [MARKER_SETTING, marker],
  ] as [string, string][]
  await query(`begin transaction isolation level read committed;
    ${localDefaults(majorVersion)}
    set local search_path to pg_catalog, pg_temp;
    select /* sti */ ${changes.map(([name, value]) => `pg_catalog.set_config(${asciiLiteral(name)}, ${asciiLiteral(value)}, false)`).join(', ')};
    commit`)
  const after = await readSettings(query, '', [...names, MARKER_SETTING])
  for (const { name, value, why, keeps } of wanted) {
    const actual = after.get(name) ?? null
    if (actual !== value && !keeps.includes(actual ?? '')) throw wrongSetting(name, actual, value, why)
  }
  const lost = after.get(MARKER_SETTING) !== marker || after.get(IDENTITY_ROW) !== session.pid
  if (lost) throw refusedStatement('its settings were lost between two statements')
}

/** The settings as the next transaction has them. Every name is qualified, since the search path is one of them. */
async function readSettings(
  query: SimpleQuery,
  prelude: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const own = names.filter((name) => name.includes('.'))
  const list = names.map(asciiLiteral).join(', ')
  const rows = await query(`begin transaction isolation level read committed read only; ${prelude}
    select /* sti */ pg_catalog.lower(s.name), s.setting from pg_catalog.pg_settings s
      where pg_catalog.lower(s.name) operator(pg_catalog.=) any (array[${list}]::pg_catalog.text[])
    ${own.map((name) => `union all select ${asciiLiteral(name)}, pg_catalog.current_setting(${asciiLiteral(name)}, true)`).join('\n')}
    union all select '${IDENTITY_ROW}', pg_catalog.pg_backend_pid()::pg_catalog.text;
    commit`)
  return new Map(
    rows.flatMap(([name, value]) => (typeof name === 'string' && typeof value === 'string' ? [[name, value]] : [])),
  )
}

/** Until the settings are made, a short time-out of the role or the database must not end the session. */
function localDefaults(majorVersion: number): string {
  return `set local statement_timeout to 0; ${majorVersion >= 17 ? 'set local transaction_timeout to 0;' : ''}`
}
