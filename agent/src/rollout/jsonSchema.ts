import { z } from 'zod'
import { RolloutSchema } from './rolloutFile.ts'

/** The JSON Schema of a rollout file as its author writes it, for completion in editors. The agent checks more. */
export function rolloutJsonSchema(): Record<string, unknown> {
  return { title: 'Rollout file of STI Rollout', ...z.toJSONSchema(RolloutSchema, { io: 'input' }) }
}

/** Files of the repository that are made from this folder; paths from its root. */
export function generatedSchemaFiles(): { path: string; text: string }[] {
  return [{ path: 'docs/rollout.schema.json', text: `${JSON.stringify(rolloutJsonSchema(), null, 2)}\n` }]
}
