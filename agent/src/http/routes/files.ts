import { createRoute, z } from '@hono/zod-openapi'
import {
  FileCheck,
  FileCheckRequest,
  GeneratedProvisioning,
  ProvisioningRequest,
  ReportVerification,
} from '../../contract/index.ts'
import { parseAlertingFile } from '../../provisioning/readAlertingFile.ts'
import { provision } from '../../provisioning/provision.ts'
import { readPrometheusRules } from '../../provisioning/prometheusRules.ts'
import { compileRollout } from '../../rollout/compileRollout.ts'
import { describeSelection } from '../../rollout/tableSelection.ts'
import { ReportRefused, parseReport, verifyReport } from '../../signature/verify.ts'
import type { App, ApiDependencies } from '../dependencies.ts'
import { openApiResponses, requireRight } from '../routeHelpers.ts'

const jsonBody = <S extends z.ZodType>(schema: S) => ({
  body: { content: { 'application/json': { schema } }, required: true as const },
})

const verifyReportRoute = createRoute({
  method: 'post',
  path: '/v1/files/report',
  request: jsonBody(z.record(z.string(), z.unknown()).openapi({ description: 'a report as it was downloaded' })),
  responses: openApiResponses(200, ReportVerification, 'verified with the trusted keys and the key of this agent'),
})
const checkFileRoute = createRoute({
  method: 'post',
  path: '/v1/files/rollout',
  request: jsonBody(FileCheckRequest),
  responses: openApiResponses(200, FileCheck, 'checked; nothing in the file was run, and nothing was stored'),
})
const provisioningRoute = createRoute({
  method: 'post',
  path: '/v1/files/provisioning',
  request: jsonBody(ProvisioningRequest),
  responses: openApiResponses(200, GeneratedProvisioning, 'the provisioning files for the rollouts of this agent'),
})

/** What the commands without an agent do, for people who work in Grafana. */
export function fileRoutes(app: App, deps: ApiDependencies): void {
  const { config, rollouts } = deps
  app.openapi(verifyReportRoute, async (c) => {
    requireRight(deps, c.get('caller'), 'read')
    return c.json(await verify(await c.req.text(), config), 200)
  })
  app.openapi(checkFileRoute, (c) => {
    requireRight(deps, c.get('caller'), 'read')
    const { name, text } = c.req.valid('json')
    const { rollout, group, faults } = compileRollout(name, text)
    if (group !== undefined)
      return c.json(
        { faults: [], rollout: group.name, table: describeSelection(group.tables), loaded: 'none' as const },
        200,
      )
    if (rollout === undefined || faults.length > 0)
      return c.json({ faults: [...faults], rollout: null, table: null, loaded: null }, 200)
    const current = rollouts.find((candidate) => candidate.name === rollout.name)
    const loaded =
      current === undefined
        ? ('none' as const)
        : current.hash === rollout.hash
          ? ('same' as const)
          : current.derivationHash === rollout.derivationHash
            ? ('derives alike' as const)
            : ('derives differently' as const)
    return c.json(
      { faults: [], rollout: rollout.name, table: `${rollout.table.schema}.${rollout.table.name}`, loaded },
      200,
    )
  })
  app.openapi(provisioningRoute, async (c) => {
    // The files hold the addresses of the contacts, which only editors see.
    requireRight(deps, c.get('caller'), 'attest')
    const { file, faults } = parseAlertingFile('alerting.yaml', c.req.valid('json').text)
    if (file === null) return c.json({ faults: [...faults], files: [], unreachable: [] }, 200)
    const contacts = rollouts.map((rollout) => ({
      environment: config.environment,
      rollout: rollout.name,
      contacts: rollout.file.contacts,
    }))
    // Without the user's own configuration, which only the command reads, there is no file for Alertmanager.
    const { grafana, unreachable, notes } = provision(file, await readPrometheusRules(), contacts)
    return c.json({ faults: [], files: [...grafana], unreachable: [...unreachable, ...notes] }, 200)
  })
}

async function verify(
  text: string,
  { trustedKeys, signingKey }: Pick<ApiDependencies['config'], 'trustedKeys' | 'signingKey'>,
): Promise<ReportVerification> {
  const keys = signingKey === null ? trustedKeys : [...trustedKeys, signingKey.publicKey]
  try {
    const { report, key } = await verifyReport(parseReport(text), keys)
    const { rollout, environment, generatedAt, generatedBy, verified } = report
    return { valid: true, why: null, rollout, environment, generatedAt, generatedBy, kid: key.kid, verified }
  } catch (error) {
    if (!(error instanceof ReportRefused)) throw error
    return {
      valid: false,
      why: error.message,
      rollout: null,
      environment: null,
      generatedAt: null,
      generatedBy: null,
      kid: null,
      verified: null,
    }
  }
}
