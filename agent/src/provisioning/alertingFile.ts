import { z } from 'zod'
import { textField, strictObject, patternField } from '../rollout/schemaFields.ts'

const VariableNameSchema = patternField(/^[A-Z][A-Z0-9_]*$/, 'STI_STAGING_WEBHOOK_SECRET')

const AgentSchema = strictObject({
  name: patternField(/^[A-Za-z0-9][A-Za-z0-9_-]{0,24}$/, 'production-1'),
  url: z
    .string()
    .regex(
      /^(https?:\/\/[^\s$@]+|\$\{[A-Z][A-Z0-9_]*\})$/,
      'is not a URL. Write http://…, https://…, without a user name or password, or a variable of Grafana’s environment as ${NAME}.',
    )
    .describe('URL at which Grafana or Alertmanager reaches the agent'),
  secretFile: textField().optional().describe('file on Grafana’s host with the agent’s STI_WEBHOOK_SECRET'),
  secretVariable: VariableNameSchema.optional().describe('or a variable of Grafana’s environment with that secret'),
  alertmanagerTokenFile: textField()
    .optional()
    .describe('file on Alertmanager’s host with the agent’s STI_ALERTMANAGER_TOKEN'),
}).refine(
  ({ secretFile, secretVariable, alertmanagerTokenFile: token }) =>
    secretFile === undefined ? secretVariable !== undefined || token !== undefined : secretVariable === undefined,
  'needs either secretFile or secretVariable, or alertmanagerTokenFile',
)

/** The input of `sti provisioning`: the agents, and the rollouts whose contacts are paged. It contains no secret. */
export const AlertingSchema = strictObject({
  agents: z.array(AgentSchema).min(1, 'needs at least one agent'),
  rollouts: z
    .record(z.string().min(1), textField())
    .default({})
    .describe('folder of the rollout files by environment, relative to this file; their contacts are paged'),
  contactPoints: z
    .record(z.string().min(1), textField())
    .default({})
    .describe('your own contact point by role of the contact, used instead of the email address'),
  emailContactPoints: z
    .boolean()
    .default(true)
    .describe('false: no email address is written to Grafana, and each role needs an entry of contactPoints'),
  alertmanagerBase: textField()
    .optional()
    .describe('your own Alertmanager configuration, relative to this file; STI’s routes and receivers are added to it'),
  prometheus: textField(40).default('sti-prometheus').describe('uid of the data source in Grafana'),
  folder: textField(100).default('STI Rollout alerts').describe('Grafana folder of the rules'),
  organization: z.number().int().positive().default(1),
})

export type AlertingFile = z.output<typeof AlertingSchema>
export type AlertedAgent = AlertingFile['agents'][number]
