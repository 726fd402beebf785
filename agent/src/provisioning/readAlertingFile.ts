import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { loadRollouts, RolloutFileError } from '../rollout/compileRollout.ts'
import { faultLines, readYaml } from '../rollout/yamlFile.ts'
import type { RolloutContacts } from './escalation.ts'
import { AlertingSchema, type AlertingFile } from './alertingFile.ts'

/**
 * Reads the alerting file and the rollout files of its folders.
 *
 * @throws RolloutFileError with the faults of all files
 */
export async function readAlertingFile(
  path: string,
): Promise<{ readonly file: AlertingFile; readonly rollouts: readonly RolloutContacts[] }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RolloutFileError([`Cannot read ${path} (${error.code ?? error.message}). Specify another file.`])
  })
  const { file, faults } = parseAlertingFile(path, text)
  if (file === null) throw new RolloutFileError(faults)
  const rollouts = await Promise.all(
    Object.entries(file.rollouts).map(async ([environment, folder]) =>
      (await loadRollouts(resolve(dirname(path), folder))).map(({ name, file }) => ({
        environment,
        rollout: name,
        contacts: file.contacts,
      })),
    ),
  )
  return { file, rollouts: rollouts.flat() }
}

/** Parses the text of an alerting file; file null: the faults say why. Pure. */
export function parseAlertingFile(
  path: string,
  text: string,
):
  | { readonly file: AlertingFile; readonly faults: readonly [] }
  | { readonly file: null; readonly faults: readonly string[] } {
  const yaml = readYaml(path, text)
  if (yaml.faults.length > 0) return { file: null, faults: yaml.faults }
  const parsed = AlertingSchema.safeParse(yaml.value)
  return parsed.success
    ? { file: parsed.data, faults: [] }
    : { file: null, faults: faultLines(yaml, parsed.error.issues) }
}
