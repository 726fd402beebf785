/** What a connection is used for, as far as its settings depend on it. */
export interface SessionProfile {
  readonly statementTimeoutMs: number
  readonly lockTimeoutMs: number
  /** The schemas after pg_catalog; the same for every statement that evaluates the user's expressions. */
  readonly searchPath: string
  /** Works on the application's table: sees every row, and the application's triggers can tell. */
  readonly engine: boolean
  readonly readOnly: boolean
  /**
   * For work in ranges of keys or pages, which an index finds. If rows are not stored in key order, PostgreSQL might
   * otherwise read the whole table for each range.
   */
  readonly avoidSeqScan: boolean
  /** Long read-only statements may use as many processes as the application's queries. */
  readonly parallel: boolean
  /** For work on a table whose rows are in shards of Citus, over the coordinator. */
  readonly inShards: boolean
}

/** One setting that every session of the agent has, whatever the role, the database or the URL say. */
interface SessionSetting {
  readonly name: string
  /** As PostgreSQL reports it; null: this profile leaves it to the server. */
  readonly value: string | ((profile: SessionProfile) => string | null)
  /** What goes wrong with another value. */
  readonly why: string
  /** The first major version that has it. */
  readonly since?: number
  /** Values that are left as they are. */
  readonly keeps?: readonly string[]
}

const milliseconds = (value: number): string => String(value)

/** Settings that change the text of a value, and their value in the agent's sessions. */
export const VALUE_TEXT_SETTINGS = {
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '1',
  bytea_output: 'hex',
  xmlbinary: 'base64',
} as const

/** All settings of the agent's sessions. They are set after connecting, then read back (sessionStream.ts). */
export const SESSION_SETTINGS: readonly SessionSetting[] = [
  {
    name: 'search_path',
    value: ({ searchPath }) => searchPath,
    why: 'objects of another role would change what statements mean',
  },
  {
    name: 'statement_timeout',
    value: ({ statementTimeoutMs }) => milliseconds(statementTimeoutMs),
    why: 'statements would be cancelled too early, or never',
  },
  {
    name: 'lock_timeout',
    value: ({ lockTimeoutMs }) => milliseconds(lockTimeoutMs),
    why: 'a statement that waits for a lock would make the application wait behind it',
  },
  {
    name: 'transaction_timeout',
    value: '0',
    since: 17,
    why: 'the server would end sessions in the middle of their work',
  },
  {
    name: 'idle_in_transaction_session_timeout',
    value: '0',
    why: 'the server would end sessions between two messages',
  },
  { name: 'idle_session_timeout', value: '0', why: 'the server would end sessions that wait for work' },
  { name: 'client_encoding', value: 'UTF8', why: 'names and values would be read in another encoding' },
  { name: 'standard_conforming_strings', value: 'on', why: 'a backslash in a literal would escape the next character' },
  { name: 'quote_all_identifiers', value: 'off', why: 'definitions would differ from those that were recorded' },
  { name: 'datestyle', value: VALUE_TEXT_SETTINGS.datestyle, why: 'dates could not be read' },
  { name: 'intervalstyle', value: VALUE_TEXT_SETTINGS.intervalstyle, why: 'intervals could not be read' },
  { name: 'timezone', value: VALUE_TEXT_SETTINGS.timezone, why: 'times could not be compared' },
  {
    name: 'extra_float_digits',
    value: VALUE_TEXT_SETTINGS.extra_float_digits,
    why: 'floating-point keys would be rounded',
  },
  { name: 'bytea_output', value: VALUE_TEXT_SETTINGS.bytea_output, why: 'binary values could not be read' },
  { name: 'xmloption', value: 'content', why: 'XML values would be rejected' },
  { name: 'xmlbinary', value: VALUE_TEXT_SETTINGS.xmlbinary, why: 'XML values would change' },
  { name: 'array_nulls', value: 'on', why: 'NULL in an array would become text' },
  { name: 'transform_null_equals', value: 'off', why: 'comparisons with NULL would change their meaning' },
  { name: 'gin_fuzzy_search_limit', value: '0', why: 'queries would omit rows' },
  { name: 'check_function_bodies', value: 'on', why: 'a function that cannot run would be created' },
  {
    name: 'default_transaction_isolation',
    value: 'read committed',
    why: 'statements would fail with serialization errors, and would not see what others have committed',
  },
  {
    name: 'default_transaction_read_only',
    value: ({ readOnly }) => (readOnly ? 'on' : 'off'),
    why: 'the agent could not write, or a reading session could',
  },
  { name: 'default_transaction_deferrable', value: 'off', why: 'statements would wait for a safe snapshot' },
  {
    name: 'synchronous_commit',
    value: 'on',
    keeps: ['local', 'remote_write', 'remote_apply'],
    why: 'a crash of the server could lose the change that turned the flag off',
  },
  {
    name: 'session_replication_role',
    value: 'origin',
    // Only a superuser may set it.
    keeps: ['origin', 'local'],
    why: 'the triggers and foreign keys of the application would not fire',
  },
  {
    name: 'row_security',
    value: ({ engine }) => (engine ? 'off' : 'on'),
    why: 'policies would silently hide rows',
  },
  {
    name: 'sti.engine',
    value: ({ engine }) => (engine ? 'on' : 'off'),
    why: 'triggers of the application that skip the agent would fire',
  },
  // JIT compilation or parallel workers would take longer than a batch.
  { name: 'jit', value: ({ engine }) => (engine ? 'off' : null), why: 'compiling a batch takes longer than the batch' },
  {
    name: 'max_parallel_workers_per_gather',
    value: ({ engine, parallel }) => (engine && !parallel ? '0' : null),
    why: 'starting workers takes longer than a batch',
  },
  {
    name: 'plan_cache_mode',
    // A generic plan for all ranges must not use workers.
    value: ({ parallel }) => (parallel ? 'force_custom_plan' : 'auto'),
    why: 'plans would not fit their ranges',
  },
  {
    name: 'enable_seqscan',
    value: ({ avoidSeqScan }) => (avoidSeqScan ? 'off' : 'on'),
    why: 'a batch would read the whole table',
  },
  ...[
    'indexscan',
    'indexonlyscan',
    'bitmapscan',
    'tidscan',
    'nestloop',
    'hashjoin',
    'mergejoin',
    'sort',
    'hashagg',
  ].map((node) => ({ name: `enable_${node}`, value: 'on', why: 'a batch would read the whole table' })),
  { name: 'enable_material', value: 'on', why: 'plans would be slow' },
  { name: 'enable_partition_pruning', value: 'on', why: 'a batch would read every partition' },
  {
    name: 'citus.max_adaptive_executor_pool_size',
    value: ({ inShards }) => (inShards ? '1' : null),
    why: 'a batch would open connections for single shards, and prepare and commit its transaction on each of them',
  },
  {
    name: 'citus.enable_deadlock_prevention',
    // A batch gives up by itself when it waits for a row.
    value: ({ inShards }) => (inShards ? 'off' : null),
    why: 'batches, and the application’s own statements on all shards, would wait for each other',
  },
]

export interface WantedSetting {
  readonly name: string
  readonly value: string
  readonly why: string
  readonly keeps: readonly string[]
}

/** The settings of a profile on a server of this major version. */
export function sessionSettings(profile: SessionProfile, majorVersion: number): WantedSetting[] {
  return SESSION_SETTINGS.flatMap(({ name, value, why, since = 0, keeps = [] }) => {
    const wanted = typeof value === 'function' ? value(profile) : value
    return wanted === null || majorVersion < since ? [] : [{ name, value: wanted, why, keeps }]
  })
}

/** True if the agent decides about this setting, in any version of PostgreSQL. */
export function isSessionSetting(name: string): boolean {
  return SESSION_SETTINGS.some((setting) => setting.name === name)
}
