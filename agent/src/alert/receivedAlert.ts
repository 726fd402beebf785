/** An alert as a webhook brought it. Nothing of it is proven: any editor of Grafana can have it sent (docs/alerting.md). */
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
  /** Null: it has not ended. */
  readonly endsAt: number | null
  readonly receivedAt: number
}

/** The same alert, however often it is sent and whatever its status. */
export function alertIdentity({ name, fingerprint, startsAt }: ReceivedAlert): string {
  return JSON.stringify([name, fingerprint, startsAt])
}
