import type { QueryEditorProps } from '@grafana/data'
import { Combobox, InlineField, Stack } from '@grafana/ui'
import React from 'react'
import type { DataSource } from './DataSource'
import { type AgentDataSourceOptions, type AgentQuery, type Subject, SUBJECTS } from './types'

const SUBJECT_OPTIONS = {
  events: { label: 'Events', description: 'What operations and people did' },
  operations: { label: 'Operations', description: 'The latest 20 of each rollout' },
  incidents: { label: 'Incidents', description: 'Alerts, decisions, and responses' },
  checks: { label: 'Checks', description: 'Of the latest validation' },
  'failed-rows': { label: 'Failed rows', description: 'Rows that could not be written' },
} as const satisfies Record<Subject, { label: string; description: string }>

/** What a query shows, and of which rollout; variables are allowed. */
export function QueryEditor({
  datasource,
  query,
  onChange,
  onRunQuery,
}: QueryEditorProps<DataSource, AgentQuery, AgentDataSourceOptions>) {
  const update = (change: Partial<AgentQuery>) => {
    onChange({ ...query, ...change })
    onRunQuery()
  }
  return (
    <Stack direction="row" wrap="wrap" gap={0.5}>
      <InlineField label="Show" labelWidth={12}>
        <Combobox
          id={`sti-query-subject-${query.refId}`}
          width={32}
          options={SUBJECTS.map((value) => ({ value, ...SUBJECT_OPTIONS[value] }))}
          value={query.subject ?? 'events'}
          onChange={({ value }) => update({ subject: value })}
        />
      </InlineField>
      <InlineField label="Rollout" tooltip="Empty: every rollout of the agent. Variables are allowed." labelWidth={12}>
        <Combobox
          id={`sti-query-rollout-${query.refId}`}
          width={32}
          isClearable
          createCustomValue
          placeholder="All rollouts"
          options={async () => ['$rollout', ...(await datasource.rolloutNames())].map((value) => ({ value }))}
          value={query.rollout || null}
          onChange={(option) => update({ rollout: option?.value })}
        />
      </InlineField>
    </Stack>
  )
}
