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
import { colored, mapped, texts, thresholds } from './look.ts'
import { SILENT } from './series.ts'
import { now, PROMETHEUS } from './targets.ts'

/** Values in their own units, side by side; one that says so when no agent of the environment answers the scrape. */
export const statPanel = (title: string, description: string, empty: string) =>
  new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .noValue(empty)
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.None)
    .justifyMode(BigValueJustifyMode.Auto)
    .textMode(BigValueTextMode.ValueAndName)
    .orientation(VizOrientation.Auto)
    .wideLayout(false)
    .text(new VizTextDisplayOptionsBuilder().titleSize(12).valueSize(18))
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['last']).values(false).fields(''))
    .thresholds(thresholds([null, 'text']))
    .withTarget(now('Stale', 'agent', SILENT))
    .overrideByQuery('Stale', [colored('red'), mapped(texts({ '0': ['stale', 'red'] }))])
