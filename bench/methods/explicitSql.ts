import postgres from 'postgres'

/** One connection, as a script would use. */
export async function withExplicitSql(url: string, use: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await use(sql)
  } finally {
    await sql.end()
  }
}
