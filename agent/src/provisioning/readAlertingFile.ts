import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { loadRollouts, RolloutFileError } from '../rollout/compileRollout.ts'
import { faultLines, readYaml } from '../rollout/yamlFile.ts'
import type { RolloutContacts } from './escalation.ts'
import { z } from 'zod'
import { AlertingSchema, type AlertingFile } from './alertingFile.ts'
import type { AlertmanagerBase } from './alertmanagerConfig.ts'

export interface AlertingInput {
  readonly file: AlertingFile
  readonly rollouts: readonly RolloutContacts[]
  /** Null: the file names none. */
  readonly alertmanagerBase: AlertmanagerBase | null
}

const BaseSchema = z.looseObject({
  global: z.looseObject({}).optional(),
  route: z.looseObject({ receiver: z.string(), routes: z.array(z.unknown()).optional() }),
  receivers: z.array(z.looseObject({ name: z.string() })),
})

/**
 * Reads the alerting file, the rollout files of its folders, and the user's Alertmanager configuration.
 *
 * @throws RolloutFileError with the faults of all files
 */
export async function readAlertingFile(path: string): Promise<AlertingInput> {
  const { file, faults } = parseAlertingFile(path, await readText(path))
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
  const { alertmanagerBase } = file
  const base = alertmanagerBase === undefined ? null : await readBase(resolve(dirname(path), alertmanagerBase))
  return { file, rollouts: rollouts.flat(), alertmanagerBase: base }
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

async function readBase(path: string): Promise<AlertmanagerBase> {
  const yaml = readYaml(path, await readText(path))
  if (yaml.faults.length > 0) throw new RolloutFileError(yaml.faults)
  const parsed = BaseSchema.safeParse(yaml.value)
  if (!parsed.success) throw new RolloutFileError(faultLines(yaml, parsed.error.issues))
  return parsed.data
}

async function readText(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new RolloutFileError([`Cannot read ${path} (${error.code ?? error.message}). Specify another file.`])
  })
}
