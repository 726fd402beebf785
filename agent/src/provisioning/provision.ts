import { stringify } from 'yaml'
import { alertmanagerConfig } from './alertmanagerConfig.ts'
import { planEscalation, type RolloutContacts } from './escalation.ts'
import { grafanaContactPoints } from './grafanaContactPoints.ts'
import type { AlertingFile } from './alertingFile.ts'
import { grafanaRules } from './grafanaRules.ts'
import type { RuleGroup } from './prometheusRules.ts'

export interface ProvisioningFiles {
  /** By its name, for Grafana's folder provisioning/alerting. */
  readonly grafana: readonly { readonly name: string; readonly text: string }[]
  readonly alertmanager: string
  /** Whom nobody could call, in a sentence each. */
  readonly unreachable: readonly string[]
}

const GENERATED_HEADER = '# Written by sti provisioning: change its source, not this file.\n'

/** Everything that leads an alert to the agents and to people; the same for the same input. */
export function provision(
  file: AlertingFile,
  groups: readonly RuleGroup[],
  rollouts: readonly RolloutContacts[],
): ProvisioningFiles {
  const { calls, unreachable } = planEscalation(rollouts, file.contactPoints)
  return {
    grafana: [
      { name: 'sti-rules.yaml', text: toYaml(grafanaRules(file, groups, calls)) },
      { name: 'sti-contact-points.yaml', text: toYaml(grafanaContactPoints(file, calls)) },
    ],
    alertmanager: toYaml(alertmanagerConfig(file, calls)),
    unreachable,
  }
}

const toYaml = (value: unknown): string =>
  GENERATED_HEADER + stringify(value, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false })
