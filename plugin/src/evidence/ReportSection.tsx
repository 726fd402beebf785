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

/** The downloads of the report of a rollout, and if its JSON is signed. */
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
        One file for the change request: the rollout file, the operations, every check with its value and query, failed
        rows, rollbacks, and sign-offs.
      </p>
      {signingKey ? (
        <p>
          The JSON report is signed with the key <code>{signingKey.kid}</code>. <code>sti verify</code> verifies the
          signature. The next environment accepts the report for its promotion if it trusts this key.
        </p>
      ) : (
        <p>
          The report is not signed, so the next environment does not accept it for a promotion. Set STI_SIGNING_KEY_FILE
          on the agent.
        </p>
      )}
      {error && (
        <Alert severity="error" title="Cannot download the report">
          {error.message}
        </Alert>
      )}
    </Section>
  )
}
