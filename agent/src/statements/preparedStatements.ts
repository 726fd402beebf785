/** What a driver does with a statement that it has prepared, when the table has other columns than before. */
export interface DriverBehavior {
  readonly driver: string
  /** What it prepares by name, which is what PostgreSQL refuses to run with another result. */
  readonly prepares: string
  readonly onError: string
  /** The setting that avoids the error. */
  readonly setting: string
}

/** Drivers that prepare statements by name without being told to, and node-postgres. In the order of the documentation. */
export const DRIVERS: readonly DriverBehavior[] = [
  {
    driver: 'pgjdbc',
    prepares: 'a statement from its fifth execution on',
    onError:
      'retries automatically outside a transaction; inside one only with autosave=conservative or autosave=always',
    setting: 'autosave=conservative, or prepareThreshold=0',
  },
  {
    driver: 'porsager/postgres',
    prepares: 'every statement',
    onError: 'retries automatically outside a transaction; inside one the transaction fails',
    setting: 'prepare: false',
  },
  {
    driver: 'asyncpg',
    prepares: 'every statement',
    onError:
      'retries automatically outside a transaction; inside one the transaction fails (InvalidCachedStatementError)',
    setting: 'statement_cache_size=0',
  },
  {
    driver: 'ActiveRecord',
    prepares: 'every statement with bind parameters',
    onError:
      'retries automatically outside a transaction; inside one the transaction fails (PreparedStatementCacheExpired)',
    setting: 'prepared_statements: false, or enumerate_columns_in_select_statements = true',
  },
  {
    driver: 'pgx',
    prepares: 'every statement',
    onError: 'returns the error once for each connection, then prepares the statement again',
    setting: 'default_query_exec_mode=exec',
  },
  {
    driver: 'psycopg 3',
    prepares: 'a statement from its fifth execution on',
    onError: 'returns the error, and prepares the statement again after a ROLLBACK of the connection',
    setting: 'prepare_threshold=None',
  },
  {
    driver: 'node-postgres',
    prepares: 'only queries with a name',
    onError: 'returns the error for each execution until the connection is closed',
    setting: 'queries without a name',
  },
]

/** One sentence for each group of drivers that behaves alike. */
export function driverNotes(): string[] {
  const retrying = DRIVERS.filter(({ onError }) => onError.startsWith('retries'))
  const others = DRIVERS.filter((driver) => !retrying.includes(driver))
  return [
    `These drivers prepare such a statement again and retry it automatically, except inside a transaction: ${retrying.map(({ driver }) => driver).join(', ')}. pgjdbc also does inside a transaction with autosave=conservative.`,
    `These do not: ${others.map(({ driver, onError }) => `${driver} (${onError})`).join('; ')}. Drivers that prepare nothing by name, such as psycopg2, and connections through a pooler in transaction mode without prepared statements are not affected.`,
  ]
}
