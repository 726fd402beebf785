import type { EscalationReceiver } from './escalation.ts'
import type { AlertingFile } from './alertingFile.ts'

/** STI's routes and receivers, in a complete Alertmanager configuration. */
export function alertmanagerConfig(file: AlertingFile, escalation: readonly EscalationReceiver[]): unknown {
  const emailReceivers = escalation.filter(({ email }) => email !== null)
  return {
    global: { smtp_smarthost: 'smtp.example.com:587', smtp_from: 'alerts@example.com' },
    route: {
      receiver: 'yours',
      group_by: ['alertname', 'environment', 'rollout'],
      routes: [
        {
          matchers: ['sti_receiver="agents"'],
          receiver: 'sti-agents',
          group_by: ['alertname', 'environment', 'rollout', 'change', 'agent'],
          group_wait: '0s',
          group_interval: '10s',
          repeat_interval: '1m',
        },
        ...emailReceivers.map(({ environment, rollout, level, receiver }) => ({
          matchers: [
            'alertname="StiIncidentEscalation"',
            `environment=${JSON.stringify(environment)}`,
            `rollout=${JSON.stringify(rollout)}`,
            `level="${level}"`,
          ],
          receiver,
          group_wait: '0s',
          group_interval: '1m',
          repeat_interval: '15m',
          continue: true,
        })),
      ],
    },
    receivers: [
      { name: 'yours' },
      {
        name: 'sti-agents',
        webhook_configs: file.agents
          .filter(({ alertmanagerTokenFile }) => alertmanagerTokenFile !== undefined)
          .map(({ url, alertmanagerTokenFile }) => ({
            url: `${url}/v1/webhooks/alertmanager`,
            http_config: { authorization: { type: 'Bearer', credentials_file: alertmanagerTokenFile } },
          })),
      },
      ...emailReceivers.map(({ receiver, email }) => ({ name: receiver, email_configs: [{ to: email }] })),
    ],
  }
}
