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
import { BulletList } from '../layout/BulletList'

/** The latest preparation: why it was refused, or its results. */
export function PreparedColumnDropView({ drop }: { drop: ColumnDrop }) {
  const { last, staleBecause, rollout, environment } = drop
  if (last === null) return null
  const fileName = (subject: string, extension: string) =>
    downloadFileName(subject, rollout, environment, extension, new Date(last.at))
  const draft = last.prepared && !last.parameters.safetyChecks
  return (
    <>
      {!last.prepared && (
        <Alert severity="warning" title="Refused: no migration was written">
          <BulletList>
            {last.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </BulletList>
        </Alert>
      )}
      {draft && (
        <Alert severity="warning" title="Draft: the safety checks were skipped">
          Prepare the column drop again with the safety checks before you request a review.
        </Alert>
      )}
      {last.prepared && staleBecause && !drop.dropped && (
        <Alert
          severity="warning"
          title="The prepared migration is out of date"
        >{`Prepare the column drop again: ${staleBecause}.`}</Alert>
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
            fileName={fileName('drop-up', 'sql')}
          />
          {last.migration.down === null ? (
            <p>The migration was prepared without an undo.</p>
          ) : (
            <CodeBlock
              label="Down: restores columns and data"
              text={last.migration.down}
              language="sql"
              fileName={fileName('drop-down', 'sql')}
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
            items={[
              ['Title', last.pullRequest.title],
              ['Branch', last.pullRequest.branch],
            ]}
          />
          <CodeBlock
            label="Description"
            text={last.pullRequest.body}
            language="text"
            fileName={fileName('drop-pull-request', 'md')}
          />
          {last.pullRequest.files.map(({ path, text }) => (
            <CodeBlock key={path} label={path} text={text} language="sql" fileName={path.split('/').at(-1) ?? path} />
          ))}
        </Section>
      )}
    </>
  )
}
