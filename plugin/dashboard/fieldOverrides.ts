import { ThresholdsMode, type DynamicConfigValue, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard'
import { ThresholdsConfigBuilder } from '@grafana/grafana-foundation-sdk/dashboard'

/** The color from a value upward; null begins at the lowest value. */
export type ThresholdStep = readonly [from: number | null, color: string]

export const thresholds = (...steps: ThresholdStep[]) =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(([value, color]) => ({ value: value as number, color })))

export const fixedColor = (color: string) => ({ mode: 'fixed', fixedColor: color })

/** Maps values to a text and a color. */
export function textMappings(values: Record<string, readonly [text: string, color: string]>): ValueMapping[] {
  const options = Object.fromEntries(
    Object.entries(values).map(([value, [text, color]], index) => [value, { text, color, index }]),
  )
  return [{ type: 'value', options } as ValueMapping]
}

export const unit = (value: string): DynamicConfigValue => ({ id: 'unit', value })
export const decimals = (value: number): DynamicConfigValue => ({ id: 'decimals', value })
export const displayNameOverride = (value: string): DynamicConfigValue => ({ id: 'displayName', value })
export const valueMappings = (value: ValueMapping[]): DynamicConfigValue => ({ id: 'mappings', value })
export const colorOverride = (color: string): DynamicConfigValue => ({ id: 'color', value: fixedColor(color) })
export const thresholdsOverride = (...steps: ThresholdStep[]): DynamicConfigValue => ({
  id: 'thresholds',
  value: { mode: ThresholdsMode.Absolute, steps: steps.map(([value, color]) => ({ value, color })) },
})
export const columnWidth = (value: number): DynamicConfigValue => ({ id: 'custom.width', value })
/** For names, whose column takes the rest of the width. */
export const NAME_WIDTH: DynamicConfigValue = { id: 'custom.minWidth', value: 110 }
export const cellType = (type: 'color-text' | 'auto'): DynamicConfigValue => ({
  id: 'custom.cellOptions',
  value: { type },
})

/** Shows the value of a series in the legend without a line, so that a third unit needs no third axis. */
export const LEGEND_ONLY: readonly DynamicConfigValue[] = [
  { id: 'custom.lineWidth', value: 0 },
  { id: 'custom.fillOpacity', value: 0 },
  { id: 'custom.axisPlacement', value: 'hidden' },
]

/** A line on a scale of its own, whose value is in the legend: Grafana separates the series of a right axis from the legend. */
export const ownScale: DynamicConfigValue = { id: 'custom.axisPlacement', value: 'hidden' }

/** A line whose value is in the tooltip but not in the legend, which has room for five lines. */
export const NOT_IN_LEGEND: DynamicConfigValue = {
  id: 'custom.hideFrom',
  value: { legend: true, tooltip: false, viz: false },
}

/** The lines of one color: solid, dashed, dotted. */
export const LINE_STYLES: readonly DynamicConfigValue[] = [
  { id: 'custom.lineStyle', value: { fill: 'solid' } },
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 6] } },
  { id: 'custom.lineStyle', value: { fill: 'dot', dash: [0, 6] } },
]

/** The limit of a line: dashed and thicker. */
export const DASHED_LIMIT_LINE: readonly DynamicConfigValue[] = [
  { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 5] } },
  { id: 'custom.lineWidth', value: 2 },
  NOT_IN_LEGEND,
]

export const axisRange = (min: number, max?: number): DynamicConfigValue[] => [
  { id: 'min', value: min },
  ...(max === undefined ? [] : [{ id: 'max', value: max }]),
]
