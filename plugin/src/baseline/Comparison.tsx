import { Alert, Badge, LoadingPlaceholder, Text } from '@grafana/ui'
import type { Compared } from '@sti-rollout/agent/contract'
import React from 'react'
import { compareBaseline } from '../agent/baselineCalls'
import type { Environment } from '../agent/useEnvironment'
import { usePolled } from '../agent/usePolled'
import { WideTable } from '../layout/WideTable'
import { VERDICTS } from '../validation/verdicts'
import { clock, rows, share } from '../words/numbers'
import { inSignalUnit, seconds } from './signalUnit'

const COLUMNS = ['Verdict', 'Name', 'Baseline', 'Now', 'Ratio', 'Limit', 'Detail'] as const
/** The slowest against the baseline come first. */
const QUERIES = 10

interface Props {
  environment: Environment
  rollout: string
  id: number
}

/** Every signal and query as it is now, beside the baseline. */
export function Comparison({ environment, rollout, id }: Props) {
  const { data, error } = usePolled(`${environment.name}/${rollout}/${id}`, (signal) =>
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
        <Badge text={data.verdict} color={VERDICTS[data.verdict]} />{' '}
        {`${clock(data.from)} to ${clock(data.until)}, against baseline ${data.baseline.id}`}
      </p>
      {data.notes.map((note) => (
        <p key={note}>{note}</p>
      ))}
      <WideTable columns={COLUMNS}>
        <tbody>
          {data.signals.map((one) => (
            <Row key={one.name} one={one} told={(value) => inSignalUnit(one.name, value)} />
          ))}
        </tbody>
      </WideTable>
      {data.queries.length > 0 && (
        <>
          <Text element="h3" variant="h5">
            {`Queries: ${rows(Math.min(QUERIES, data.queries.length))} of ${rows(data.queries.length)}`}
          </Text>
          <WideTable columns={COLUMNS}>
            <tbody>
              {data.queries.slice(0, QUERIES).map((one) => (
                <Row key={one.name} one={one} told={(value) => (value === null ? '–' : seconds(value))} />
              ))}
            </tbody>
          </WideTable>
        </>
      )}
    </>
  )
}

function Row({ one, told }: { one: Compared; told: (value: number | null) => string }) {
  const { name, verdict, baseline, now, ratio, limit, detail } = one
  return (
    <tr>
      <td data-column={COLUMNS[0]}>
        {verdict ? <Badge text={verdict} color={VERDICTS[verdict]} /> : <Badge text="shown" color="blue" />}
      </td>
      <td data-column={COLUMNS[1]}>{name}</td>
      <td data-column={COLUMNS[2]}>{told(baseline)}</td>
      <td data-column={COLUMNS[3]}>{told(now)}</td>
      <td data-column={COLUMNS[4]}>{ratio === null ? '–' : `${ratio.toFixed(2)} ×`}</td>
      {/* Of errors the limit is a share of requests; of all else it is one of now / baseline. */}
      <td data-column={COLUMNS[5]}>
        {limit === null ? '–' : name === 'api-error-ratio' ? share(limit) : `${limit.toFixed(2)} ×`}
      </td>
      <td data-column={COLUMNS[6]}>{detail || '–'}</td>
    </tr>
  )
}
