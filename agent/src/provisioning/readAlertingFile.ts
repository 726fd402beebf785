import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { loadRollouts, RolloutFileError } from '../rollout/compileRollout.ts'
import { faultLines, readYaml } from '../rollout/yamlFile.ts'
import type { RolloutContacts } from './escalation.ts'
import { AlertingSchema, type AlertingFile } from './alertingFile.ts'

/** Reads the file of agents and the rollout files that it names. @throws RolloutFaults with the faults of all of them */
export async function readAlertingFile(
  path: string,
): Promise<{ readonly file: AlertingFile; readonly rollouts: readonly RolloutContacts[] }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RolloutFileError([`${path}: cannot be read (${error.code ?? error.message}): name another`])
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
