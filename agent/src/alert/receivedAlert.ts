/** An alert as received by a webhook. It is not trusted: any Grafana editor can send it (docs/alerting.md). */
export interface ReceivedAlert {
  readonly source: 'grafana' | 'alertmanager'
  readonly status: 'firing' | 'resolved'
  /** The label alertname. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly fingerprint: string
  /** Milliseconds since 1970. */
  readonly startsAt: number
  /** Milliseconds since 1970; null: not ended. */
  readonly endsAt: number | null
  readonly receivedAt: number
}

/** Identifies an alert across repeated messages and status changes. */
export function alertIdentity({ name, fingerprint, startsAt }: ReceivedAlert): string {
  return JSON.stringify([name, fingerprint, startsAt])
}
