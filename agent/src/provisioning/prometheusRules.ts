import { readdir, readFile } from 'node:fs/promises'
import { parse } from 'yaml'

/** A group of a Prometheus rule file, with the fields that this project uses. */
export interface RuleGroup {
  readonly name: string
  readonly interval: string
  readonly rules: readonly AlertingRule[]
}

export interface AlertingRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations: Readonly<
    Record<'summary' | 'description' | 'rollout_url' | 'runbook_url' | 'dashboard' | 'panel', string>
  >
}

/** The same relative path from the sources and from the build. */
const RULES_FOLDER = new URL('../../../alerts/', import.meta.url)

/** Reads all alert rules from their only source, alerts/*.rules.yml. */
export async function readPrometheusRules(): Promise<RuleGroup[]> {
  const names = (await readdir(RULES_FOLDER)).filter((name) => name.endsWith('.rules.yml')).sort()
  const files = await Promise.all(names.map((name) => readFile(new URL(name, RULES_FOLDER), 'utf8')))
  return files.flatMap((text) => (parse(text) as { groups: RuleGroup[] }).groups)
}
