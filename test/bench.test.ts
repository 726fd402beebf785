import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLoad } from '../bench/foreground/startLoad.ts'
import { parseOptions } from '../bench/options.ts'
import { createBenchTable } from '../bench/benchTable.ts'
import { withDatabase } from './support/database.ts'
import { realTimeTest } from './support/realTime.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sti-bench-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('two methods produce a table, goals, JSON, a chart, and a comparison with an earlier run', async () => {
  const [json, svg, earlier] = ['now.json', 'chart.svg', 'earlier.json'].map((name) => join(folder, name))
  await writeFile(earlier!, JSON.stringify([{ method: 'single-update', rows: 10, rowsPerSecond: 1 }]))
  const { code, output, errors } = await runBench(
    ...['--rows', '20000', '--methods', 'single-update,engine', '--json', json!, '--svg', svg!, '--compare', earlier!],
  )
  expect(code, errors).toBe(0)
  expect(output).toMatch(/\| single-update +\| +1 \| +50% \|/)
  expect(output).toMatch(/(met|MISSED) +\d+\.\d\d {2}rows\/s of engine to single-update \(at least 1\.6\)/)
  expect(output).toMatch(/\| single-update +\| +10 \| +20000 \| +1000000\.00 \|/)
  const figures = {
    rows: 20_000,
    rowsPerSecond: expect.any(Number),
    walBytesPerRow: expect.any(Number),
    heapGrowthBytes: expect.any(Number),
    indexGrowthBytes: expect.any(Number),
    hotRatio: expect.any(Number),
    seconds: expect.any(Number),
  }
  expect(JSON.parse(await readFile(json!, 'utf8'))).toEqual([
    { method: 'single-update', workers: 1, ...figures },
    { method: 'engine', workers: 1, ...figures, agentRssBytes: expect.any(Number) },
  ])
  const chart = await readFile(svg!, 'utf8')
  expect(chart).toContain('>single-update</text>')
  expect(chart).toContain('prefers-color-scheme: dark')
})

test.each([
  [['--speed', '1'], "Unknown option '--speed': see npm run bench -- --help"],
  [['--methods', 'single-update,magic'], "Unknown method 'magic'. Use single-update, range-1000"],
  [['--rows', 'many'], '--rows must be a whole number above 0, such as 2000000'],
  [['--workers', '2'], '--workers requires --foreground'],
  [['--compare', '/nowhere.json'], '--compare /nowhere.json cannot be read'],
  [['--json', '/nowhere/at/all.json'], '--json /nowhere/at/all.json: the folder does not exist'],
])('%j is refused with a message', async (args, sentence) => {
  await expect(parseOptions(args)).rejects.toThrow(sentence)
})

test.each([[['--speed', '1']], [['--methods', 'magic']]])('%j ends with code 2 and one line', async (args) => {
  const { code, output, errors } = await runBench(...args)
  expect({ code, output }).toEqual({ code: 2, output: '' })
  expect(errors.trimEnd().split('\n')).toHaveLength(1)
})

realTimeTest('the latency of a request counts from its due time, even if its client is still waiting', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createBenchTable(sql, 1000, 50)
    const load = await startLoad({ url, rows: 1000, clients: 2, perSecond: 100 })
    await delay(300)
    await sql.unsafe(`do $$ begin
      lock table public.vehicles in access exclusive mode;
      perform pg_sleep(1);
    end $$`)
    const { latency, due } = await load.stop()
    // 100 requests were due during the lock. A closed-loop generator would have sent two.
    expect([...latency].filter((milliseconds) => milliseconds > 300).length).toBeGreaterThan(50)
    expect(Math.max(...latency)).toBeGreaterThan(950)
    const sorted = [...due].sort()
    expect((sorted.at(-1)! - sorted[0]!) / (sorted.length - 1)).toBeCloseTo(10, 0)
  })
})

async function runBench(...args: string[]): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...args])
  const [output, errors] = [readStream(child.stdout), readStream(child.stderr)]
  const [code] = (await once(child, 'exit')) as [number | null]
  return { code, output: await output, errors: await errors }
}

async function readStream(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const part of stream) text += String(part)
  return text
}
