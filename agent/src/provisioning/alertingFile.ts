import { z } from 'zod'
import { textField, strictObject, patternField } from '../rollout/schemaFields.ts'

const VariableNameSchema = patternField(/^[A-Z][A-Z0-9_]*$/, 'STI_STAGING_WEBHOOK_SECRET')

const AgentSchema = strictObject({
  name: patternField(/^[A-Za-z0-9][A-Za-z0-9_-]{0,24}$/, 'production-1'),
  url: z
    .string()
    .regex(
      /^(https?:\/\/[^\s$]+|\$\{[A-Z][A-Z0-9_]*\})$/,
      'is no address: write http://…, https://…, or a variable of Grafana’s environment as ${NAME}',
    )
    .describe('where Grafana, or Alertmanager, reaches the agent'),
  secretFile: textField().optional().describe('a file beside Grafana that holds STI_WEBHOOK_SECRET of this agent'),
  secretVariable: VariableNameSchema.optional().describe('or a variable of Grafana’s environment that holds it'),
  alertmanagerTokenFile: textField()
    .optional()
    .describe('a file beside Alertmanager that holds STI_ALERTMANAGER_TOKEN of this agent'),
}).refine(
  ({ secretFile, secretVariable, alertmanagerTokenFile: token }) =>
    secretFile === undefined ? secretVariable !== undefined || token !== undefined : secretVariable === undefined,
  'needs secretFile or secretVariable, and not both; or alertmanagerTokenFile',
)

/** What `sti provisioning` reads: which agents there are, and whose contacts are called. It holds no secret. */
export const AlertingSchema = strictObject({
  agents: z.array(AgentSchema).min(1, 'needs at least one agent'),
  rollouts: z
    .record(z.string().min(1), textField())
    .default({})
    .describe('by environment the folder of its rollout files, seen from this file: their contacts are called'),
  contactPoints: z
    .record(z.string().min(1), textField())
    .default({})
    .describe('by the role of a contact a contact point of your own, called instead of the e-mail address'),
  prometheus: textField(40).default('sti-prometheus').describe('uid of the data source in Grafana'),
  folder: textField(100).default('STI Rollout alerts').describe('Grafana’s folder of the rules'),
  organization: z.number().int().positive().default(1),
})

export type AlertingFile = z.output<typeof AlertingSchema>
export type AlertedAgent = AlertingFile['agents'][number]
