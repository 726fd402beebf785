import React from 'react'
import { ResponsiveTable } from '../layout/ResponsiveTable'
import type { SelectedFleet } from './fleet'
import { FleetRows } from './FleetRows'
import { COLUMNS, MemberRow } from './MemberRow'

interface Props {
  fleets: readonly SelectedFleet[]
  /** The members are shown unless a person hides them; false: the reverse. */
  openByDefault: boolean
  /** The rollouts whose members are shown or hidden other than by default. */
  toggled: readonly string[]
  onToggle: (rollout: string) => void
  /** Called after something was sent to members. */
  onSent: () => void
}

/** The rollouts as rows: one for each, or one for a fleet, which opens to its members. */
export function RolloutRows({ fleets, openByDefault, toggled, onToggle, onSent }: Props) {
  return (
    <ResponsiveTable columns={COLUMNS}>
      {fleets.map((fleet) =>
        fleet.members.length === 1 ? (
          <tbody key={fleet.rollout}>
            <MemberRow rollout={fleet.rollout} member={fleet.members[0]} />
          </tbody>
        ) : (
          <FleetRows
            key={fleet.rollout}
            fleet={fleet}
            open={openByDefault !== toggled.includes(fleet.rollout)}
            onToggle={() => onToggle(fleet.rollout)}
            onSent={onSent}
          />
        ),
      )}
    </ResponsiveTable>
  )
}
