import { Badge } from '@grafana/ui'
import type { ContactReadiness } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'
import React from 'react'
import { Section } from '../layout/Section'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import { SignOffButtons } from './SignOffButtons'
import type { SignOff } from './SignOffConfirmation'

const COLUMNS = ['Role', 'Name', 'Phone', 'Email', 'Escalates after', 'Confirmed', 'Action'] as const

interface Props {
  contacts: readonly ContactReadiness[]
  /** Only editors see phone numbers and email addresses. */
  detailsHidden: boolean
  refusalReasons: readonly string[]
  onSignOff: (signOff: SignOff) => void
}

/** The contacts in the order of escalation, and who confirmed that they can be reached. */
export function Contacts({ contacts, detailsHidden, refusalReasons, onSignOff }: Props) {
  const confirmed = contacts.filter((contact) => contact.confirmed).length
  return (
    <Section title="Contacts" state={<span>{`${confirmed} of ${contacts.length} confirmed`}</span>}>
      {contacts.length === 0 ? (
        <p>The rollout file has no contacts. Add them in the order of escalation.</p>
      ) : (
        <ResponsiveTable columns={COLUMNS}>
          <tbody>
            {contacts.map((contact) => (
              <tr key={contact.item}>
                <td data-column={COLUMNS[0]}>{contact.role}</td>
                <td data-column={COLUMNS[1]}>{contact.name}</td>
                <td data-column={COLUMNS[2]}>{contact.phone ?? (detailsHidden ? 'editors only' : '–')}</td>
                <td data-column={COLUMNS[3]}>{contact.email ?? (detailsHidden ? 'editors only' : '–')}</td>
                <td data-column={COLUMNS[4]}>{formatDuration(contact.escalateAfterSeconds)}</td>
                <td data-column={COLUMNS[5]}>
                  <ConfirmationBadge contact={contact} />
                </td>
                <td data-column={COLUMNS[6]}>
                  <SignOffButtons
                    subject={`${contact.name}, ${contact.role}`}
                    item={contact.item}
                    attestation={contact.attestation}
                    verb="Confirm"
                    refusalReasons={refusalReasons}
                    onSignOff={onSignOff}
                  />
                </td>
              </tr>
            ))}
          </tbody>
        </ResponsiveTable>
      )}
    </Section>
  )
}

function ConfirmationBadge({ contact: { confirmed, attestation } }: { contact: ContactReadiness }) {
  if (!attestation) return <Badge text="no" color="red" />
  const until = attestation.expiresAt.slice(0, 10)
  return confirmed ? (
    <span>
      <Badge text="yes" color="green" tooltip={attestation.note} />{' '}
      {`${attestation.by.name}, until ${until.replaceAll('-', '\u2011')}`}
    </span>
  ) : (
    <span>
      <Badge text="no" color="red" /> {attestation.why}
    </span>
  )
}
