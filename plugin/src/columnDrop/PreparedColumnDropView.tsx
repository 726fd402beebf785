import { Alert, Badge, TextLink } from '@grafana/ui'
import type { ColumnDrop } from '@sti-rollout/agent/contract'
import React from 'react'
import { downloadFileName } from '../evidence/download'
import { DefinitionList } from '../layout/DefinitionList'
import { Section } from '../layout/Section'
import { VERDICT_COLORS } from '../validation/verdicts'
import { formatTime } from '../formatTime'
import { CodeBlock } from './CodeBlock'
import { SafetyChecks } from './SafetyChecks'

/** The newest run: why it was refused, or what it produced. */
export function PreparedColumnDropView({ drop }: { drop: ColumnDrop }) {
  const { last, staleBecause, rollout, environment } = drop
  if (last === null) return null
  const name = (what: string, ending: string) => downloadFileName(what, rollout, environment, ending, new Date(last.at))
  const draft = last.prepared && !last.parameters.safetyChecks
  return (
    <>
      {!last.prepared && (
        <Alert severity="warning" title="Refused: nothing was written">
          <ul>
            {last.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        </Alert>
      )}
      {draft && (
        <Alert severity="warning" title="A draft: it was not held to its safety checks">
          Prepare it again with the safety checks before anybody reviews it.
        </Alert>
      )}
      {last.prepared && staleBecause && !drop.dropped && (
        <Alert severity="warning" title="What was prepared holds no more">{`Prepare it again: ${staleBecause}.`}</Alert>
      )}
      <Section
        title="Safety checks"
        state={
          <>
            <Badge text={last.verdict} color={VERDICT_COLORS[last.verdict]} />
            <span>{formatTime(last.at)}</span>
          </>
        }
      >
        <SafetyChecks checks={last.checks} />
      </Section>
      {last.migration && (
        <Section title="Migration">
          <CodeBlock
            label="Up: drops the columns"
            text={last.migration.up}
            language="sql"
            fileName={name('drop-up', 'sql')}
          />
          {last.migration.down === null ? (
            <p>It was prepared without a way back.</p>
          ) : (
            <CodeBlock
              label="Down: brings columns and data back"
              text={last.migration.down}
              language="sql"
              fileName={name('drop-down', 'sql')}
            />
          )}
        </Section>
      )}
      {last.pullRequest && (
        <Section
          title="Pull request"
          state={
            <>
              <Badge text="Do Not Merge" color="red" icon="lock" />
              {last.pullRequest.url !== null && (
                <TextLink href={last.pullRequest.url} external>
                  {last.pullRequest.url}
                </TextLink>
              )}
            </>
          }
        >
          <DefinitionList
            of={[
              ['Title', last.pullRequest.title],
              ['Branch', last.pullRequest.branch],
            ]}
          />
          <CodeBlock
            label="Its text"
            text={last.pullRequest.body}
            language="text"
            fileName={name('drop-pull-request', 'md')}
          />
          {last.pullRequest.files.map(({ path, text }) => (
            <CodeBlock key={path} label={path} text={text} language="sql" fileName={path.split('/').at(-1) ?? path} />
          ))}
        </Section>
      )}
    </>
  )
}
