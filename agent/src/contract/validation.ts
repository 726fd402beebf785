import { z } from '@hono/zod-openapi'
import { UNITS } from '../format/format.ts'
import { Instant, ValidationLayer, Verdict } from './enums.ts'

export const CheckResult = z
  .object({
    check: z.string(),
    layer: ValidationLayer,
    unit: z.enum(UNITS).describe('the unit of value and limit'),
    verdict: Verdict,
    value: z.number().nullable(),
    limit: z.number().nullable(),
    discrepancies: z.number().int().describe('rows that speak against it'),
    detail: z.string(),
    sampleKeys: z.array(z.array(z.string())),
    query: z.string().nullable().describe('the SQL, PromQL or request that answered it; null: nothing of one text did'),
    seconds: z.number().nullable().describe('how long it took; the one reading of the table apart'),
  })
  .openapi('CheckResult')
export type CheckResult = z.infer<typeof CheckResult>

export const LayerResult = z
  .object({
    layer: ValidationLayer,
    verdict: Verdict,
    required: z.boolean().describe('the rollout file names it in validation.requires'),
    complete: z.boolean().describe('every check of the layer was run; of a part nothing follows for the flag'),
    detail: z.string().describe('why it did not pass; empty when it did'),
  })
  .openapi('LayerResult')
export type LayerResult = z.infer<typeof LayerResult>

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
    verdict: Verdict.describe(
      'of the layers that the rollout file requires; of all of them when none of those was run',
    ),
    layers: z.array(LayerResult).describe('those of which at least one check was run'),
    coverage: z.number().nullable().describe('null: the table was not read'),
    integrityScore: z.number().nullable().describe('null: not every check of the integrity layer was run'),
    totalRows: z.number().int().nullable(),
    checksum: z.string().nullable().describe('order-free, over key, type and legacy columns'),
    confusion: z.array(ConfusionCell),
    checks: z.array(CheckResult),
  })
  .openapi('Validation')
export type Validation = z.infer<typeof Validation>
