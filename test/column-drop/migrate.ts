import postgres from 'postgres'

/** As the migration tool of the user does. */
export async function migrate(url: string, text: string): Promise<void> {
  const tool = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await tool.unsafe(`begin;\n${text}\ncommit`)
  } finally {
    await tool.end()
  }
}
