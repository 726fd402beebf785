import { createRoute, z } from '@hono/zod-openapi'
import { parseAlertmanager, parseGrafana } from '../../alert/parse.ts'
import type { ReceivedAlert } from '../../alert/received.ts'
import { answers } from '../answers.ts'
import type { App, Parts } from '../parts.ts'
import { Refusal } from '../problem.ts'
import { createWebhookSignatures } from '../webhookSignature.ts'

const Received = z.object({ received: z.number().int() }).openapi('Received')

const grafana = createRoute({
  method: 'post',
  path: '/v1/webhooks/grafana',
  request: {
    headers: z.object({ 'x-sti-signature': z.string().optional(), 'x-sti-timestamp': z.string().optional() }),
  },
  responses: answers(202, Received, 'alerts of a contact point of Grafana, decided about afterwards'),
})
const alertmanager = createRoute({
  method: 'post',
  path: '/v1/webhooks/alertmanager',
  responses: answers(202, Received, 'alerts of Alertmanager, decided about afterwards'),
})

/** Where alerts arrive. Their credentials were checked by the path (authentication.ts), but for Grafana's signature. */
export function webhookRoutes(app: App, parts: Parts): void {
  const { config, inbox } = parts
  const signatures = config.webhookSecret === null ? null : createWebhookSignatures(config.webhookSecret)
  const organization = Number((config.grafana?.audience ?? 'org:1').slice('org:'.length))
  app.openapi(grafana, async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer())
    const headers = c.req.valid('header')
    if (signatures === null)
      throw new Refusal('not-found', 'This agent takes no webhook of Grafana: set STI_WEBHOOK_SECRET.')
    signatures.demand(headers['x-sti-signature'], headers['x-sti-timestamp'], body)
    const { orgId, alerts } = parseGrafana(body, Date.now())
    if (orgId !== organization)
      throw new Refusal('forbidden', `The message is of organization ${orgId}, and this agent serves ${organization}.`)
    return c.json(taken(alerts), 202)
  })
  app.openapi(alertmanager, async (c) =>
    c.json(taken(parseAlertmanager(new Uint8Array(await c.req.arrayBuffer()), Date.now())), 202),
  )

  function taken(alerts: readonly ReceivedAlert[]): { received: number } {
    if (!inbox.offer(alerts)) throw new Refusal('refused', 'Too many alerts wait to be decided about: send them again.')
    return { received: alerts.length }
  }
}
