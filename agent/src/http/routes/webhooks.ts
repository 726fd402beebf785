import { createRoute, z } from '@hono/zod-openapi'
import { parseAlertmanagerWebhook, parseGrafanaWebhook, type ParsedAlerts } from '../../alert/parseWebhook.ts'
import { openApiResponses } from '../routeHelpers.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { Refusal } from '../problem.ts'
import type { WebhookVerifier } from '../webhookVerifier.ts'

const MAX_LISTED_FAULTS = 10

const ReceivedResponse = z
  .object({
    received: z.number().int(),
    faults: z.array(z.string()).describe('alerts of the message that are not valid, which were left out'),
  })
  .openapi('Received')

const grafanaWebhookRoute = createRoute({
  method: 'post',
  path: '/v1/webhooks/grafana',
  request: {
    headers: z.object({ 'x-sti-signature': z.string().optional(), 'x-sti-timestamp': z.string().optional() }),
  },
  responses: openApiResponses(202, ReceivedResponse, 'alerts of a Grafana contact point; processed afterwards'),
})
const alertmanagerWebhookRoute = createRoute({
  method: 'post',
  path: '/v1/webhooks/alertmanager',
  responses: openApiResponses(202, ReceivedResponse, 'alerts of Alertmanager; processed afterwards'),
})

/** Receives alerts. authentication.ts has checked the credential of the path, except for Grafana's signature. */
export function webhookRoutes(app: App, deps: ApiDependencies, verifier: WebhookVerifier | null): void {
  const { config, inbox } = deps
  const organizationId = Number((config.grafana?.audience ?? 'org:1').slice('org:'.length))
  app.openapi(grafanaWebhookRoute, async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer())
    const headers = c.req.valid('header')
    verifier!.verify(headers['x-sti-signature'], headers['x-sti-timestamp'], body)
    const { orgId, ...parsed } = parseGrafanaWebhook(body, Date.now())
    if (orgId !== organizationId)
      throw new Refusal(
        'forbidden',
        `The message is from organization ${orgId}; this agent serves organization ${organizationId}.`,
      )
    return c.json(enqueueAlerts(parsed), 202)
  })
  app.openapi(alertmanagerWebhookRoute, async (c) =>
    c.json(enqueueAlerts(parseAlertmanagerWebhook(new Uint8Array(await c.req.arrayBuffer()), Date.now())), 202),
  )

  function enqueueAlerts({ alerts, faults }: ParsedAlerts): z.infer<typeof ReceivedResponse> {
    deps.rejectAlerts(faults.length)
    const { dropped } = inbox.offer(alerts)
    if (dropped > 0)
      throw new Refusal(
        'refused',
        `The queue of alerts is full: ${alerts.length - dropped} of ${alerts.length} alerts were accepted. Send the message again later.`,
      )
    return { received: alerts.length, faults: faults.slice(0, MAX_LISTED_FAULTS) }
  }
}
