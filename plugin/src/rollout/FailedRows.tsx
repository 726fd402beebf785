import { Alert, Checkbox, InteractiveTable, Stack, Text, type CellProps, type Column } from '@grafana/ui'
import type { FailedRow, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useMemo, useState } from 'react'
import { newKey } from '../action/newKey'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { RefusableButton } from '../action/RefusableButton'
import { why } from '../action/why'
import { acceptFailedRows, failedRows, retryFailedRows } from '../agent/calls'
import type { Environment } from '../agent/useEnvironment'
import { QUIET_MS, usePolled } from '../agent/usePolled'
import { clock, rows } from '../words/numbers'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

type Cell = CellProps<FailedRow>
const keyOf = ({ key }: FailedRow) => JSON.stringify(key)

/** The rows that could not be written: why, with a retry for all and an acceptance by key. */
export function FailedRows({ environment, detail, refresh }: Props) {
  const { rollout } = detail
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [open, setOpen] = useState<'retry' | 'accept' | null>(null)
  const asked = usePolled(
    detail.failedRows > 0 ? `${environment.name}/${rollout}/${detail.failedRows}` : null,
    (signal) => failedRows(environment.agent, rollout, signal),
    () => QUIET_MS,
  )
  const columns = useMemo(() => columnsOf(chosen, setChosen), [chosen])
  if (detail.failedRows === 0) return null

  const list = asked.data?.failedRows ?? []
  const total = asked.data?.total ?? detail.failedRows
  const done = () => {
    setOpen(null)
    setChosen(new Set())
    refresh()
    asked.refresh()
  }

  return (
    <section aria-label="Failed rows">
      <Stack direction="row" alignItems="center" wrap="wrap">
        <Text element="h3" variant="h5">
          {`Failed rows: ${rows(total)}`}
        </Text>
        <RefusableButton
          size="sm"
          variant="secondary"
          icon="repeat"
          reasons={why(detail, 'retry-failed-rows')}
          onClick={() => setOpen('retry')}
        >
          Retry all
        </RefusableButton>
        <RefusableButton
          size="sm"
          variant="secondary"
          icon="check"
          reasons={chosen.size > 0 ? why(detail, 'accept-failed-rows') : ['Choose rows first.']}
          onClick={() => setOpen('accept')}
        >
          Accept the chosen
        </RefusableButton>
      </Stack>
      {asked.error && (
        <Alert severity="warning" title="The rows cannot be shown">
          {asked.error.message}
        </Alert>
      )}
      <InteractiveTable columns={columns} data={list} getRowId={keyOf} pageSize={10} />
      {list.length < total && <p>{`The first ${rows(list.length)} of ${rows(total)}.`}</p>}
      {open === 'retry' && (
        <ReasonConfirmation
          title={`Retry the failed rows of ${rollout}`}
          environment={environment}
          verb="Retry"
          says={`Tries to write ${rows(total)} rows again, one by one.`}
          reason="optional"
          work={() => retryFailedRows(environment.agent, rollout, detail.environment, newKey())}
          onDone={done}
          onClose={() => setOpen(null)}
        />
      )}
      {open === 'accept' && (
        <ReasonConfirmation
          title={`Accept ${rows(chosen.size)} failed rows of ${rollout}`}
          environment={environment}
          verb="Accept"
          says="They stay as they are, without a type, and no longer stand in the way of the flag."
          reason="required"
          work={(reason) =>
            acceptFailedRows(
              environment.agent,
              rollout,
              [...chosen].map((key) => JSON.parse(key) as string[]),
              reason,
            )
          }
          onDone={done}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  )
}

function columnsOf(chosen: ReadonlySet<string>, choose: (keys: ReadonlySet<string>) => void): Array<Column<FailedRow>> {
  const toggled = (key: string) => {
    const next = new Set(chosen)
    if (!next.delete(key)) next.add(key)
    return next
  }
  return [
    {
      id: 'chosen',
      header: '',
      cell: ({ row: { original } }: Cell) => (
        <Checkbox
          aria-label={`Choose ${original.key.join(', ')}`}
          value={chosen.has(keyOf(original))}
          onChange={() => choose(toggled(keyOf(original)))}
        />
      ),
    },
    { id: 'key', header: 'Key', cell: ({ row: { original } }: Cell) => original.key.join(', ') },
    { id: 'sqlstate', header: 'SQLSTATE', cell: ({ row: { original } }: Cell) => original.sqlstate },
    { id: 'message', header: 'Why', cell: ({ row: { original } }: Cell) => original.message },
    { id: 'attempts', header: 'Attempts', cell: ({ row: { original } }: Cell) => original.attempts },
    { id: 'last', header: 'Last', cell: ({ row: { original } }: Cell) => clock(original.lastFailedAt) },
    { id: 'accepted', header: 'Accepted', cell: ({ row: { original } }: Cell) => original.accepted ?? '' },
  ]
}
