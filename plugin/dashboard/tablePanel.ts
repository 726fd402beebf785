import { TableCellHeight } from '@grafana/grafana-foundation-sdk/common'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table'
import { thresholds } from './fieldOverrides.ts'
import { PROMETHEUS } from './targets.ts'

/**
 * One row for each value of `key`: every query answers a table, they are joined, and the columns named in order.
 * `columns` maps a field to its heading; what is not named is left out.
 */
export function tablePanel(
  title: string,
  description: string,
  noValueText: string,
  key: string,
  columns: Record<string, string>,
) {
  const fieldNames = [key, ...Object.keys(columns)]
  return new PanelBuilder()
    .title(title)
    .description(description)
    .datasource(PROMETHEUS)
    .noValue(noValueText)
    .cellHeight(TableCellHeight.Sm)
    .showHeader(true)
    .minWidth(40)
    .thresholds(thresholds([null, 'text']))
    .overrideByRegexp('.*', [{ id: 'noValue', value: '–' }])
    .withTransformation({
      id: 'filterFieldsByName',
      options: { include: { pattern: `^(${fieldNames.map((name) => name.replace('#', '\\#')).join('|')})$` } },
    })
    .withTransformation({ id: 'joinByField', options: { byField: key, mode: 'outer' } })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: {},
        includeByName: {},
        indexByName: Object.fromEntries(fieldNames.map((name, index) => [name, index])),
        renameByName: columns,
      },
    })
}
