import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { AlertingFile } from './alertingFile.ts'
import type { EscalationReceiver } from './escalation.ts'

/**
 * What would keep Grafana from starting with the files, as far as this host shows it: an agent without a secret, a secret
 * that Grafana would read as a number or expand, and a contact point that nothing shows to exist.
 *
 * @param known the names of Grafana's contact points; null: Grafana was not asked
 */
export async function grafanaFaults(
  file: AlertingFile,
  escalation: readonly EscalationReceiver[],
  folder: string | null,
  known: ReadonlySet<string> | null,
): Promise<string[]> {
  const provisioned = folder === null ? new Set<string>() : await provisionedContactPoints(folder)
  const named = new Set(escalation.flatMap(({ receiver, email }) => (email === null ? [receiver] : [])))
  const missing = [...named].filter((name) => !provisioned.has(name) && known?.has(name) !== true)
  return [
    ...file.agents
      .filter(({ secretFile, secretVariable }) => (secretFile ?? secretVariable) === undefined)
      .map(({ name }) => `set secretFile or secretVariable for ${name}. Grafana requires it`),
    ...(await secretFaults(file)),
    ...missing.map((name) =>
      known === null
        ? `nothing shows that Grafana has the contact point ${name}, and Grafana does not start without it. ` +
          'Add --grafana <url>, so that Grafana is asked, or provision it in the same folder'
        : `Grafana has no contact point ${name}, and does not start with a rule that names it. Create it first`,
    ),
  ]
}

/** Names of contact points in the user's own files of the same folder. */
async function provisionedContactPoints(folder: string): Promise<Set<string>> {
  const files = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const names = new Set<string>()
  for (const name of files.filter((candidate) => /\.(ya?ml|json)$/.test(candidate) && !candidate.startsWith('sti-'))) {
    const content = parse(await readFile(join(folder, name), 'utf8')) as {
      contactPoints?: readonly { name?: string }[]
    } | null
    for (const point of content?.contactPoints ?? []) if (point.name !== undefined) names.add(point.name)
  }
  return names
}

/** Secrets that can be read here, such as on Grafana’s host. A file of another host cannot be checked. */
async function secretFaults(file: AlertingFile): Promise<string[]> {
  const faults = await Promise.all(
    file.agents.map(async ({ name, secretFile }): Promise<string | null> => {
      const secret = secretFile === undefined ? null : await readFile(secretFile, 'utf8').catch(() => null)
      if (secret === null) return null
      if (secret.trim() === '') return `the secret of ${name} (${secretFile}) is empty`
      if (secret.includes('$'))
        return `the secret of ${name} (${secretFile}) has a $, which Grafana expands. Use letters and digits`
      if (!/[A-Za-z]/.test(secret))
        return `the secret of ${name} (${secretFile}) has no letter, and Grafana does not start with a number. Use letters and digits`
      return null
    }),
  )
  return faults.filter((fault) => fault !== null)
}
