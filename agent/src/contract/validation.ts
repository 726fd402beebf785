import { z } from '@hono/zod-openapi'
import { Instant, Layer, Verdict } from './words.ts'

export const CheckResult = z
  .object({
    check: z.string(),
    layer: Layer,
    verdict: Verdict,
    value: z.number().nullable(),
    limit: z.number().nullable(),
    discrepancies: z.number().int().describe('rows that speak against it'),
    detail: z.string(),
    sampleKeys: z.array(z.array(z.string())),
  })
  .openapi('CheckResult')
export type CheckResult = z.infer<typeof CheckResult>

/** Rows by the type they hold and the type their legacy columns say. */
export const ConfusionCell = z
  .object({ actual: z.string().nullable(), expected: z.string().nullable(), rows: z.number().int() })
  .openapi('ConfusionCell')
export type ConfusionCell = z.infer<typeof ConfusionCell>

export const Validation = z
  .object({
    id: z.number().int(),
    operationId: z.number().int(),
    fileHash: z.string(),
    startedAt: Instant,
    endedAt: Instant.nullable(),
    verdict: Verdict,
    coverage: z.number().nullable(),
    integrityScore: z.number().nullable(),
    totalRows: z.number().int().nullable(),
    checksum: z.string().nullable().describe('order-free, over key, type and legacy columns'),
    confusion: z.array(ConfusionCell),
    checks: z.array(CheckResult),
  })
  .openapi('Validation')
export type Validation = z.infer<typeof Validation>
