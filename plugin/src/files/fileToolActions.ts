import type { IconName } from '@grafana/data'
import type { Action, FileCheck } from '@sti-rollout/agent/contract'
import { formatQuantity } from '@sti-rollout/agent/format'
import type { AgentDataSource } from '../agent/agentDataSources'
import { checkRolloutFile, generateProvisioning, verifyReport } from '../agent/toolCalls'

export interface FileToolResult {
  readonly ok: boolean
  readonly title: string
  readonly lines: readonly string[]
  readonly downloads: ReadonlyArray<{ readonly name: string; readonly text: string }>
}

export interface FileTool {
  /** The text of the button, here and in the dialog: a verb. */
  readonly label: string
  readonly icon: IconName
  readonly description: string
  /** File types of the chooser. */
  readonly accept: string
  readonly defaultName: string
  /** The action whose right it requires; everyone who can read may use the others. */
  readonly requires?: Action
  /** @throws SyntaxError if a JSON file is not JSON; AgentError */
  run(agent: AgentDataSource, file: { readonly name: string; readonly text: string }): Promise<FileToolResult>
}

const LOADED_TEXT: Readonly<Record<NonNullable<FileCheck['loaded']>, string>> = {
  same: 'The agent has loaded exactly this file.',
  'derives alike': 'The loaded file differs, but both derive the same types. No step has to be repeated.',
  'derives differently':
    'The loaded file derives other types. If you load this file, expand, backfill and validate again.',
  none: 'The agent has not loaded a file of this rollout.',
}

const verifyReportTool: FileTool = {
  label: 'Verify report',
  icon: 'shield',
  description:
    'Verifies the hash and the signature of a downloaded JSON report with the key of this agent and the keys it trusts.',
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
        verified ? 'Its validation was current.' : 'Its validation was not current.',
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
      return {
        ok: false,
        title: `The file has ${formatQuantity(faults.length, 'fault')}`,
        lines: faults,
        downloads: [],
      }
    return { ok: true, title: `${rollout} is valid, for ${table}`, lines: [LOADED_TEXT[loaded]], downloads: [] }
  },
}

const provisioningTool: FileTool = {
  label: 'Generate provisioning files',
  icon: 'bell',
  description:
    'Generates the alert rules and contact points for Grafana from an alerting file and the contacts of this agent’s rollouts.',
  accept: '.yaml,.yml',
  defaultName: 'alerting.yaml',
  // The files contain the addresses of the contacts, which only editors see.
  requires: 'attest',
  async run(agent, { text }) {
    const { faults, files, unreachable } = await generateProvisioning(agent, text)
    if (faults.length > 0)
      return {
        ok: false,
        title: `The file has ${formatQuantity(faults.length, 'fault')}`,
        lines: faults,
        downloads: [],
      }
    return { ok: true, title: 'Download each file', lines: unreachable, downloads: files }
  },
}

export const FILE_TOOLS: readonly FileTool[] = [verifyReportTool, checkFileTool, provisioningTool]
