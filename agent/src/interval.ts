/** Work that repeats: never two runs at a time, and a stop that waits for the run in flight. */
export interface Interval {
  /** Runs immediately, and then once per interval. A second start does nothing. */
  start(): void
  /** Runs now, or joins the run in flight; the next run follows one interval later. Does nothing after `stop`. */
  runNow(): Promise<void>
  /** Stops the interval, and resolves when the run in progress has ended. `start` restarts it. */
  stop(): Promise<void>
  /** Takes effect after the next run. */
  setIntervalMs(milliseconds: number): void
}

export interface IntervalOptions {
  /**
   * Milliseconds from the start of one run to the start of the next. A run that takes longer is followed immediately.
   */
  readonly intervalMs: number
  readonly run: () => Promise<void> | void
  /** Receives what `run` throws: nothing that repeats may end the process. */
  readonly onError: (error: unknown) => void
  /** The first run after `start` waits for one interval. Default false. */
  readonly delayFirstRun?: boolean
  /** A run that takes longer no longer counts as in flight, so that the next one can begin. Default: no bound. */
  readonly abandonAfterMs?: number
}

/**
 * The one way to repeat something in the agent. The timers do not keep the process alive. A run that is in flight when
 * the interval is stopped and started again does not delay the first run after that start.
 */
export function createInterval({
  intervalMs,
  run,
  onError,
  delayFirstRun = false,
  abandonAfterMs,
}: IntervalOptions): Interval {
  let currentIntervalMs = intervalMs
  let state: 'new' | 'started' | 'stopped' = 'new'
  let timer: NodeJS.Timeout | undefined
  let inFlight: Promise<void> | null = null

  async function execute(): Promise<void> {
    try {
      await (abandonAfterMs === undefined ? run() : withinTime(Promise.resolve(run()), abandonAfterMs))
    } catch (error) {
      onError(error)
    }
  }

  function runNow(): Promise<void> {
    if (state === 'stopped') return Promise.resolve()
    if (inFlight) return inFlight
    clearTimeout(timer)
    const startedAt = performance.now()
    const execution = execute().finally(() => {
      // After a stop, the run that ends here is no longer the current one.
      if (inFlight !== execution) return
      inFlight = null
      if (state === 'started') schedule(currentIntervalMs - (performance.now() - startedAt))
    })
    inFlight = execution
    return execution
  }

  function schedule(milliseconds: number): void {
    timer = setTimeout(() => void runNow(), Math.max(0, milliseconds)).unref()
  }

  return {
    start() {
      if (state === 'started') return
      state = 'started'
      if (delayFirstRun) schedule(currentIntervalMs)
      else void runNow()
    },
    runNow,
    async stop() {
      state = 'stopped'
      clearTimeout(timer)
      const last = inFlight
      inFlight = null
      await last
    },
    setIntervalMs(milliseconds) {
      currentIntervalMs = milliseconds
    },
  }
}

/** Resolves when the work has ended, or when the time has elapsed. */
async function withinTime(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds).unref()
  })
  await Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}
