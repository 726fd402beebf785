import {
  AxisColorMode,
  AxisPlacement,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  LineInterpolation,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { axisRange, colorOverride, LEGEND_ONLY, valueMappings, textMappings } from './fieldOverrides.ts'
import { NO_AGENT_SCRAPED } from './promql.ts'
import { instantQuery, rangeQuery, PROMETHEUS } from './targets.ts'

const NO_CURRENT_VALUE = { type: 'special', options: { match: 'null', result: { text: '–', index: 0 } } } as never

/**
 * Lines over time. The legend is a list: at this size Grafana gives a legend 88 pixels, which is two rows of a table or four
 * lines. A red area marks the time when no agent of the environment could be scraped.
 */
export const timePanel = (description: string, noValueText: string) =>
  new PanelBuilder()
    .description(description)
    .datasource(PROMETHEUS)
    .noValue(noValueText)
    // Without it, the legend shows the text of an empty panel for each line that has no value now.
    .mappings([NO_CURRENT_VALUE])
    .interval('5s')
    .drawStyle(GraphDrawStyle.Line)
    .lineInterpolation(LineInterpolation.Linear)
    .lineWidth(1)
    .fillOpacity(0)
    .showPoints(VisibilityMode.Never)
    .spanNulls(15_000)
    .axisPlacement(AxisPlacement.Auto)
    .axisColorMode(AxisColorMode.Text)
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['last']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.None))
    .withTarget(rangeQuery('Silent', 'no response', `(${NO_AGENT_SCRAPED}) + 1`))
    .withTarget(instantQuery('Stale', 'stale', `(${NO_AGENT_SCRAPED}) + 1`))
    // Override by name, not by query: hiding the query would hide its time field, which is the time axis.
    .overrideByName('no response', [
      colorOverride('red'),
      ...axisRange(0, 1),
      { id: 'custom.hideFrom', value: { legend: true, tooltip: true, viz: false } },
      { id: 'custom.axisPlacement', value: 'hidden' },
      { id: 'custom.lineWidth', value: 0 },
      { id: 'custom.fillOpacity', value: 25 },
    ])
    .overrideByName('stale', [
      colorOverride('red'),
      valueMappings(textMappings({ '1': ['no agent responds', 'red'] })),
      ...LEGEND_ONLY,
    ])
