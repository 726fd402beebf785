import { stringify } from 'yaml'
import { alertmanagerConfig } from './alertmanager.ts'
import { callsOf, type CalledRollout } from './calls.ts'
import { contactPoints } from './contactPoints.ts'
import type { AlertingFile } from './file.ts'
import { grafanaRules } from './grafanaRules.ts'
import type { RuleGroup } from './rules.ts'

export interface Provisioned {
  /** By its name, for Grafana's folder provisioning/alerting. */
  readonly grafana: readonly { readonly name: string; readonly text: string }[]
  readonly alertmanager: string
  /** Whom nobody could call, in a sentence each. */
  readonly unreachable: readonly string[]
}

const HEAD = '# Written by sti provisioning: change its source, not this file.\n'

/** Everything that leads an alert to the agents and to people; the same for the same input. */
export function provision(
  file: AlertingFile,
  groups: readonly RuleGroup[],
  rollouts: readonly CalledRollout[],
): Provisioned {
  const { calls, unreachable } = callsOf(rollouts, file.contactPoints)
  return {
    grafana: [
      { name: 'sti-rules.yaml', text: yaml(grafanaRules(file, groups, calls)) },
      { name: 'sti-contact-points.yaml', text: yaml(contactPoints(file, calls)) },
    ],
    alertmanager: yaml(alertmanagerConfig(file, calls)),
    unreachable,
  }
}

const yaml = (value: unknown): string =>
  HEAD + stringify(value, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false })
