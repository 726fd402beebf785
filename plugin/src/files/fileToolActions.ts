import type { IconName } from '@grafana/data'
import type { FileCheck } from '@sti-rollout/agent/contract'
import type { AgentDataSource } from '../agent/agentDataSources'
import { checkRolloutFile, generateProvisioning, verifyReport } from '../agent/toolCalls'

export interface FileToolResult {
  readonly ok: boolean
  readonly title: string
  readonly lines: readonly string[]
  readonly downloads: ReadonlyArray<{ readonly name: string; readonly text: string }>
}

export interface FileTool {
  readonly label: string
  readonly icon: IconName
  readonly description: string
  /** File types of the chooser. */
  readonly accept: string
  readonly defaultName: string
  /** @throws SyntaxError if a JSON file is not JSON; AgentError */
  run(agent: AgentDataSource, file: { readonly name: string; readonly text: string }): Promise<FileToolResult>
}

const LOADED_TEXT: Readonly<Record<NonNullable<FileCheck['loaded']>, string>> = {
  same: 'The agent has loaded exactly this file.',
  'derives alike': 'It derives types as the loaded file does, so that no step has to be repeated.',
  'derives differently': 'It derives types differently from the loaded file: expand, backfill and validate again.',
  none: 'The agent has loaded no file of this rollout.',
}

const verifyReportTool: FileTool = {
  label: 'Verify report',
  icon: 'shield',
  description:
    'Verifies hash and signature of a downloaded JSON report with the keys that this agent trusts, and its own.',
  accept: 'application/json,.json',
  defaultName: 'report.json',
  async run(agent, { text }) {
    const { valid, why, rollout, environment, generatedAt, generatedBy, kid, verified } = await verifyReport(
      agent,
      JSON.parse(text),
    )
    if (!valid) return { ok: false, title: 'The report cannot be trusted', lines: [why ?? ''], downloads: [] }
    return {
      ok: true,
      title: 'The report is valid',
      lines: [
        `${rollout} in ${environment}, generated at ${generatedAt} for ${generatedBy}`,
        `Key ${kid}`,
        verified ? 'Its validation was current' : 'Its validation was no longer current',
      ],
      downloads: [],
    }
  },
}

const checkFileTool: FileTool = {
  label: 'Check rollout file',
  icon: 'file-alt',
  description: 'Checks a rollout file without a database. Nothing in it is run, and nothing is stored.',
  accept: '.yaml,.yml',
  defaultName: 'rollout.yaml',
  async run(agent, { name, text }) {
    const { faults, rollout, table, loaded } = await checkRolloutFile(agent, name, text)
    if (loaded === null)
      return { ok: false, title: `The file has ${faults.length} faults`, lines: faults, downloads: [] }
    return { ok: true, title: `${rollout} is valid, for ${table}`, lines: [LOADED_TEXT[loaded]], downloads: [] }
  },
}

const provisioningTool: FileTool = {
  label: 'Provisioning files',
  icon: 'bell',
  description:
    'Writes the alert rules and contact points for Grafana, and an example for Alertmanager, from an alerting file and the contacts of this agent’s rollouts.',
  accept: '.yaml,.yml',
  defaultName: 'alerting.yaml',
  async run(agent, { text }) {
    const { faults, files, unreachable } = await generateProvisioning(agent, text)
    if (faults.length > 0) return { ok: false, title: 'The alerting file has faults', lines: faults, downloads: [] }
    return { ok: true, title: 'Download each file', lines: unreachable, downloads: files }
  },
}

export const FILE_TOOLS: readonly FileTool[] = [verifyReportTool, checkFileTool, provisioningTool]
