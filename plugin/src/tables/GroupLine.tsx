import { css } from '@emotion/css'
import type { GrafanaTheme2 } from '@grafana/data'
import { TextLink, useStyles2 } from '@grafana/ui'
import type { Group } from '@sti-rollout/agent/contract'
import { formatCount } from '@sti-rollout/agent/format'
import React from 'react'
import { environmentPlace } from '../agent/useEnvironment'
import { EnvironmentBadge } from '../rollout/EnvironmentBadge'
import { FlagBadge } from '../rollout/FlagBadge'
import { LoadError } from '../rollout/LoadError'
import { routes } from '../routes'
import type { GroupRow } from './listGroups'
import { useTables } from './useTables'

/** A rollout with several tables in the list of rollouts: its flag, and its tables by state and stage. */
export function GroupLine({ agent, environment, production, rollout }: GroupRow) {
  const styles = useStyles2(getStyles)
  const poll = useTables({ agent }, rollout, 1)
  const { data: group } = poll
  return (
    <section aria-label={`${rollout} in ${environment}`}>
      <div className={styles.line}>
        <TextLink inline={false} href={routes.tables(environmentPlace({ name: environment, agent }), rollout)}>
          {rollout}
        </TextLink>
        <EnvironmentBadge name={environment} production={production} />
        {group && (
          <>
            <FlagBadge flag={group.flag} />
            <span>{describeTables(group)}</span>
          </>
        )}
      </div>
      <LoadError what={`the tables of ${rollout}`} poll={poll} />
    </section>
  )
}

/** `1,000 tables: 999 covered, 1 expanded; 1 failed`. */
export function describeTables({ names, total, states, stages }: Group): string {
  if (total === 0) return `${names}: no operation has looked at the tables yet`
  const byStage = Object.entries(stages)
    .sort(([, a], [, b]) => b - a)
    .map(([stage, count]) => `${formatCount(count)} ${stage}`)
  const trouble = (['failed', 'paused', 'cancelled'] as const)
    .filter((state) => (states[state] ?? 0) > 0)
    .map((state) => `${formatCount(states[state]!)} ${state}`)
  return [`${formatCount(total)} tables: ${byStage.join(', ')}`, ...trouble].join('; ')
}

const getStyles = (theme: GrafanaTheme2) => ({
  line: css({ display: 'flex', flexWrap: 'wrap', alignItems: 'center', gap: theme.spacing(0.5, 1.5) }),
})
