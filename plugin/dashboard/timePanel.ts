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
import { between, colored, mapped, texts, unit } from './look.ts'
import { SILENT } from './series.ts'
import { over, PROMETHEUS } from './targets.ts'

/** Lines over time with a table legend; a red shade where no agent of the environment answered the scrape. */
export const timePanel = (title: string, description: string, empty: string) =>
  new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .noValue(empty)
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
        .displayMode(LegendDisplayMode.Table)
        .placement(LegendPlacement.Bottom)
        .showLegend(true)
        .calcs(['last', 'max']),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.None))
    .withTarget(over('Stale', 'stale', `(${SILENT}) + 1`))
    .overrideByQuery('Stale', [
      colored('red'),
      unit('none'),
      mapped(texts({ '1': ['no answer', 'red'] })),
      ...between(0, 1),
      { id: 'custom.axisPlacement', value: 'hidden' },
      { id: 'custom.lineWidth', value: 0 },
      { id: 'custom.fillOpacity', value: 25 },
    ])
