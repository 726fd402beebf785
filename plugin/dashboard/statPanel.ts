import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  ReduceDataOptionsBuilder,
  VizOrientation,
  VizTextDisplayOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { colorOverride, valueMappings, textMappings, thresholds } from './fieldOverrides.ts'
import type { PanelScope } from './panelScope.ts'
import { instantQuery, PROMETHEUS } from './targets.ts'

/** One row for each value, its name left and the value right. */
export const valuesPanel = (description: string, noValueText: string) =>
  new PanelBuilder()
    .description(description)
    .datasource(PROMETHEUS)
    .noValue(noValueText)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .justifyMode(BigValueJustifyMode.Auto)
    .textMode(BigValueTextMode.ValueAndName)
    .orientation(VizOrientation.Horizontal)
    .wideLayout(true)
    .text(new VizTextDisplayOptionsBuilder().titleSize(13).valueSize(15))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['last']).values(false).fields(''))
    .thresholds(thresholds([null, 'text']))

/**
 * The values, and a “stale” value if no agent of the environment can be scraped. In a fleet it is the number of members that do not report: no sum has them.
 */
export function statPanel(scope: PanelScope, description: string, noValueText: string) {
  const panel = valuesPanel(description, noValueText)
  if (scope.fleet !== null)
    return panel
      .withTarget(instantQuery('Stale', 'not reporting', `count(${scope.fleet.silent})`))
      .overrideByQuery('Stale', [colorOverride('red')])
  return panel
    .withTarget(instantQuery('Stale', 'agent', scope.noAgentScraped))
    .overrideByQuery('Stale', [colorOverride('red'), valueMappings(textMappings({ '0': ['stale', 'red'] }))])
}
