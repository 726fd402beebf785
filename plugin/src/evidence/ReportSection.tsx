import { Alert, Badge, Button } from '@grafana/ui'
import type { ReportFormat, RolloutDetail } from '@sti-rollout/agent/contract'
import React, { useState } from 'react'
import { type AgentError, toAgentError } from '../agent/AgentError'
import { downloadReport } from '../agent/readinessCalls'
import type { Environment } from '../agent/useEnvironment'
import { Section } from '../layout/Section'
import { downloadFile, downloadFileName } from './download'

const FORMATS = {
  html: { label: 'HTML', type: 'text/html;charset=utf-8' },
  md: { label: 'Markdown', type: 'text/markdown;charset=utf-8' },
  json: { label: 'JSON', type: 'application/json' },
} as const satisfies Record<ReportFormat, { label: string; type: string }>

interface Props {
  environment: Environment
  detail: RolloutDetail
}

/** All that is claimed of the rollout, as a file; whether it is signed is said before it is loaded. */
export function ReportSection({ environment, detail }: Props) {
  const [loading, setLoading] = useState<ReportFormat | null>(null)
  const [error, setError] = useState<AgentError | null>(null)
  const { signingKey } = environment.status
  const downloadFormat = (format: ReportFormat) => {
    setLoading(format)
    setError(null)
    downloadReport(environment.agent, detail.rollout, format)
      .then((text) =>
        downloadFile(text, FORMATS[format].type, downloadFileName('report', detail.rollout, environment.name, format)),
      )
      .catch((thrown: unknown) => setError(toAgentError(thrown, environment.agent.name, 0)))
      .finally(() => setLoading(null))
  }
  return (
    <Section
      title="Report"
      state={
        signingKey ? (
          <Badge text="signed" color="green" icon="key-skeleton-alt" />
        ) : (
          <Badge text="not signed" color="orange" icon="exclamation-triangle" />
        )
      }
      actions={(Object.keys(FORMATS) as ReportFormat[]).map((format) => (
        <Button
          key={format}
          size="sm"
          variant="secondary"
          icon={loading === format ? 'spinner' : 'download-alt'}
          disabled={loading !== null}
          onClick={() => downloadFormat(format)}
        >
          {FORMATS[format].label}
        </Button>
      ))}
    >
      <p>
        The rollout file, who did what and when, every check with its number and query, failed rows, rollbacks and
        sign-offs, as one file for the change request.
      </p>
      {signingKey ? (
        <p>
          Its JSON is signed with the key <code>{signingKey.kid}</code>. <code>sti verify</code> checks it, and the next
          environment takes it as a promotion if it trusts that key.
        </p>
      ) : (
        <p>
          The agent has no key to sign with, so a report proves nothing to the next environment. Set
          STI_SIGNING_KEY_FILE on it.
        </p>
      )}
      {error && (
        <Alert severity="error" title="The report was not loaded">
          {error.message}
        </Alert>
      )}
    </Section>
  )
}
