import { Alert, Badge, LoadingPlaceholder, Text } from '@grafana/ui'
import { type BaselineComparisonItem, signalUnit } from '@sti-rollout/agent/contract'
import { formatCount, formatValue } from '@sti-rollout/agent/format'
import React from 'react'
import { compareBaseline } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { formatTime } from '../formatTime'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { VERDICT_COLORS } from '../validation/verdicts'

const COLUMNS = ['Verdict', 'Name', 'Baseline', 'Now', 'Ratio', 'Limit', 'Detail'] as const
/** The agent sends the queries that slowed down most first. */
const MAXIMUM_QUERIES = 10

interface Props {
  environment: Environment
  rollout: string
  id: number
}

/** Every signal and query as it is now, next to its value in the baseline. */
export function BaselineComparisonView({ environment, rollout, id }: Props) {
  const { data, error } = usePolling(`${environment.name}/${rollout}/${id}`, (signal) =>
    compareBaseline(environment.agent, rollout, id, signal),
  )
  if (!data) {
    if (!error) return <LoadingPlaceholder text="Comparing with the baseline…" />
    return (
      <Alert severity="warning" title="Cannot compare with the baseline">
        {error.message}
      </Alert>
    )
  }
  return (
    <>
      <p>
        <Badge text={data.verdict} color={VERDICT_COLORS[data.verdict]} />{' '}
        {`${formatTime(data.from)} to ${formatTime(data.until)}, compared with baseline ${data.baseline.id}`}
      </p>
      {data.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      <ResponsiveTable columns={COLUMNS}>
        <tbody>
          {data.signals.map((item) => (
            <ComparisonRow
              key={item.name}
              item={item}
              format={(value) => formatValue(value, signalUnit(item.name) ?? 'count')}
            />
          ))}
        </tbody>
      </ResponsiveTable>
      {data.queries.length > 0 && (
        <>
          <Text element="h3" variant="h5">
            {`Queries: ${formatCount(Math.min(MAXIMUM_QUERIES, data.queries.length))} of ${formatCount(data.queries.length)}`}
          </Text>
          <ResponsiveTable columns={COLUMNS}>
            <tbody>
              {data.queries.slice(0, MAXIMUM_QUERIES).map((item) => (
                <ComparisonRow key={item.name} item={item} format={(value) => formatValue(value, 'seconds')} />
              ))}
            </tbody>
          </ResponsiveTable>
        </>
      )}
    </>
  )
}

function ComparisonRow({ item, format }: { item: BaselineComparisonItem; format: (value: number | null) => string }) {
  const { name, verdict, baseline, now, ratio, limit, detail } = item
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        {verdict ? (
          <Badge text={verdict} color={VERDICT_COLORS[verdict]} />
        ) : (
          <Badge text="not evaluated" color="blue" />
        )}
      </td>
      <td data-column={COLUMNS[1]}>{name}</td>
      <td data-column={COLUMNS[2]}>{format(baseline)}</td>
      <td data-column={COLUMNS[3]}>{format(now)}</td>
      <td data-column={COLUMNS[4]}>{formatValue(ratio, 'multiple')}</td>
      {/* The limit of the error ratio is a share of the requests; every other limit is a multiple of the baseline. */}
      <td data-column={COLUMNS[5]}>{formatValue(limit, name === 'api-error-ratio' ? 'ratio' : 'multiple')}</td>
      <td data-column={COLUMNS[6]}>{detail || '–'}</td>
    </tr>
  )
}
