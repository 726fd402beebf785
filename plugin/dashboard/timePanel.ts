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
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import {
  axisRange,
  colorOverride,
  LEGEND_ONLY,
  LINE_STYLES,
  textMappings,
  unit,
  valueMappings,
} from './fieldOverrides.ts'
import type { PanelScope, Worse } from './panelScope.ts'
import { instantQuery, rangeQuery, PROMETHEUS } from './targets.ts'

const NO_CURRENT_VALUE = { type: 'special', options: { match: 'null', result: { text: '–', index: 0 } } } as never

/**
 * Lines over time. The legend is a list: at this size Grafana gives a legend 88 pixels, which is two rows of a table or four
 * lines. A red area marks the time when no agent could be scraped. In a fleet, the legend has the number of members that do not
 * report.
 */
export function timePanel(scope: PanelScope, description: string, noValueText: string) {
  const panel = new PanelBuilder()
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
    .withTarget(rangeQuery('Silent', 'no response', `(${scope.noAgentScraped}) + 1`))
    // Override by name, not by query: hiding the query would hide its time field, which is the time axis.
    .overrideByName('no response', [
      colorOverride('red'),
      ...axisRange(0, 1),
      { id: 'custom.hideFrom', value: { legend: true, tooltip: true, viz: false } },
      { id: 'custom.axisPlacement', value: 'hidden' },
      { id: 'custom.lineWidth', value: 0 },
      { id: 'custom.fillOpacity', value: 25 },
    ])
  if (scope.fleet !== null)
    return panel
      .withTarget(instantQuery('Stale', 'not reporting', `count(${scope.fleet.silent})`))
      .overrideByName('not reporting', [colorOverride('red'), unit('none'), ...LEGEND_ONLY])
  return panel
    .withTarget(instantQuery('Stale', 'stale', `(${scope.noAgentScraped}) + 1`))
    .overrideByName('stale', [
      colorOverride('red'),
      valueMappings(textMappings({ '1': ['no agent responds', 'red'] })),
      ...LEGEND_ONLY,
    ])
}

interface Line {
  readonly refId: string
  readonly name: string
  readonly series: string
  readonly color: string
  readonly properties?: readonly DynamicConfigValue[]
  /** The value that is worse; that of several agents of one member, too. */
  readonly worse?: Worse
  /** How many members of a fleet it shows. */
  readonly members?: number
}

/** Adds a line, or in a fleet the lines of the members where it was worst in the time range, each with the member's name. */
export function withLine(
  panel: PanelBuilder,
  scope: PanelScope,
  { refId, name, series, color, properties = [], worse = 'highest', members = 1 }: Line,
): PanelBuilder {
  const { fleet } = scope
  if (fleet === null)
    return panel
      .withTarget(rangeQuery(refId, name, scope.each(series, undefined, worse === 'highest' ? 'max' : 'min')))
      .overrideByName(name, [colorOverride(color), ...properties])
  for (const [index, style] of LINE_STYLES.slice(0, members).entries()) {
    const ranked = members === 1 ? refId : `${refId}${index + 1}`
    panel
      .withTarget(rangeQuery(ranked, `${name} {{name}}`, fleet.worstLine(series, index + 1, worse)))
      .overrideByQuery(ranked, [style])
  }
  return panel.overrideByRegexp(`/^${name} /`, [colorOverride(color), ...properties])
}
