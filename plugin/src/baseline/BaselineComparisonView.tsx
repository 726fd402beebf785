import { Alert, Badge, LoadingPlaceholder, Text } from '@grafana/ui'
import type { BaselineComparisonItem } from '@sti-rollout/agent/contract'
import React from 'react'
import { compareBaseline } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolling } from '../agent/usePolling'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { VERDICT_COLORS } from '../validation/verdicts'
import { formatTime, formatCount, formatExactPercent } from '../format'
import { formatSignalValue, formatShortDuration } from './formatSignalValue'

const COLUMNS = ['Verdict', 'Name', 'Baseline', 'Now', 'Ratio', 'Limit', 'Detail'] as const
/** The slowest against the baseline come first. */
const MAXIMUM_QUERIES = 10

interface Props {
  environment: Environment
  rollout: string
  id: number
}

/** Every signal and query as it is now, beside the baseline. */
export function BaselineComparisonView({ environment, rollout, id }: Props) {
  const { data, error } = usePolling(`${environment.name}/${rollout}/${id}`, (signal) =>
    compareBaseline(environment.agent, rollout, id, signal),
  )
  if (!data) {
    if (!error) return <LoadingPlaceholder text="The agent compares…" />
    return (
      <Alert severity="warning" title="It cannot be compared">
        {error.message}
      </Alert>
    )
  }
  return (
    <>
      <p>
        <Badge text={data.verdict} color={VERDICT_COLORS[data.verdict]} />{' '}
        {`${formatTime(data.from)} to ${formatTime(data.until)}, against baseline ${data.baseline.id}`}
      </p>
      {data.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      <ResponsiveTable columns={COLUMNS}>
        <tbody>
          {data.signals.map((one) => (
            <ComparisonRow key={one.name} one={one} told={(value) => formatSignalValue(one.name, value)} />
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
              {data.queries.slice(0, MAXIMUM_QUERIES).map((one) => (
                <ComparisonRow
                  key={one.name}
                  one={one}
                  told={(value) => (value === null ? '–' : formatShortDuration(value))}
                />
              ))}
            </tbody>
          </ResponsiveTable>
        </>
      )}
    </>
  )
}

function ComparisonRow({ one, told }: { one: BaselineComparisonItem; told: (value: number | null) => string }) {
  const { name, verdict, baseline, now, ratio, limit, detail } = one
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        {verdict ? <Badge text={verdict} color={VERDICT_COLORS[verdict]} /> : <Badge text="shown" color="blue" />}
      </td>
      <td data-column={COLUMNS[1]}>{name}</td>
      <td data-column={COLUMNS[2]}>{told(baseline)}</td>
      <td data-column={COLUMNS[3]}>{told(now)}</td>
      <td data-column={COLUMNS[4]}>{ratio === null ? '–' : `${ratio.toFixed(2)} ×`}</td>
      {/* Of errors the limit is a share of requests; of all else it is one of now / baseline. */}
      <td data-column={COLUMNS[5]}>
        {limit === null ? '–' : name === 'api-error-ratio' ? formatExactPercent(limit) : `${limit.toFixed(2)} ×`}
      </td>
      <td data-column={COLUMNS[6]}>{detail || '–'}</td>
    </tr>
  )
}
