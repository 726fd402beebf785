import type { Verdict } from '@sti-rollout/agent/contract'

/** The summary of a report before it is submitted. The agent verifies the report; this summary is not verified. */
export interface UploadedReport {
  readonly value: unknown
  readonly environment: string
  readonly rollout: string
  readonly verdict: Verdict | null
  readonly validatedAt: string | null
  readonly signed: boolean
}

/** Parses a downloaded report. @throws Error if the text is not a report */
export function parseReport(text: string): UploadedReport {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('The file is not JSON. Select the report that was downloaded as JSON: only that one is signed.')
  }
  const { report, signature } = (value ?? {}) as { report?: Record<string, unknown>; signature?: unknown }
  if (report?.['format'] !== 'sti-report/1') {
    throw new Error(
      'The file is not a report: it does not contain “format”: “sti-report/1”. Select the report that was downloaded as JSON.',
    )
  }
  const validation = report['validation'] as { verdict?: Verdict; endedAt?: string } | null | undefined
  return {
    value,
    environment: String(report['environment']),
    rollout: String(report['rollout']),
    verdict: validation?.verdict ?? null,
    validatedAt: validation?.endedAt ?? null,
    signed: typeof signature === 'string',
  }
}
