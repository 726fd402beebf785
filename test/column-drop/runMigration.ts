import postgres from 'postgres'

/** Runs a script like the user's migration tool. */
export async function runMigration(url: string, text: string): Promise<void> {
  const connection = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await connection.unsafe(`begin;\n${text}\ncommit`)
  } finally {
    await connection.end()
  }
}
