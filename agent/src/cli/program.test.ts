import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { TOKENS, withAgent, type TestAgent } from '../../../test/support/agent.ts'
import { withDatabase, type TestDatabase } from '../../../test/support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../../../test/support/vehicles.ts'
import { Limits, LimitsPatch, type Operation } from '../contract/index.ts'
import { parseLimitOption, parseInitialLimitOption } from './limitOption.ts'
import { runProgram } from './program.ts'

interface CliResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command without a terminal, against the agent at this address. */
async function runSti(url: string, line: string, token = TOKENS.ann): Promise<CliResult> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(stdout), text(stderr)])
  const env = { STI_URL: url, STI_TOKEN: token }
  const code = await runProgram(line.split(' '), { stdin: new PassThrough(), stdout, stderr, env, cwd: '/', home: '/' })
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

async function withStaging(
  rows: number,
  use: (agent: TestAgent, database: TestDatabase) => Promise<void>,
): Promise<void> {
  await withDatabase(async (database) => {
    await createVehicles(database.sql, rows)
    await withAgent(database.url, VEHICLES_FILE, (agent) => use(agent, database))
  })
}

describe('a usage error', () => {
  test.each([
    ['backfil', 'Did you mean backfill'],
    ['backfill --batch-size 0', 'a whole number from 1 to 100000'],
    ['backfill --batch-size 1e3', 'a whole number from 1 to 100000'],
    ['backfill --rollback-on-error=all', 'Allowed choices are data'],
    ['backfill --workers 33', 'a whole number from 1 to 32'],
    ['backfill --nice-ratio -1', 'a number from 0 to 100'],
    ['backfill --limit lockWaiters', 'Use name=number'],
    ['backfill --limit lockWaiter=1', 'Limit lockWaiter does not exist. Limits: lockWaiters, '],
    ['backfill --limit lockWaiters=file', 'already uses the limits of the rollout file'],
    ['baseline --duration 1w', 'a duration from 5s to 31d'],
    ['baseline --duration 4s', 'a duration from 5s to 31d'],
    ['baseline --live --duration 30s', '--live requires a --duration of at least 60s'],
    ['baseline --live --compare', '--duration, --live and --release cannot be combined with --compare'],
    ['baseline --list --show', 'Use only one of --show and --list'],
    ['baseline --list --output /tmp/x', '--output requires a new baseline or --show'],
    ['baseline --output /tmp/x --detach', '--output waits for the baseline'],
    ['baseline --compare newest', 'a whole number from 1'],
    ['baseline --input /nowhere/at/all.json', 'Cannot read /nowhere/at/all.json (ENOENT)'],
    ['baseline --input /etc/hostname', '/etc/hostname is not JSON'],
    ['validate --performance-baseline /etc/hostname', '/etc/hostname is not JSON'],
    ['baseline --output /nowhere/b.json', 'Cannot write /nowhere/b.json (its folder does not exist)'],
    ['validate --generate-report --output /tmp --format md', '/tmp is a folder'],
    ['check /nowhere/at/all.yaml', 'The file /nowhere/at/all.yaml does not exist'],
    ['check /tmp', '/tmp is not a file'],
    ['operations tune 1', 'Specify what to change'],
    ['flag', 'either --enable or --disable'],
    ['flag --enable --disable', 'either --enable or --disable'],
    ['flag --disable --percentage 10', '--percentage requires --enable'],
    ['flag --enable --percentage 101', 'a number from 0 to 100'],
    ['flag --enable --force', '--force requires --reason'],
    ['rollback', 'rollback'],
    ['operations show', "argument 'id'"],
  ])('%s', async (line, sentence) => {
    const result = await runSti('http://127.0.0.1:9', line)
    expect(result).toMatchObject({ code: 2, err: expect.stringContaining(sentence) as string })
    expect(result.err).not.toMatch(/^\s+at /m)
  })

  test('with --json an invalid option is reported as one JSON object', async () => {
    const { code, err } = await runSti('http://127.0.0.1:9', 'backfill --json --batch-size 0')
    expect(code).toBe(2)
    expect(JSON.parse(err)).toMatchObject({ error: expect.stringContaining('whole number') as string, code: 'usage' })
  })

  test('repeated --limit options form a valid request', () => {
    const texts = ['lockWaiters=2', 'slotRetainedBytes.pause=1e9', 'slotRetainedBytes.abort=none', 'signals.q-1=0.5']
    const limits = texts.reduce<Limits>((previous, text) => parseInitialLimitOption(text, previous), {})
    const slots = { pause: 1e9, abort: 'none' }
    expect(Limits.parse(limits)).toEqual({ lockWaiters: 2, slotRetainedBytes: slots, signals: { 'q-1': 0.5 } })
    const restored = parseLimitOption('signals.q-1=file', parseLimitOption('lockWaiters=file', limits))
    expect(LimitsPatch.parse(restored)).toEqual({
      lockWaiters: null,
      slotRetainedBytes: slots,
      signals: { 'q-1': null },
    })
  })

  test('an unreachable agent', async () => {
    const result = await runSti('http://127.0.0.1:9', 'status')
    expect(result.code).toBe(1)
    expect(result.err).toMatch(/^sti: The agent at http:\/\/127\.0\.0\.1:9 cannot be reached \(.+\)\.\n$/)
    for (const line of ['flag --disable', 'rollback flag'])
      expect(await runSti('http://127.0.0.1:9', line)).toMatchObject({
        code: 1,
        err: expect.stringContaining('RUNBOOK') as string,
      })
  })
})

describe('against an agent', () => {
  test('the commands of a rollout in order, with their exit codes', async () => {
    await withStaging(3_000, async ({ url }, { sql }) => {
      const step = async (line: string, code = 0): Promise<CliResult> => {
        const result = await runSti(url, line)
        expect(result, `${line}\n${result.out}${result.err}`).toMatchObject({ code })
        return result
      }
      expect((await step('flag --environment staging --enable', 3)).err).toContain('sti backfill')
      await step('expand --environment staging')
      const backfill = await step(
        'backfill --environment staging --batch-size 1000 --checkpoint-interval 100 --enable-monitoring --rollback-on-error --progress-reporting',
      )
      expect(backfill.out).toContain('100%, 3,000 of 3,000 rows, 3,000 written')
      expect((await step('validate --environment staging --full-validation')).out).toContain('coverage 100%')
      expect((await step('accept-failed-rows --key 1 --reason known', 1)).err).toContain(
        '1 of 1 key did not match a failed row',
      )
      await step('finalize --environment staging')
      await step('flag --environment staging --enable --percentage 10')
      expect((await step('status --environment staging')).out).toContain('on at 10%')
      await step('flag --environment staging --disable')
      await sql`alter table vehicles disable trigger "~sti_derive"`
      await sql`update vehicles set type = 'Bike' where id = 1`
      expect((await step('validate --environment staging', 1)).out).toMatch(/fail .*type-matches-legacy/)
      expect((await step('rollback data --environment staging --full-rollback', 2)).err).toContain('--confirm vehicles')
      await step('rollback data --environment staging --full-rollback --confirm vehicle', 2)
      expect((await step('rollback data --environment staging --full-rollback --confirm vehicles')).out).toContain(
        'structure: as before expand; content: ',
      )
      expect((await step('operations list')).out).toMatch(/rollback data +succeeded/)
      await step('status --environment production', 3)
      await step('operations show 999', 2)
    })
  })

  test('a token with too low a level is refused with a sentence', async () => {
    await withStaging(10, async ({ url }) => {
      const result = await runSti(url, 'expand --environment staging', TOKENS.viewer)
      expect(result.code).toBe(3)
      expect(result.err).toMatch(/^sti: .+\n/)
    })
  })

  test('--json prints one line per change of the operation, and errors as JSON', async () => {
    await withStaging(10, async ({ url }) => {
      const { out } = await runSti(url, 'expand --json')
      const states = out
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Operation).state)
      expect(states.at(-1)).toBe('succeeded')
      const refused = await runSti(url, 'flag --enable --json')
      expect(JSON.parse(refused.err)).toMatchObject({ code: 'refused', reasons: expect.any(Array) as string[] })
    })
  })

  test('Ctrl-C stops watching, not the operation', async () => {
    await withStaging(60_000, async (agent) => {
      await agent.run('expand')
      const bin = join(import.meta.dirname, '../../bin/sti.js')
      const child = spawn(
        process.execPath,
        [bin, 'backfill', '--batch-size', '50', '--nice-ratio', '5', '--progress-reporting'],
        {
          env: { ...process.env, STI_URL: agent.url, STI_TOKEN: TOKENS.ann },
        },
      )
      const err = text(child.stderr)
      await once(child.stderr, 'data')
      child.kill('SIGINT')
      const [code] = (await once(child, 'exit')) as [number]
      expect(code).toBe(4)
      const running = (await agent.rollout()).running
      expect(await err).toContain(`backfill ${running?.id} continues`)
      expect(await err).toContain(`sti operations cancel ${running?.id}`)
      expect((await runSti(agent.url, `operations pause ${running?.id}`)).code).toBe(0)
      expect((await agent.waitForEnd(running?.id ?? 0)).state).toBe('paused')
      expect((await runSti(agent.url, 'operations cancel')).code).toBe(0)
      expect((await runSti(agent.url, `watch ${running?.id}`)).code).toBe(1)
    })
  })
})
