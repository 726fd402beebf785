import { test } from 'vitest'

type TestBody = () => void | Promise<void>
type TestArguments = [body: TestBody, timeoutMs?: number] | [options: { timeout?: number }, body: TestBody]

/**
 * A test that reads clocks: it expects a poll, an alert or a measurement within a time that a shared, loaded machine
 * does not always keep. It runs a second time after a failure, and the output names it (retry x1).
 *
 * Every other test runs once. A row that is lost, duplicated, or wrong once is a defect, so no test of rows carries
 * this mark.
 */
function run(name: string, ...[first, second]: TestArguments): void {
  const [options, body] =
    typeof first === 'function' ? [{ timeout: second as number | undefined }, first] : [first, second]
  test(name, { retry: 1, ...(options.timeout === undefined ? {} : options) }, body as TestBody)
}

function skip(name: string, ...[first, second]: TestArguments): void {
  test.skip(name, (typeof first === 'function' ? first : second) as TestBody)
}

export const realTimeTest = Object.assign(run, {
  skipIf: (condition: boolean) => (condition ? skip : run),
  runIf: (condition: boolean) => (condition ? run : skip),
})
