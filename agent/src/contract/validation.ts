import { z } from '@hono/zod-openapi'
import { UNITS } from '../format/format.ts'
import { AcceptedSubject } from './acceptance.ts'
import { Instant, ValidationLayer, Verdict } from './enums.ts'

export const CheckResult = z
  .object({
    check: z.string(),
    layer: ValidationLayer,
    unit: z.enum(UNITS).describe('the unit of value and limit'),
    verdict: Verdict,
    value: z.number().nullable(),
    limit: z.number().nullable(),
    discrepancies: z.number().int().describe('rows that contradict the check'),
    detail: z.string(),
    acceptable: z
      .array(z.string())
      .describe('what an admin can accept by name so that an inconclusive check no longer blocks; empty: nothing'),
    accepted: z.array(AcceptedSubject).describe('what was accepted; the check then does not block'),
    sampleKeys: z.array(z.array(z.string())),
    query: z.string().nullable().describe('SQL, PromQL, or request that was evaluated; null: no single query'),
    seconds: z.number().nullable().describe('how long it took; the one reading of the table apart'),
  })
  .openapi('CheckResult')
export type CheckResult = z.infer<typeof CheckResult>

/** The check that counts rows whose type does not match their legacy columns. */
export const TYPE_CHECK = 'type-matches-legacy'

/** True if the check is inconclusive and an admin accepted that: it then neither blocks nor counts. */
export const isAcceptedCheck = ({ verdict, accepted }: Pick<CheckResult, 'verdict' | 'accepted'>): boolean =>
  verdict === 'inconclusive' && accepted.length > 0

/** The command that accepts a check, as refusals name it. */
export const acceptCheckCommand = (check: string): string => `sti accept-check ${check} --all --reason TEXT`

export const LayerResult = z
  .object({
    layer: ValidationLayer,
    verdict: Verdict,
    required: z.boolean().describe('listed in validation.requires of the rollout file'),
    complete: z.boolean().describe('every check of the layer was run; a partial layer does not count for the flag'),
    detail: z.string().describe('why it did not pass; empty if it did'),
  })
  .openapi('LayerResult')
export type LayerResult = z.infer<typeof LayerResult>

/** Rows by stored type and type derived from the legacy columns. */
export const ConfusionCell = z
  .object({ actual: z.string().nullable(), expected: z.string().nullable(), rows: z.number().int() })
  .openapi('ConfusionCell')
export type ConfusionCell = z.infer<typeof ConfusionCell>

export const Validation = z
  .object({
    id: z.number().int().describe('number of the operation'),
    fileHash: z.string(),
    derivationHash: z.string().describe('hash of the part of the rollout file that this validation is bound to'),
    startedAt: Instant,
    endedAt: Instant.nullable(),
    verdict: Verdict.describe(
      'verdict of the layers that the rollout file requires; of all layers if none of those was run',
    ),
    layers: z.array(LayerResult).describe('layers with at least one check that was run'),
    coverage: z.number().nullable().describe('null: the table was not read'),
    integrityScore: z.number().nullable().describe('null: some checks of the integrity layer were not run'),
    totalRows: z.number().int().nullable(),
    checksum: z.string().nullable().describe('order-independent checksum of key, type, and legacy columns'),
    confusion: z.array(ConfusionCell),
    checks: z.array(CheckResult),
  })
  .openapi('Validation')
export type Validation = z.infer<typeof Validation>
