import { z } from 'zod'
import { toStorableText } from '../contract/index.ts'
import { canonicalHash } from '../signature/canonicalJson.ts'
import type { ReceivedAlert } from './receivedAlert.ts'

/** A message with more alerts is refused. */
export const MAX_ALERTS_PER_MESSAGE = 2_000
const MAX_LABELS = 64
/** The faults that a refusal lists. */
const MAX_FAULTS = 10
const MAX_VALUE_LENGTH = 1_000

const StringMap = z.record(
  z.string().max(200),
  z.string().transform((text) => toStorableText(text.slice(0, MAX_VALUE_LENGTH))),
)
const LabelSet = StringMap.refine(
  (labels) => Object.keys(labels).length <= MAX_LABELS,
  `has more than ${MAX_LABELS} entries`,
).transform((labels) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [toStorableText(name), value])),
)
const Timestamp = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

/** The fields that both senders share; all others are ignored. */
const IncomingAlert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels: LabelSet,
  annotations: LabelSet.default({}),
  startsAt: Timestamp,
  endsAt: Timestamp.optional(),
  fingerprint: z.string().max(100).transform(toStorableText).optional(),
})

/** Each alert is parsed for itself: one that is not valid must not lose the others. */
const IncomingAlerts = z
  .array(z.unknown())
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

/** The alerts of a message, and the faults of those that are not valid. */
export interface ParsedAlerts {
  readonly alerts: readonly ReceivedAlert[]
  readonly faults: readonly string[]
}

/**
 * Parses a message of Grafana's webhook contact point. The `state` and `status` of the payload do not apply to its single
 * alerts. Text that PostgreSQL cannot store is replaced, since an alert must not be lost for it.
 *
 * @throws InvalidWebhookError if the message or all of its alerts are not valid
 */
export function parseGrafanaWebhook(body: Uint8Array, receivedAt: number): ParsedAlerts & { orgId: number } {
  const { orgId, alerts } = parseBody(GrafanaMessage, body)
  const parsed = parseAlerts('grafana', alerts, receivedAt)
  return { orgId, alerts: parsed.alerts, faults: parsed.faults }
}

/** @throws InvalidWebhookError */
export function parseAlertmanagerWebhook(body: Uint8Array, receivedAt: number): ParsedAlerts {
  return parseAlerts('alertmanager', parseBody(AlertmanagerMessage, body).alerts, receivedAt)
}

function parseAlerts(source: ReceivedAlert['source'], incoming: readonly unknown[], receivedAt: number): ParsedAlerts {
  const alerts: ReceivedAlert[] = []
  const faults: string[] = []
  incoming.forEach((candidate, index) => {
    const result = IncomingAlert.safeParse(candidate)
    if (result.success) alerts.push(toReceivedAlert(source, result.data, receivedAt))
    else faults.push(...describeIssues(result.error.issues.slice(0, 1), ['alerts', index]))
  })
  if (alerts.length === 0) throw new InvalidWebhookError(faults.slice(0, MAX_FAULTS))
  return { alerts, faults }
}

const describeIssues = (issues: readonly z.core.$ZodIssue[], base: readonly PropertyKey[]): string[] =>
  issues.map(({ path, message }) => `${[...base, ...path].map(String).join('.')}: ${message}`)

function parseBody<S extends z.ZodType>(schema: S, body: Uint8Array): z.output<S> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new InvalidWebhookError(['the body is not JSON in UTF-8'])
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  throw new InvalidWebhookError(describeIssues(result.error.issues.slice(0, MAX_FAULTS), []))
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
