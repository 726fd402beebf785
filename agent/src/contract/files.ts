import { z } from '@hono/zod-openapi'
import { Instant } from './enums.ts'

/** The result of verifying a downloaded report. */
export const ReportVerification = z
  .object({
    valid: z.boolean(),
    why: z.string().nullable().describe('why it cannot be trusted; null: it is valid'),
    rollout: z.string().nullable(),
    environment: z.string().nullable(),
    generatedAt: Instant.nullable(),
    generatedBy: z.string().nullable(),
    kid: z.string().nullable().describe('key that signed it'),
    verified: z.boolean().nullable().describe('the validation in it was current when it was generated'),
  })
  .openapi('ReportVerification')
export type ReportVerification = z.infer<typeof ReportVerification>

export const FileCheckRequest = z
  .object({ name: z.string().min(1).max(200), text: z.string().max(200_000) })
  .strict()
  .openapi('FileCheckRequest')
export type FileCheckRequest = z.infer<typeof FileCheckRequest>

/** A rollout file, checked without a database: nothing in it is run. */
export const FileCheck = z
  .object({
    faults: z.array(z.string()).describe('each with file, line, and what to write instead; empty: the file is valid'),
    rollout: z.string().nullable(),
    table: z.string().nullable(),
    loaded: z
      .enum(['same', 'derives alike', 'derives differently', 'none'])
      .nullable()
      .describe('compared with the file of this rollout that the agent has loaded; null: the file has faults'),
  })
  .openapi('FileCheck')
export type FileCheck = z.infer<typeof FileCheck>

export const ProvisioningRequest = z
  .object({ text: z.string().max(200_000).describe('alerting file as YAML; `rollouts` is left out') })
  .strict()
  .openapi('ProvisioningRequest')
export type ProvisioningRequest = z.infer<typeof ProvisioningRequest>

/** What `sti provisioning` writes, for the rollouts of this agent. */
export const GeneratedProvisioning = z
  .object({
    faults: z.array(z.string()).describe('of the alerting file; not empty: there are no files'),
    files: z.array(z.object({ name: z.string(), text: z.string() })),
    unreachable: z.array(z.string()).describe('one sentence for each contact that cannot be paged'),
  })
  .openapi('GeneratedProvisioning')
export type GeneratedProvisioning = z.infer<typeof GeneratedProvisioning>
