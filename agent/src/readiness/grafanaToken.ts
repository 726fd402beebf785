import { readFile } from 'node:fs/promises'

/** The token of the agent's service account in Grafana; null: none. A file may appear or change while the agent runs. */
export type GrafanaToken = string | { readonly file: string } | null

/** @throws Error if the file has no token */
export async function readGrafanaToken(token: GrafanaToken): Promise<string | null> {
  if (token === null || typeof token === 'string') return token
  const text = await readFile(token.file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`the file of STI_GRAFANA_TOKEN_FILE cannot be read (${error.code ?? 'error'})`)
  })
  if (text.trim() === '') throw new Error('the file of STI_GRAFANA_TOKEN_FILE is empty')
  return text.trim()
}
