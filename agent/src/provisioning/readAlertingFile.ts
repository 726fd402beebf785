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
  const yaml = readYaml(path, text)
  if (yaml.faults.length > 0) throw new RolloutFileError(yaml.faults)
  const parsed = AlertingSchema.safeParse(yaml.value)
  if (!parsed.success) throw new RolloutFileError(faultLines(yaml, parsed.error.issues))
  const rollouts = await Promise.all(
    Object.entries(parsed.data.rollouts).map(async ([environment, folder]) =>
      (await loadRollouts(resolve(dirname(path), folder))).map(({ name, file }) => ({
        environment,
        rollout: name,
        contacts: file.contacts,
      })),
    ),
  )
  return { file: parsed.data, rollouts: rollouts.flat() }
}
