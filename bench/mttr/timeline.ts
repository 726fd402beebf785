/** Times of one fault, in milliseconds since 1970 by the clock of this machine. */
export interface FaultTimeline {
  readonly injected: number
  /** The reading of the agent shows the fault. */
  readonly signal: number
  /** Prometheus has scraped the reading. Null on the guard path, like `fired` and `received`. */
  readonly scraped: number | null
  /** The rule in Grafana fires. */
  readonly fired: number | null
  /** The webhook has arrived. */
  readonly received: number | null
  /** The agent serves the flag off. */
  readonly off: number
  /** The last live client has received the flag off. */
  readonly seen: number
}

export const MTTR_PHASES = ['signal', 'scrape', 'rule', 'webhook', 'decision', 'propagation'] as const
export type MttrPhase = (typeof MTTR_PHASES)[number]

/** One round, in seconds. Null: not part of this path. */
export interface MttrRound {
  readonly parts: Readonly<Record<MttrPhase, number | null>>
  readonly whole: number
  /** Time of the agent itself: from the webhook (alert) or the signal (guard) to the flag off. */
  readonly agent: number
}

export function toMttrRound({ injected, signal, scraped, fired, received, off, seen }: FaultTimeline): MttrRound {
  const decided = received ?? signal
  return {
    parts: {
      signal: secondsBetween(injected, signal),
      scrape: scraped === null ? null : secondsBetween(signal, scraped),
      rule: scraped === null || fired === null ? null : secondsBetween(scraped, fired),
      webhook: fired === null || received === null ? null : secondsBetween(fired, received),
      decision: secondsBetween(decided, off),
      propagation: secondsBetween(off, seen),
    },
    whole: secondsBetween(injected, seen),
    agent: secondsBetween(decided, off),
  }
}

/** Readings of different clocks of one machine may be out of order by a few milliseconds. */
const secondsBetween = (from: number, to: number): number => Math.max(0, to - from) / 1000
