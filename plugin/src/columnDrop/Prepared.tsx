import { Alert, Badge, TextLink } from '@grafana/ui'
import type { ColumnDrop } from '@sti-rollout/agent/contract'
import React from 'react'
import { fileName } from '../evidence/download'
import { Pairs } from '../layout/Pairs'
import { Section } from '../layout/Section'
import { VERDICTS } from '../validation/verdicts'
import { clock } from '../words/numbers'
import { Code } from './Code'
import { SafetyChecks } from './SafetyChecks'

/** The newest run: why it was refused, or what it produced. */
export function Prepared({ drop }: { drop: ColumnDrop }) {
  const { last, staleBecause, rollout, environment } = drop
  if (last === null) return null
  const name = (what: string, ending: string) => fileName(what, rollout, environment, ending, new Date(last.at))
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
            <Badge text={last.verdict} color={VERDICTS[last.verdict]} />
            <span>{clock(last.at)}</span>
          </>
        }
      >
        <SafetyChecks checks={last.checks} />
      </Section>
      {last.migration && (
        <Section title="Migration">
          <Code label="Up: drops the columns" text={last.migration.up} language="sql" file={name('drop-up', 'sql')} />
          {last.migration.down === null ? (
            <p>It was prepared without a way back.</p>
          ) : (
            <Code
              label="Down: brings columns and data back"
              text={last.migration.down}
              language="sql"
              file={name('drop-down', 'sql')}
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
          <Pairs
            of={[
              ['Title', last.pullRequest.title],
              ['Branch', last.pullRequest.branch],
            ]}
          />
          <Code label="Its text" text={last.pullRequest.body} language="text" file={name('drop-pull-request', 'md')} />
          {last.pullRequest.files.map(({ path, text }) => (
            <Code key={path} label={path} text={text} language="sql" file={path.split('/').at(-1) ?? path} />
          ))}
        </Section>
      )}
    </>
  )
}
