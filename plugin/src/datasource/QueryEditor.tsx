import type { QueryEditorProps } from '@grafana/data'
import { InlineField, Input } from '@grafana/ui'
import React from 'react'
import type { DataSource } from './DataSource'
import type { AgentDataSourceOptions, RolloutEventsQuery } from './types'

/** The rollout whose events are queried; variables are allowed. */
export function QueryEditor({
  query,
  onChange,
  onRunQuery,
}: QueryEditorProps<DataSource, RolloutEventsQuery, AgentDataSourceOptions>) {
  return (
    <InlineField
      label="Rollout"
      tooltip="Shows the events of this rollout. Empty: the events of every rollout of the agent."
      labelWidth={12}
    >
      <Input
        id="sti-query-rollout"
        width={40}
        value={query.rollout ?? ''}
        placeholder="$rollout"
        onChange={(event) => onChange({ ...query, rollout: event.currentTarget.value })}
        onBlur={onRunQuery}
      />
    </InlineField>
  )
}
