import { InteractiveTable, Text, type CellProps, type Column } from '@grafana/ui'
import type { FlagClient, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo } from '@sti-rollout/agent/format'
import React, { useMemo, useState } from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { acceptFlagClient } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

type FlagClientCellProps = CellProps<FlagClient>

/** Clients that may still use an older state of the flag; a client that was removed can be accepted. */
export function FlagClients({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<string | null>(null)
  const staleClients = useMemo(() => detail.flag.clients.filter((client) => client.stale), [detail.flag.clients])
  const acceptRefusal = refusalReasons(detail, 'accept-client')
  const columns = useMemo<Array<Column<FlagClient>>>(
    () => [
      { id: 'client', header: 'Client', cell: ({ row: { original } }: FlagClientCellProps) => original.client },
      {
        id: 'seen',
        header: 'Last seen',
        cell: ({ row: { original } }: FlagClientCellProps) => formatAgo(original.lastSeenAt),
      },
      {
        id: 'on',
        header: 'Last evaluation',
        cell: ({ row: { original } }: FlagClientCellProps) => (original.answeredOn ? 'on' : 'off'),
      },
      {
        id: 'accept',
        header: '',
        cell: ({ row: { original } }: FlagClientCellProps) =>
          original.acceptedBy ? (
            <>{`accepted by ${original.acceptedBy}`}</>
          ) : (
            <ActionButton action="accept-client" reasons={acceptRefusal} onClick={() => setOpen(original.client)} />
          ),
      },
    ],
    [acceptRefusal],
  )
  if (staleClients.length === 0) return null
  return (
    <section aria-label="Clients with an outdated flag">
      <Text element="h3" variant="h5">
        Clients with an outdated flag
      </Text>
      <InteractiveTable columns={columns} data={staleClients} getRowId={({ client }) => client} />
      {open && (
        <ReasonConfirmation
          title={`Accept ${open} of ${detail.rollout} as removed`}
          environment={environment}
          confirmLabel="Accept"
          description="The client no longer blocks a data rollback. If it is still running, it may still read by type."
          reason="required"
          submit={(reason) => acceptFlagClient(environment.agent, detail.rollout, open, reason)}
          onDone={() => {
            setOpen(null)
            refresh()
          }}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  )
}
