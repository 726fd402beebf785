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
import { NO_AGENT_SCRAPED } from './promql.ts'
import { instantQuery, PROMETHEUS } from './targets.ts'

/** One row for each value, its name left and the value right, and a “stale” value if no agent of the environment can be scraped. */
export const statPanel = (description: string, noValueText: string) =>
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
    .withTarget(instantQuery('Stale', 'agent', NO_AGENT_SCRAPED))
    .overrideByQuery('Stale', [colorOverride('red'), valueMappings(textMappings({ '0': ['stale', 'red'] }))])
