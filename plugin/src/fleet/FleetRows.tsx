import { css, cx } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Button, Checkbox, Dropdown, LinkButton, Menu, useStyles2 } from '@grafana/ui'
import { formatQuantity } from '@sti-rollout/agent/format'
import React, { useState } from 'react'
import { ACTIONS } from '../action/actionCatalog'
import { ActionButton, RefusableButton } from '../action/ActionButton'
import { missingRightReasons } from '../action/refusalReasons'
import { missingRoleReasons } from '../agent/userLevel'
import { FLEET_DASHBOARD_UID, withAppSubUrl } from '../routes'
import { prometheusUidFor } from '../scene/prometheusDataSource'
import type { SelectedFleet } from './fleet'
import type { FleetMember } from './fleetMember'
import { FleetConfirmation } from './FleetConfirmation'
import { FleetSums } from './FleetSums'
import { FLEET_ACTIONS, type FleetAction } from './memberActions'
import { COLUMNS, MemberRow } from './MemberRow'
import { countStates } from './memberState'

interface Props {
  fleet: SelectedFleet
  open: boolean
  onToggle: () => void
  onSent: () => void
}

interface Chosen {
  readonly action: FleetAction
  readonly members: readonly FleetMember[]
}

/** A fleet as one row with the states of its members, which opens to the members, their sums, and actions at several. */
export function FleetRows({ fleet: { rollout, members, selected }, open, onToggle, onSent }: Props) {
  const styles = useStyles2(getStyles)
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set())
  const [confirming, setConfirming] = useState<Chosen | null>(null)
  const chosen = selected.filter(({ key }) => keys.has(key))
  const toggleKey = React.useCallback(
    (key: string) =>
      setKeys((old) => {
        const next = new Set(old)
        if (!next.delete(key)) next.add(key)
        return next
      }),
    [],
  )
  const id = `sti-fleet-${rollout}`
  return (
    <tbody id={id}>
      <tr>
        <th scope="rowgroup" colSpan={COLUMNS.length} className={styles.cell}>
          <div className={styles.line}>
            <Button
              variant="secondary"
              fill="text"
              size="md"
              icon={open ? 'angle-down' : 'angle-right'}
              aria-expanded={open}
              aria-controls={id}
              onClick={onToggle}
            >
              {rollout}
            </Button>
            <span className={styles.states}>
              {`${formatQuantity(members.length, 'member')}: `}
              {countStates(members).map(({ text, tone, count }, index) => (
                <React.Fragment key={text}>
                  {index > 0 && ', '}
                  <span className={cx(styles[tone])}>{`${count} ${text}`}</span>
                </React.Fragment>
              ))}
            </span>
            <div className={styles.end}>
              <LinkButton variant="secondary" fill="text" size="sm" icon="apps" href={dashboardUrl(rollout, members)}>
                Panels of the fleet
              </LinkButton>
              <ActionButton
                action="rollback-flag"
                label="Roll back flag everywhere"
                variant={mayBeOn(members) ? 'destructive' : 'secondary'}
                reasons={rollbackReasons(members)}
                aria-label={`Roll back the flag of ${rollout} everywhere`}
                onClick={() => setConfirming({ action: 'rollback-flag', members })}
              />
            </div>
          </div>
          {open && (
            <>
              <FleetSums rollout={rollout} members={members} />
              <div className={styles.line}>
                <Checkbox
                  label={selected.length < members.length ? `Choose all ${selected.length} shown` : 'Choose all'}
                  value={chosen.length === selected.length}
                  indeterminate={chosen.length > 0 && chosen.length < selected.length}
                  onChange={(event) =>
                    setKeys(new Set(event.currentTarget.checked ? selected.map(({ key }) => key) : []))
                  }
                />
                <ChosenActions members={chosen} onAction={(action) => setConfirming({ action, members: chosen })} />
                {selected.length < members.length && (
                  <span>{`${selected.length} of ${formatQuantity(members.length, 'member')} match the filter.`}</span>
                )}
              </div>
            </>
          )}
          {confirming && (
            <FleetConfirmation rollout={rollout} {...confirming} onSent={onSent} onClose={() => setConfirming(null)} />
          )}
        </th>
      </tr>
      {open &&
        selected.map((member) => (
          <MemberRow
            key={member.key}
            rollout={rollout}
            member={member}
            chosen={keys.has(member.key)}
            onChoose={toggleKey}
          />
        ))}
    </tbody>
  )
}

/** The one button that acts at the chosen members. */
function ChosenActions({
  members,
  onAction,
}: {
  members: readonly FleetMember[]
  onAction: (action: FleetAction) => void
}) {
  const label = members.length === 0 ? 'Act on chosen members' : `Act on ${formatQuantity(members.length, 'member')}`
  const reasons = [...missingRoleReasons(), ...(members.length === 0 ? ['Choose members first.'] : [])].slice(0, 1)
  const button = { icon: 'angle-down', variant: 'secondary', size: 'sm' } as const
  if (reasons.length > 0)
    return (
      <RefusableButton {...button} reasons={reasons}>
        {label}
      </RefusableButton>
    )
  return (
    <Dropdown
      placement="bottom-start"
      overlay={
        <Menu>
          {FLEET_ACTIONS.map((action) => (
            <Menu.Item
              key={action}
              label={ACTIONS[action].label}
              icon={ACTIONS[action].icon}
              destructive={ACTIONS[action].destructive}
              onClick={() => onAction(action)}
            />
          ))}
        </Menu>
      }
    >
      <Button {...button} iconPlacement="right">
        {label}
      </Button>
    </Dropdown>
  )
}

/** The dashboard of the fleet, with the Prometheus of its first member. */
function dashboardUrl(rollout: string, [{ agents }]: SelectedFleet['members']): string {
  const prometheus = prometheusUidFor(agents[0])
  const variables = { 'var-rollout': rollout, ...(prometheus === undefined ? {} : { 'var-prometheus': prometheus }) }
  return withAppSubUrl(`/d/${FLEET_DASHBOARD_UID}?${new URLSearchParams(variables)}`)
}

/** A member that does not answer may have its flag on. */
const mayBeOn = (members: readonly FleetMember[]): boolean =>
  members.some(({ row, error }) => row === null || error !== null || row.summary.flag.enabled)

/** Why this person may roll back at no member; each agent checks its own rights again. */
function rollbackReasons(members: readonly FleetMember[]): readonly string[] {
  if (missingRoleReasons().length > 0) return missingRoleReasons()
  const reasons = members.map(({ row }) => (row === null ? [] : missingRightReasons(row.status, 'rollback-flag')))
  return reasons.every((missing) => missing.length > 0) ? [...new Set(reasons.flat())] : []
}

const getStyles = (theme: GrafanaTheme2) => ({
  cell: css({
    background: theme.colors.background.secondary,
    fontWeight: theme.typography.fontWeightRegular,
    [theme.breakpoints.down('md')]: { display: 'block' },
  }),
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.5) }),
  states: css({ fontVariantNumeric: 'tabular-nums' }),
  end: css({
    display: 'flex',
    flexWrap: 'wrap',
    alignItems: 'center',
    gap: theme.spacing(0.5, 1),
    marginInlineStart: 'auto',
  }),
  bad: css({ color: theme.colors.error.text, fontWeight: theme.typography.fontWeightMedium }),
  warning: css({ color: theme.colors.warning.text }),
  busy: css({ color: theme.colors.primary.text }),
  waiting: css({ color: theme.colors.text.secondary }),
  good: css({ color: theme.colors.success.text }),
})
