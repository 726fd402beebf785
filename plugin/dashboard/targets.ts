import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'

export const PROMETHEUS = { type: 'prometheus', uid: '${prometheus}' }

const query = (refId: string, expr: string, legend: string) =>
  new DataqueryBuilder().refId(refId).expr(expr).legendFormat(legend).datasource(PROMETHEUS)

/** The current value. */
export const instantQuery = (refId: string, legend: string, expr: string) => query(refId, expr, legend).instant()

/** The values over the time range of the dashboard. */
export const rangeQuery = (refId: string, legend: string, expr: string) => query(refId, expr, legend).range()

/** The current values as a table, one row for each set of labels. */
export const tableQuery = (refId: string, expr: string) =>
  query(refId, expr, '').instant().format(PromQueryFormat.Table)
