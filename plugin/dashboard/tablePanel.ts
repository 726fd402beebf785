import { TableCellHeight } from '@grafana/grafana-foundation-sdk/common'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table'
import { thresholds } from './fieldOverrides.ts'
import { PROMETHEUS } from './targets.ts'

/**
 * One row for each value of the field `key`. The tables of all queries are joined. `columns` maps fields to headings in
 * order; other fields are left out.
 */
export function tablePanel(description: string, noValueText: string, key: string, columns: Record<string, string>) {
  const fieldNames = [key, ...Object.keys(columns)]
  return new PanelBuilder()
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
