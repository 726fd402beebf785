import { Alert, Badge } from '@grafana/ui'
import type { RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { ActionButton } from '../action/ActionButton'
import { ACTIONS } from '../action/actionCatalog'
import { ReasonConfirmation } from '../action/ReasonConfirmation'
import { refusalReasons } from '../action/refusalReasons'
import { acceptSubjects, listAcceptances } from '../agent/toolCalls'
import type { Environment } from '../agent/useEnvironment'
import { useSlowPolling } from '../agent/usePolling'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { Section } from '../layout/Section'
import { operationRevision } from '../rollout/useRollout'

const COLUMNS = ['Check', 'Subject', 'State', 'Action'] as const

const ACCEPT_DESCRIPTION =
  'For 90 days, it no longer counts as open. Your name and the reason are recorded, and every report shows them.'
const WITHDRAW_DESCRIPTION = 'It is open again. Your name and the reason are recorded.'

interface Props {
  environment: Environment
  detail: RolloutDetail
  /** An acceptance changes other sections of the page. */
  refresh: () => void
}

interface Choice {
  readonly check: string
  readonly subject: string
  readonly withdraw: boolean
}

/** What an admin can accept by name, such as a rollback to exclude, and what was accepted. */
export function AcceptancesSection({ environment, detail, refresh }: Props) {
  const [choice, setChoice] = useState<Choice | null>(null)
  const { agent, name } = environment
  const poll = useSlowPolling(
    `acceptances ${agent.uid}/${detail.rollout}`,
    (signal) => listAcceptances(agent, detail.rollout, signal),
    operationRevision(detail),
  )
  const valid = poll.data?.acceptances.filter((acceptance) => acceptance.valid) ?? []
  const isAccepted = (check: string, subject: string): boolean =>
    valid.some((acceptance) => acceptance.check === check && acceptance.subject === subject)
  const open = poll.data?.acceptable.filter(({ check, subject }) => !isAccepted(check, subject)) ?? []
  const reasons = refusalReasons(detail, 'accept-check')
  if (poll.data && valid.length + open.length === 0) return null
  const button = (row: Choice) => (
    <ActionButton
      action="accept-check"
      label={row.withdraw ? 'Withdraw' : ACTIONS['accept-check'].label}
      reasons={reasons}
      onClick={() => setChoice(row)}
    />
  )
  return (
    <Section title="Accepted by an admin" state={<span>{`${valid.length} accepted`}</span>}>
      {poll.error && <Alert severity="warning" title={poll.error.message} />}
      <ResponsiveTable columns={COLUMNS}>
        <tbody>
          {open.map(({ check, subject }) => (
            <tr key={`${check} ${subject}`}>
              <td data-column={COLUMNS[0]}>{check}</td>
              <td data-column={COLUMNS[1]}>{subject}</td>
              <td data-column={COLUMNS[2]}>
                <Badge text="open" color="orange" />
              </td>
              <td data-column={COLUMNS[3]}>{button({ check, subject, withdraw: false })}</td>
            </tr>
          ))}
          {valid.map(({ id, check, subject, by, reason, expiresAt }) => (
            <tr key={id}>
              <td data-column={COLUMNS[0]}>{check}</td>
              <td data-column={COLUMNS[1]}>{subject}</td>
              <td data-column={COLUMNS[2]}>{`by ${by.name} until ${expiresAt.slice(0, 10)}: ${reason}`}</td>
              <td data-column={COLUMNS[3]}>{button({ check, subject, withdraw: true })}</td>
            </tr>
          ))}
        </tbody>
      </ResponsiveTable>
      {choice && (
        <ReasonConfirmation
          title={`${choice.withdraw ? 'Withdraw the acceptance of' : 'Accept'} ${choice.subject} (${choice.check})`}
          environment={environment}
          confirmLabel={choice.withdraw ? 'Withdraw' : ACTIONS['accept-check'].label}
          description={choice.withdraw ? WITHDRAW_DESCRIPTION : ACCEPT_DESCRIPTION}
          reason="required"
          submit={(reason) =>
            acceptSubjects(agent, detail.rollout, {
              environment: name,
              check: choice.check,
              subjects: [choice.subject],
              reason,
              withdraw: choice.withdraw,
            })
          }
          onDone={() => {
            setChoice(null)
            poll.refresh()
            refresh()
          }}
          onClose={() => setChoice(null)}
        />
      )}
    </Section>
  )
}
