import { InteractiveTable, Stack, Text, type CellProps, type Column } from '@grafana/ui'
import type { FlagClient, RolloutDetail } from '@sti-rollout/agent/contract'
import { formatAgo } from '@sti-rollout/agent/format'
import React, { useMemo, useState } from 'react'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { ActionButton } from '../action/ActionButton'
import { refusalReasons } from '../action/refusalReasons'
import { acceptFlagClients } from '../agent/rolloutCalls'
import type { Environment } from '../agent/useEnvironment'

interface Props {
  environment: Environment
  detail: RolloutDetail
  refresh: () => void
}

type FlagClientCellProps = CellProps<FlagClient>

/** What is accepted: one client by name, or null for all that are silent. */
interface Acceptance {
  clients: readonly string[] | null
  title: string
}

/** Clients that may still use an older state of the flag; those that were removed can be accepted, one or all at once. */
export function FlagClients({ environment, detail, refresh }: Props) {
  const [open, setOpen] = useState<Acceptance | null>(null)
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
          original.silent ? (
            <ActionButton
              action="accept-client"
              reasons={acceptRefusal}
              onClick={() =>
                setOpen({
                  clients: [original.client],
                  title: `Accept ${original.client} of ${detail.rollout} as removed`,
                })
              }
            />
          ) : (
            <>
              {original.caching ? 'asked within the last 60 s' : `ends within ${detail.flag.longestRequestSeconds} s`}
            </>
          ),
      },
    ],
    [acceptRefusal, detail.rollout, detail.flag.longestRequestSeconds],
  )
  const silentClients = staleClients.filter((client) => client.silent)
  if (staleClients.length === 0) return null
  return (
    <section aria-label="Clients with an outdated flag">
      <Stack direction="row" alignItems="center" justifyContent="space-between">
        <Text element="h3" variant="h5">
          Clients with an outdated flag
        </Text>
        {silentClients.length > 1 && (
          <ActionButton
            action="accept-client"
            label={`Accept all ${silentClients.length} as removed`}
            reasons={acceptRefusal}
            onClick={() =>
              setOpen({ clients: null, title: `Accept all silent clients of ${detail.rollout} as removed` })
            }
          />
        )}
      </Stack>
      <InteractiveTable
        columns={columns}
        data={staleClients}
        getRowId={({ client, instance }) => `${client} ${instance}`}
      />
      {open && (
        <ReasonConfirmation
          title={open.title}
          environment={environment}
          confirmLabel="Accept"
          description="They no longer block a data rollback. One that is still running may still read by type."
          reason="required"
          submit={(reason) => acceptFlagClients(environment.agent, detail.rollout, open.clients, reason)}
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
