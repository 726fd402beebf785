import { z } from 'zod'
import { canonicalHash } from '../signature/canonical.ts'
import type { ReceivedAlert } from './received.ts'

/** More alerts than these in one message are refused. */
export const MOST_ALERTS = 2_000
const MOST_LABELS = 64
const LONGEST = 1_000

const Texts = z.record(
  z.string().max(200),
  z.string().transform((text) => text.slice(0, LONGEST)),
)
const labels = Texts.refine((found) => Object.keys(found).length <= MOST_LABELS, `has more than ${MOST_LABELS} entries`)
const Time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text))

/** What both senders have in common; everything else is left out. */
const Alert = z.object({
  status: z.enum(['firing', 'resolved']),
  labels,
  annotations: labels.default({}),
  startsAt: Time,
  endsAt: Time.optional(),
  fingerprint: z.string().max(100).optional(),
})

const alerts = z.array(Alert).min(1).max(MOST_ALERTS, `has more than ${MOST_ALERTS} alerts`)
const GrafanaMessage = z.object({ version: z.literal('1'), orgId: z.number().int(), alerts })
const AlertmanagerMessage = z.object({ version: z.literal('4'), alerts })

/** A message that is none of ours to read; `reasons` say what is wrong, each with its place. */
export class BadMessage extends Error {
  readonly code = 'invalid-body'
  readonly reasons: readonly string[]
  constructor(reasons: readonly string[]) {
    super('The message is not what this webhook takes.')
    this.reasons = reasons
  }
}

/**
 * A message of Grafana's webhook contact point. The payload's own `state` and `status` say nothing of its single alerts.
 * @throws BadMessage
 */
export function parseGrafana(body: Uint8Array, at: number): { orgId: number; alerts: ReceivedAlert[] } {
  const { orgId, alerts } = parsed(GrafanaMessage, body)
  return { orgId, alerts: alerts.map((alert) => toReceived('grafana', alert, at)) }
}

/** @throws BadMessage */
export function parseAlertmanager(body: Uint8Array, at: number): ReceivedAlert[] {
  return parsed(AlertmanagerMessage, body).alerts.map((alert) => toReceived('alertmanager', alert, at))
}

function parsed<S extends z.ZodType>(schema: S, body: Uint8Array): z.output<S> {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new BadMessage(['it is not JSON in UTF-8'])
  }
  const read = schema.safeParse(json)
  if (read.success) return read.data
  throw new BadMessage(
    read.error.issues.slice(0, 10).map(({ path, message }) => `${path.map(String).join('.')}: ${message}`),
  )
}

function toReceived(source: ReceivedAlert['source'], alert: z.output<typeof Alert>, at: number): ReceivedAlert {
  const { status, labels, annotations, startsAt, endsAt } = alert
  return {
    source,
    status,
    labels,
    annotations,
    startsAt,
    receivedAt: at,
    name: labels['alertname'] ?? '',
    // Year 1 and the like mean that it has not ended.
    endsAt: endsAt !== undefined && endsAt > 0 ? endsAt : null,
    fingerprint: alert.fingerprint ?? canonicalHash(labels).slice(0, 16),
  }
}
