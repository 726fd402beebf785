import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { Checkbox, EmptyState, FilterInput, LinkButton, RadioButtonGroup, useStyles2 } from '@grafana/ui'
import { formatQuantity } from '@sti-rollout/agent/format'
import React, { useCallback, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router-dom'
import { listAgentDataSources } from '../agent/agentDataSources'
import { withAppSubUrl, routes } from '../routes'
import { Section } from '../layout/Section'
import { AgentRolloutsLoader } from '../rollout/AgentRolloutsLoader'
import { type RolloutSort, selectFleets, SORT_OPTIONS, toFleets } from '../fleet/fleet'
import { RolloutRows } from '../fleet/RolloutRows'
import type { AgentRollouts } from '../rollout/rolloutRows'
import { GroupLine } from '../tables/GroupLine'
import { listGroups } from '../tables/listGroups'
import { Page } from './Page'

const SORT_LABELS = {
  trouble: 'Trouble first',
  environment: 'By environment',
  rollout: 'By rollout',
  stage: 'By step',
} as const satisfies Record<RolloutSort, string>

/** The members of so few agents are shown without a click. */
const MAX_OPEN_AGENTS = 3

/** Every rollout in every environment; each agent loads separately. The filter is part of the URL. */
export function RolloutsPage() {
  const styles = useStyles2(getStyles)
  const agents = useMemo(() => listAgentDataSources(), [])
  const [known, setKnown] = useState<Readonly<Record<string, AgentRollouts>>>({})
  const [generation, setGeneration] = useState(0)
  const [parameters, setParameters] = useSearchParams()
  const onChange = useCallback(
    (change: AgentRollouts) => setKnown((old) => ({ ...old, [change.agent.uid]: change })),
    [],
  )
  // In the order of the data sources, whichever answers first.
  const reports = useMemo(() => agents.flatMap(({ uid }) => known[uid] ?? []), [agents, known])
  const fleets = useMemo(() => toFleets(reports), [reports])
  const sort = SORT_OPTIONS.find((option) => option === parameters.get('sort')) ?? 'trouble'
  const text = parameters.get('filter') ?? ''
  const onlyTrouble = parameters.get('trouble') === 'only'
  const selected = useMemo(() => selectFleets(fleets, { text, onlyTrouble, sort }), [fleets, text, onlyTrouble, sort])
  const groups = useMemo(() => listGroups(reports, text), [reports, text])
  const toggled = parameters.getAll('toggle')
  const toggle = (rollout: string) =>
    setParameters(
      (old) => {
        const next = new URLSearchParams(old)
        next.delete('toggle')
        for (const name of [
          ...toggled.filter((other) => other !== rollout),
          ...(toggled.includes(rollout) ? [] : [rollout]),
        ])
          next.append('toggle', name)
        return next
      },
      { replace: true },
    )
  const set = (name: string, value: string) =>
    setParameters(
      (old) => {
        const next = new URLSearchParams(old)
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )

  return (
    <Page title="Rollouts" url={routes.rollouts()} subTitle="Every rollout in every environment">
      {agents.length === 0 ? (
        <EmptyState
          variant="call-to-action"
          message="No agent is configured"
          button={
            <LinkButton href={withAppSubUrl('/connections/datasources/sti-rollout-datasource')} icon="plus">
              Add agent
            </LinkButton>
          }
        >
          Each agent serves one database. Add or provision a data source of type “STI Rollout agent” for each agent.
        </EmptyState>
      ) : (
        <div className={styles.all}>
          <div className={styles.filter}>
            <div className={styles.input}>
              <FilterInput
                placeholder="Filter by rollout, environment, table, or stage"
                value={text}
                onChange={(value) => set('filter', value)}
                escapeRegex={false}
              />
            </div>
            <RadioButtonGroup
              className={styles.sort}
              options={SORT_OPTIONS.map((value) => ({ value, label: SORT_LABELS[value] }))}
              value={sort}
              onChange={(value) => set('sort', value)}
              aria-label="Sort"
            />
            <Checkbox
              label="Only trouble"
              value={onlyTrouble}
              onChange={(event) => set('trouble', event.currentTarget.checked ? 'only' : '')}
            />
          </div>
          {fleets.length > 0 && selected.length === 0 && (
            <p>{`None of ${formatQuantity(fleets.length, 'rollout')} matches the filter.`}</p>
          )}
          {selected.length > 0 && (
            <RolloutRows
              fleets={selected}
              openByDefault={agents.length <= MAX_OPEN_AGENTS}
              toggled={toggled}
              onToggle={toggle}
              onSent={() => setGeneration((number) => number + 1)}
            />
          )}
          {groups.length > 0 && (
            <Section title="With several tables">
              {groups.map((group) => (
                <GroupLine {...group} key={group.key} />
              ))}
            </Section>
          )}
          {agents.map((agent) => (
            <AgentRolloutsLoader key={agent.uid} agent={agent} onChange={onChange} generation={generation} />
          ))}
        </div>
      )}
    </Page>
  )
}

const getStyles = (theme: GrafanaTheme2) => ({
  all: css({ display: 'flex', flexDirection: 'column', gap: theme.spacing(2) }),
  filter: css({ display: 'flex', flexWrap: 'wrap', gap: theme.spacing(1), alignItems: 'center' }),
  input: css({ flex: '1 1 240px', maxWidth: 420 }),
  // Wider than a phone in one line.
  sort: css({ flexWrap: 'wrap', maxWidth: '100%' }),
})
