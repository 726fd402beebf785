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

/** The command as in a terminal that is none, with the agent of this address. */
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

describe('what is typed wrong', () => {
  test.each([
    ['backfil', 'Did you mean backfill'],
    ['backfill --batch-size 0', 'a whole number from 1 to 100000'],
    ['backfill --batch-size 1e3', 'a whole number from 1 to 100000'],
    ['backfill --rollback-on-error=all', 'Allowed choices are data'],
    ['backfill --workers 33', 'a whole number from 1 to 32'],
    ['backfill --nice-ratio -1', 'a number from 0 to 100'],
    ['backfill --limit lockWaiters', 'Write name=number'],
    ['backfill --limit lockWaiter=1', 'There is no limit lockWaiter; there are: lockWaiters, '],
    ['backfill --limit lockWaiters=file', 'hold unless others are given'],
    ['baseline --duration 1w', 'Write a time from 5s to 31d'],
    ['baseline --duration 4s', 'Write a time from 5s to 31d'],
    ['baseline --live --duration 30s', '--live needs a --duration of 60s at least'],
    ['baseline --live --compare', '--duration, --live and --release do not go with --compare'],
    ['baseline --list --show', 'Say one of --show and --list'],
    ['baseline --list --output /tmp/x', '--output goes with a new baseline, or with --show'],
    ['baseline --output /tmp/x --detach', '--output waits for the baseline'],
    ['baseline --compare newest', 'the number of a baseline'],
    ['baseline --input /nowhere/at/all.json', '/nowhere/at/all.json cannot be read (ENOENT)'],
    ['baseline --input /etc/hostname', '/etc/hostname is not JSON'],
    ['validate --performance-baseline /etc/hostname', '/etc/hostname is not JSON'],
    ['baseline --output /nowhere/b.json', '/nowhere/b.json cannot be written (its folder does not exist)'],
    ['validate --generate-report --output /tmp --format md', '/tmp is a folder'],
    ['check /nowhere/at/all.yaml', 'The file /nowhere/at/all.yaml does not exist'],
    ['check /tmp', '/tmp is no file'],
    ['operations tune 1', 'Say what to change'],
    ['flag', 'one of --enable and --disable'],
    ['flag --enable --disable', 'one of --enable and --disable'],
    ['flag --disable --percentage 10', '--percentage goes with --enable'],
    ['flag --enable --percentage 101', 'a number from 0 to 100'],
    ['flag --enable --force', '--force needs --reason'],
    ['rollback', 'rollback'],
    ['operations show', "argument 'id'"],
  ])('%s', async (line, sentence) => {
    const answer = await runSti('http://127.0.0.1:9', line)
    expect(answer).toMatchObject({ code: 2, err: expect.stringContaining(sentence) as string })
    expect(answer.err).not.toMatch(/^\s+at /m)
  })

  test('with --json a wrong option is one JSON object', async () => {
    const { code, err } = await runSti('http://127.0.0.1:9', 'backfill --json --batch-size 0')
    expect(code).toBe(2)
    expect(JSON.parse(err)).toMatchObject({ error: expect.stringContaining('whole number') as string, code: 'usage' })
  })

  test('limits add up to what the contract takes', () => {
    const given = ['lockWaiters=2', 'slotRetainedBytes.pause=1e9', 'slotRetainedBytes.abort=none', 'signals.q-1=0.5']
    const all = given.reduce<Limits>((before, text) => parseInitialLimitOption(text, before), {})
    const slots = { pause: 1e9, abort: 'none' }
    expect(Limits.parse(all)).toEqual({ lockWaiters: 2, slotRetainedBytes: slots, signals: { 'q-1': 0.5 } })
    const back = parseLimitOption('signals.q-1=file', parseLimitOption('lockWaiters=file', all))
    expect(LimitsPatch.parse(back)).toEqual({ lockWaiters: null, slotRetainedBytes: slots, signals: { 'q-1': null } })
  })

  test('an agent that is not there', async () => {
    const answer = await runSti('http://127.0.0.1:9', 'status')
    expect(answer.code).toBe(1)
    expect(answer.err).toMatch(/^sti: The agent at http:\/\/127\.0\.0\.1:9 cannot be reached \(.+\)\.\n$/)
    for (const line of ['flag --disable', 'rollback flag'])
      expect(await runSti('http://127.0.0.1:9', line)).toMatchObject({
        code: 1,
        err: expect.stringContaining('RUNBOOK') as string,
      })
  })
})

describe('against an agent', () => {
  test('the plan, command by command, and its exit codes', async () => {
    await withStaging(3_000, async ({ url }, { sql }) => {
      const step = async (line: string, code = 0): Promise<CliResult> => {
        const answer = await runSti(url, line)
        expect(answer, `${line}\n${answer.out}${answer.err}`).toMatchObject({ code })
        return answer
      }
      expect((await step('flag --environment staging --enable', 3)).err).toContain('sti backfill')
      await step('expand --environment staging')
      const backfill = await step(
        'backfill --environment staging --batch-size 1000 --checkpoint-interval 100 --enable-monitoring --rollback-on-error --progress-reporting',
      )
      expect(backfill.out).toContain('100.0 %, 3,000 of 3,000 rows, 3,000 written')
      expect((await step('validate --environment staging --full-validation')).out).toContain('coverage 100.0 %')
      expect((await step('accept-failed-rows --key 1 --reason known', 1)).err).toContain(
        '1 of the keys name no failed row',
      )
      await step('finalize --environment staging')
      await step('flag --environment staging --enable --percentage 10')
      expect((await step('status --environment staging')).out).toContain('on at 10 %')
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

  test('a token of too low a level is refused in words', async () => {
    await withStaging(10, async ({ url }) => {
      const answer = await runSti(url, 'expand --environment staging', TOKENS.viewer)
      expect(answer.code).toBe(3)
      expect(answer.err).toMatch(/^sti: .+\n/)
    })
  })

  test('--json prints the operation as it changes, one line each, and faults as JSON', async () => {
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

  test('Ctrl-C stops the looking, not the operation', async () => {
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
      expect(await err).toContain(`backfill ${running?.id} goes on`)
      expect(await err).toContain(`sti operations cancel ${running?.id}`)
      expect((await runSti(agent.url, `operations pause ${running?.id}`)).code).toBe(0)
      expect((await agent.waitForEnd(running?.id ?? 0)).state).toBe('paused')
      expect((await runSti(agent.url, 'operations cancel')).code).toBe(0)
      expect((await runSti(agent.url, `watch ${running?.id}`)).code).toBe(1)
    })
  })
})
