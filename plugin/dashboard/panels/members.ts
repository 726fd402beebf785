import { VizOrientation } from '@grafana/grafana-foundation-sdk/common'
import { thresholdsOverride } from '../fieldOverrides.ts'
import { fleetScope } from '../panelScope.ts'
import { valuesPanel } from '../statPanel.ts'
import { instantQuery } from '../targets.ts'

const { rollout, environment, each } = fleetScope
const { members, reporting, silent, countOrZero } = fleetScope.fleet

const flag = each(`${rollout('sti_flag_enabled')} * ${rollout('sti_flag_percentage')}`)
const notInSync = `${each(rollout('sti_flag_consistent'), undefined, 'min')} == 0`
const databaseDown = `(${each(environment('sti_database_up'))} == 0) and ${reporting}`

/** The color of a count above zero. */
const fromOne = (color: string) => [thresholdsOverride([null, 'text'], [1, color])]

/** The members of a fleet, above its panels: a member that does not report is in none of their sums. */
export const membersPanel = valuesPanel(
  'The databases that have the rollout: how many there are, how many do not report or have trouble, and where the flag is on. A member that stops reporting is counted for a day. An agent that Prometheus has not reached for a day may have any rollout, and is counted, too.',
  'Prometheus scrapes no agent of this rollout. Add the agents as targets of the job sti-agent.',
)
  .orientation(VizOrientation.Auto)
  .withTarget(instantQuery('Members', 'members', `count(${members})`))
  .withTarget(instantQuery('Silent', 'not reporting', countOrZero(silent)))
  .withTarget(instantQuery('Database', 'database down', countOrZero(databaseDown)))
  .withTarget(instantQuery('Incidents', 'with an incident', countOrZero(each(rollout('sti_incident_open_seconds')))))
  .withTarget(instantQuery('On', 'flag on', countOrZero(`${flag} == 100`)))
  .withTarget(instantQuery('Partly', 'partly on', countOrZero(`${flag} > 0 < 100`)))
  .withTarget(instantQuery('Off', 'flag off', countOrZero(`${flag} == 0`)))
  .withTarget(instantQuery('Stale', 'not in sync', countOrZero(notInSync)))
  .unit('locale')
  .decimals(0)
  .overrideByQuery('Silent', fromOne('red'))
  .overrideByQuery('Database', fromOne('red'))
  .overrideByQuery('Incidents', fromOne('red'))
  .overrideByQuery('On', fromOne('green'))
  .overrideByQuery('Partly', fromOne('purple'))
  .overrideByQuery('Stale', fromOne('orange'))
