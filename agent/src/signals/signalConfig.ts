import type { QualifiedName } from '../rollout/identifiers.ts'

/** The part of a compiled rollout that the signals need; `Rollout` is assignable to it. */
export interface MonitoredRollout {
  readonly name: string
  readonly nameSearchPath: string
  readonly table: QualifiedName
  readonly file: {
    readonly api?: ApiSource | undefined
    readonly host?: 'local' | { readonly promql: HostQueries } | undefined
    readonly signals?: readonly CustomSignal[] | undefined
  }
}

export interface ApiSource {
  readonly histogram?: ApiHistogram | undefined
  readonly promql?: ApiQueries | undefined
}

/**
 * A histogram on the application's own /metrics; `errors` maps a label to a regular expression of its whole value, and
 * `variant` is the label with the variant of the flag, on or off.
 */
export interface ApiHistogram {
  readonly url: string
  readonly name: string
  readonly errors: Readonly<Record<string, string>>
  readonly variant: string
}

export interface ApiQueries {
  readonly latencyAverage: string
  readonly latencyP95: string
  readonly errorRatio: string
  readonly requestRate: string
  /** The series of a histogram; `$variant` is replaced by on and off. */
  readonly requests?: string | undefined
  /** As in `ApiHistogram`, for `requests`. */
  readonly errors?: Readonly<Record<string, string>> | undefined
}

/**
 * cpu, memory and disk return one series between 0 and 1. diskOperations and network return counters, one series for each
 * value of the label `direction`: read and write, receive and transmit.
 */
export interface HostQueries {
  readonly cpu: string
  readonly memory: string
  readonly disk: string
  readonly diskOperations: string
  readonly network: string
}

/** One of `promql` and `sql`; the signal is unhealthy above `limit`. */
export interface CustomSignal {
  readonly name: string
  readonly promql?: string | undefined
  readonly sql?: string | undefined
  readonly limit: number
}
