import type { Verdict } from '@sti-rollout/agent/contract'

/** What a person should see of a report before handing it in. The agent judges it; nothing here proves anything. */
export interface UploadedReport {
  readonly value: unknown
  readonly environment: string
  readonly rollout: string
  readonly verdict: Verdict | null
  readonly validatedAt: string | null
  readonly signed: boolean
}

/** Reads a report as it was downloaded. @throws Error in words, when it is none */
export function parseReport(text: string): UploadedReport {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('This is not JSON. Hand in the report that was downloaded as JSON: only that one is signed.')
  }
  const { report, signature } = (value ?? {}) as { report?: Record<string, unknown>; signature?: unknown }
  if (report?.['format'] !== 'sti-report/1') {
    throw new Error('This is JSON, and no report: there is no “format”: “sti-report/1” in it.')
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
