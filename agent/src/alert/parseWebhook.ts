import { z } from 'zod'
import { canonicalHash } from '../signature/canonicalJson.ts'
import type { ReceivedAlert } from './receivedAlert.ts'

/** A message with more alerts is refused. */
export const MAX_ALERTS_PER_MESSAGE = 2_000
const MAX_LABELS = 64
const MAX_VALUE_LENGTH = 1_000

const StringMap = z.record(
  z.string().max(200),
  z.string().transform((text) => text.slice(0, MAX_VALUE_LENGTH)),
)
const LabelSet = StringMap.refine(
  (labels) => Object.keys(labels).length <= MAX_LABELS,
  `has more than ${MAX_LABELS} entries`,
)
const Timestamp = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

/** The fields that both senders share; all others are ignored. */
const IncomingAlert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: LabelSet,
  annotations: LabelSet.default({}),
  startsAt: Timestamp,
  endsAt: Timestamp.optional(),
  fingerprint: z.string().max(100).optional(),
})

const IncomingAlerts = z
  .array(IncomingAlert)
  .min(1)
  .max(MAX_ALERTS_PER_MESSAGE, `has more than ${MAX_ALERTS_PER_MESSAGE} alerts`)
const GrafanaMessage = z.object({ version: z.literal('1'), orgId: z.number().int(), alerts: IncomingAlerts })
const AlertmanagerMessage = z.object({ version: z.literal('4'), alerts: IncomingAlerts })

/** The message does not match the schema; `reasons` lists each fault with its path. */
export class InvalidWebhookError extends Error {
  readonly code = 'invalid-body'
  readonly reasons: readonly string[]
  constructor(reasons: readonly string[]) {
    super('The message does not match the schema of this webhook.')
    this.reasons = reasons
  }
}

/**
 * Parses a message of Grafana's webhook contact point. The `state` and `status` of the payload do not apply to its single
 * alerts.
 *
 * @throws InvalidWebhookError
 */
export function parseGrafanaWebhook(body: Uint8Array, receivedAt: number): { orgId: number; alerts: ReceivedAlert[] } {
  const { orgId, alerts } = parseBody(GrafanaMessage, body)
  return { orgId, alerts: alerts.map((alert) => toReceivedAlert('grafana', alert, receivedAt)) }
}

/** @throws InvalidWebhookError */
export function parseAlertmanagerWebhook(body: Uint8Array, receivedAt: number): ReceivedAlert[] {
  return parseBody(AlertmanagerMessage, body).alerts.map((alert) => toReceivedAlert('alertmanager', alert, receivedAt))
}

function parseBody<S extends z.ZodType>(schema: S, body: Uint8Array): z.output<S> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new InvalidWebhookError(['the body is not JSON in UTF-8'])
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  throw new InvalidWebhookError(
    result.error.issues.slice(0, 10).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`),
  )
}

function toReceivedAlert(
  source: ReceivedAlert['source'],
  alert: z.output<typeof IncomingAlert>,
  receivedAt: number,
): ReceivedAlert {
  const { status, labels, annotations, startsAt, endsAt } = alert
  return {
    source,
    status,
    labels,
    annotations,
    startsAt,
    receivedAt,
    name: labels['alertname'] ?? '',
    // A time in year 1 means that the alert has not ended.
    endsAt: endsAt !== undefined && endsAt > 0 ? endsAt : null,
    fingerprint: alert.fingerprint ?? canonicalHash(labels).slice(0, 16),
  }
}
