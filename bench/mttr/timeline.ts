/** When what was seen of one fault, in milliseconds since 1970 by the clock of this machine. */
export interface Timeline {
  readonly injected: number
  /** The agent's own reading says so. */
  readonly signal: number
  /** Prometheus has scraped it; null by the guard's path, as the next two. */
  readonly scraped: number | null
  /** Grafana's rule has fired. */
  readonly fired: number | null
  /** The webhook has arrived. */
  readonly received: number | null
  /** The agent serves the flag off. */
  readonly off: number
  /** The last live client has seen it. */
  readonly seen: number
}

export const PARTS = ['signal', 'scrape', 'rule', 'webhook', 'decision', 'propagation'] as const
export type Part = (typeof PARTS)[number]

/** One round in seconds; null: not part of this path. */
export interface Round {
  readonly parts: Readonly<Record<Part, number | null>>
  readonly whole: number
  /** What the agent itself takes: from the webhook, or by the guard from the signal, to the flag off. */
  readonly agent: number
}

export function roundOf({ injected, signal, scraped, fired, received, off, seen }: Timeline): Round {
  const decided = received ?? signal
  return {
    parts: {
      signal: between(injected, signal),
      scrape: scraped === null ? null : between(signal, scraped),
      rule: scraped === null || fired === null ? null : between(scraped, fired),
      webhook: fired === null || received === null ? null : between(fired, received),
      decision: between(decided, off),
      propagation: between(off, seen),
    },
    whole: between(injected, seen),
    agent: between(decided, off),
  }
}

/** Two looks at different clocks of one machine may come out the other way round by a few milliseconds. */
const between = (from: number, to: number): number => Math.max(0, to - from) / 1000
