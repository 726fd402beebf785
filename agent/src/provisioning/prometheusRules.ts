import { existsSync } from 'node:fs'
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

/** A build has a copy of the rules; a checkout has them at its root. */
const BUILT_RULES = new URL('../alerts/', import.meta.url)
const RULES_FOLDER = existsSync(BUILT_RULES) ? BUILT_RULES : new URL('../../../alerts/', import.meta.url)

/** Reads all alert rules from their only source, alerts/*.rules.yml. */
export async function readPrometheusRules(): Promise<RuleGroup[]> {
  const names = (await readdir(RULES_FOLDER)).filter((name) => name.endsWith('.rules.yml')).sort()
  const files = await Promise.all(names.map((name) => readFile(new URL(name, RULES_FOLDER), 'utf8')))
  return files.flatMap((text) => (parse(text) as { groups: RuleGroup[] }).groups)
}
