import type { EscalationReceiver } from './escalation.ts'
import type { AlertedAgent, AlertingFile } from './alertingFile.ts'
import { AGENTS_RECEIVER } from './grafanaRules.ts'

/** Contact points: one with a webhook per agent, signed with that agent's secret, and one per contact. */
export function grafanaContactPoints(file: AlertingFile, escalation: readonly EscalationReceiver[]): unknown {
  const agents = file.agents.flatMap((agent) => {
    const secret = secretReference(agent)
    if (secret === null) return []
    const hmacConfig = { secret, header: 'X-Sti-Signature', timestampHeader: 'X-Sti-Timestamp' }
    const settings = { url: `${agent.url}/v1/webhooks/grafana`, httpMethod: 'POST', hmacConfig }
    return [{ uid: `sti-agent-${agent.name}`, type: 'webhook', settings }]
  })
  const contacts = escalation
    .filter(({ email }) => email !== null)
    .map(({ receiver, email, id }) => ({
      orgId: file.organization,
      name: receiver,
      receivers: [{ uid: `sti-contact-${id}`, type: 'email', settings: { addresses: email, singleEmail: true } }],
    }))
  return {
    apiVersion: 1,
    contactPoints: [{ orgId: file.organization, name: AGENTS_RECEIVER, receivers: agents }, ...contacts],
  }
}

/** The secret's reference for Grafana's provisioning; null: this agent only receives alerts from Alertmanager. */
function secretReference({ secretFile, secretVariable }: AlertedAgent): string | null {
  if (secretFile !== undefined) return `$__file{${secretFile}}`
  return secretVariable === undefined ? null : `\${${secretVariable}}`
}
