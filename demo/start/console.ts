export interface StepTiming {
  readonly name: string
  readonly seconds: number
}

const STEP_NAME_WIDTH = 46

/** Prints steps with their duration and result, and keeps the durations for the summary. */
export function createConsole() {
  const timings: StepTiming[] = []
  const write = (text: string): void => void process.stdout.write(text)
  return {
    timings,
    line: (text = ''): void => write(`${text}\n`),
    /** A step that prints its own output. */
    async command<T>(name: string, title: string, work: () => Promise<T>): Promise<T> {
      write(`\n$ ${title}\n`)
      return timed(name, work)
    },
    async step<T>(name: string, work: () => Promise<T>, remark?: (result: T) => string): Promise<T> {
      if (process.stdout.isTTY) write(`  ${name} …`)
      const started = performance.now()
      try {
        const result = await timed(name, work)
        done(name, started, remark?.(result) ?? '')
        return result
      } catch (error) {
        done(name, started, 'failed')
        throw error
      }
    },
    /** A check without a duration. */
    check(name: string, remark: string): void {
      write(`  ${name.padEnd(STEP_NAME_WIDTH)}      ok  ${remark}\n`)
    },
  }

  async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const started = performance.now()
    const result = await work()
    timings.push({ name, seconds: (performance.now() - started) / 1000 })
    return result
  }

  function done(name: string, started: number, remark: string): void {
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    write(`${process.stdout.isTTY ? '\r' : ''}  ${name.padEnd(STEP_NAME_WIDTH)}${seconds.padStart(6)} s  ${remark}\n`)
  }
}

export type DemoConsole = ReturnType<typeof createConsole>
