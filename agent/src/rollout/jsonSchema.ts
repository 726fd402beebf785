import { z } from 'zod'
import { RolloutSchema } from './rolloutFile.ts'

/** The JSON Schema of a rollout file, for completion in editors. The agent's own checks go further. */
export function rolloutJsonSchema(): Record<string, unknown> {
  return { title: 'Rollout file of STI Rollout', ...z.toJSONSchema(RolloutSchema, { io: 'input' }) }
}

/** Generated files of this folder, with paths from the root of the repository. */
export function generatedSchemaFiles(): { path: string; text: string }[] {
  return [{ path: 'docs/rollout.schema.json', text: `${JSON.stringify(rolloutJsonSchema(), null, 2)}\n` }]
}
