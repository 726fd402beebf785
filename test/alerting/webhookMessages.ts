import { createHmac } from 'node:crypto'
import type { TestAgent, TestAgentClient } from '../support/agent.ts'
import { TOKENS } from '../support/agent.ts'

export const WEBHOOK_SECRET = 'webhook-secret-of-a-test-007'
export const ALERTMANAGER_TOKEN = 'alertmanager-token-test-0008'

/** The configuration of an agent that accepts both webhooks. */
export const WEBHOOK_CONFIG = {
  webhookSecret: WEBHOOK_SECRET,
  tokens: {
    viewer: TOKENS.viewer,
    editor: TOKENS.editor,
    admin: TOKENS.admin,
    flag: TOKENS.flag,
    metrics: null,
    alertmanager: ALERTMANAGER_TOKEN,
  },
} as const

export interface WebhookAlert {
  readonly status?: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly startsAt?: string
  readonly fingerprint?: string
}

/** An alert of the rule for failed requests, as Grafana sends it. */
export function errorsHighAlert(change: string, labels: Readonly<Record<string, string>> = {}): WebhookAlert {
  return {
    labels: {
      alertname: 'StiApiErrorsHigh',
      severity: 'critical',
      sti_rollback: 'flag',
      environment: 'staging',
      rollout: 'vehicles',
      change,
      ...labels,
    },
    annotations: { summary: 'The API fails more often than its limit' },
  }
}

/** A message as Grafana 12 sends it. */
export function grafanaMessage(alerts: readonly WebhookAlert[], orgId = 1): string {
  return JSON.stringify({
    receiver: 'sti-agents',
    status: 'firing',
    orgId,
    version: '1',
    state: 'alerting',
    title: 'x',
    message: 'x',
    groupLabels: {},
    commonLabels: {},
    commonAnnotations: {},
    externalURL: 'http://grafana/',
    groupKey: '{}',
    alerts: alerts.map((alert, index) => ({
      status: 'firing',
      annotations: {},
      startsAt: new Date().toISOString(),
      endsAt: '0001-01-01T00:00:00Z',
      generatorURL: 'http://grafana/alerting/grafana/x/view',
      fingerprint: `f${index}`,
      values: { A: 1 },
      orgId,
      ...alert,
    })),
  })
}

export function signedHeaders(
  body: string,
  at: number = Math.floor(Date.now() / 1000),
  secret = WEBHOOK_SECRET,
): Record<string, string> {
  const signature = createHmac('sha256', secret).update(`${at}:`).update(body).digest('hex')
  return { 'content-type': 'application/json', 'x-sti-timestamp': String(at), 'x-sti-signature': signature }
}

export async function sendWebhook(
  agent: Pick<TestAgent, 'url'>,
  body: string,
  headers: Record<string, string> = signedHeaders(body),
  to: 'grafana' | 'alertmanager' = 'grafana',
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${agent.url}/v1/webhooks/${to}`, { method: 'POST', headers, body })
  return { status: answer.status, text: await answer.text() }
}

/** Turns the flag on past every gate, and returns the change. */
export async function forceFlagOn(agent: TestAgentClient): Promise<string> {
  const request = { kind: 'flag', environment: 'staging', parameters: { enabled: true, force: true }, reason: 'test' }
  const { status, body } = await agent.post('/v1/rollouts/vehicles/operations', request)
  if (status !== 202) throw new Error(JSON.stringify(body))
  return `flag-${(await agent.rollout()).flag.version}`
}
