import type { EscalationReceiver } from './escalation.ts'
import type { AlertingFile } from './alertingFile.ts'

/** The parts of a user's Alertmanager configuration that STI reads and extends; everything else is kept as it is. */
export interface AlertmanagerBase {
  readonly global?: Readonly<Record<string, unknown>>
  readonly route: Readonly<Record<string, unknown>> & { readonly routes?: readonly unknown[] }
  readonly receivers: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[]
}

const AGENTS_RECEIVER = 'sti-agents'

/** Adds STI's routes, before the user's, and STI's receivers to the user's configuration. */
export function alertmanagerConfig(
  base: AlertmanagerBase,
  file: AlertingFile,
  escalation: readonly EscalationReceiver[],
): unknown {
  const agents = {
    matchers: ['sti_receiver="agents"'],
    receiver: AGENTS_RECEIVER,
    group_by: ['alertname', 'environment', 'rollout', 'change', 'agent'],
    group_wait: '0s',
    group_interval: '10s',
    repeat_interval: '1m',
  }
  const calls = escalation.map(({ environment, rollout, level, receiver }) => ({
    matchers: [
      'alertname="StiIncidentEscalation"',
      `environment=${JSON.stringify(environment)}`,
      `rollout=${JSON.stringify(rollout)}`,
      `level="${level}"`,
    ],
    receiver,
    group_by: ['alertname', 'environment', 'rollout'],
    group_wait: '0s',
    group_interval: '1m',
    repeat_interval: '15m',
    continue: true,
  }))
  return {
    ...base,
    route: { ...base.route, routes: [agents, ...calls, ...(base.route.routes ?? [])] },
    receivers: [
      ...base.receivers,
      {
        name: AGENTS_RECEIVER,
        webhook_configs: file.agents.map(({ url, alertmanagerTokenFile }) => ({
          url: `${url}/v1/webhooks/alertmanager`,
          http_config: { authorization: { type: 'Bearer', credentials_file: alertmanagerTokenFile } },
        })),
      },
      ...escalation.flatMap(({ receiver, email }) =>
        email === null ? [] : [{ name: receiver, email_configs: [{ to: email }] }],
      ),
    ],
  }
}

/** Why the configuration could not notify everybody; empty if it can. */
export function alertmanagerFaults(
  base: AlertmanagerBase,
  file: AlertingFile,
  escalation: readonly EscalationReceiver[],
): string[] {
  const known = new Set(base.receivers.map(({ name }) => name))
  const withoutToken = file.agents.filter(({ alertmanagerTokenFile }) => alertmanagerTokenFile === undefined)
  const withVariable = file.agents.filter(({ url }) => url.startsWith('$'))
  const isReachable = base.receivers.some((receiver) => Object.keys(receiver).some((key) => key.endsWith('_configs')))
  const email = escalation.find((call) => call.email !== null)
  const missingSettings = ['smtp_smarthost', 'smtp_from'].filter((name) => base.global?.[name] === undefined)
  return [
    ...withoutToken.map(
      ({ name }) => `agent ${name} has no alertmanagerTokenFile, so Alertmanager cannot send it alerts. Add one`,
    ),
    ...withVariable.map(
      ({ name, url }) => `the url of agent ${name} is ${url}, and Alertmanager reads no variables. Write the URL`,
    ),
    ...(isReachable
      ? []
      : ['no receiver of alertmanagerBase has a way to notify anybody, so nobody learns of an incident. Add one']),
    ...[AGENTS_RECEIVER, ...escalation.flatMap(({ receiver, email }) => (email === null ? [] : [receiver]))]
      .filter((name) => known.has(name))
      .map((name) => `alertmanagerBase already has a receiver ${name}. Use your configuration without STI’s receivers`),
    ...escalation
      .filter(({ receiver, email }) => email === null && !known.has(receiver))
      .map(
        ({ role, receiver }) =>
          `contactPoints sends the ${role} to ${receiver}, which is no receiver of alertmanagerBase`,
      ),
    ...(email === undefined || missingSettings.length === 0
      ? []
      : [`${email.email} is paged by email, but alertmanagerBase has no global ${missingSettings.join(' and ')}`]),
  ]
}
