import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ColumnDrop, OperationPreview, Problem, ReadinessItem, Readiness } from '../../agent/src/contract/index.ts'
import { TOKENS } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { createPullRequestReader } from '../../agent/src/columnDrop/pullRequest/pullRequestState.ts'
import { startGithub, type GithubServer } from './githubServer.ts'
import {
  PREPARATION_DEFAULTS,
  evaluateFlag,
  findColumnDropCheck,
  prepareColumnDrop,
  waitForSoak,
  withEnabledRollout,
} from './enabledRollout.ts'
import { runMigration } from './runMigration.ts'

const TOKEN = 'a-token-of-github'

/** The state of the first pull request is read again once it is half a minute old. */
async function expectStates(github: GithubServer): Promise<void> {
  let time = 1
  const config = { owner: 'acme', repository: 'app', token: TOKEN, apiUrl: github.url }
  const read = createPullRequestReader(config, () => time)
  const url = 'https://github.example/acme/app/pull/1'
  const pull = github.pulls[0]!
  expect(await read(url)).toEqual({ value: 'open', at: 1 })
  const changes = [
    [() => (pull.state = 'closed'), { value: 'closed' }],
    [() => (pull.merged_at = '2026-03-01T12:00:00Z'), { value: 'merged' }],
    [() => github.refuse('token'), { unknown: expect.stringMatching(/does not say if .*Bad credentials/) as string }],
  ] as const
  for (const [change, state] of changes) {
    const before = await read(url)
    change()
    expect(await read(url)).toEqual(before)
    time += 30_001
    await expect.poll(() => read(url)).toMatchObject(state)
  }
  github.refuse(null)
  Object.assign(pull, { state: 'open', merged_at: null })
  expect(await read('https://github.example/other')).toMatchObject({ unknown: expect.any(String) as string })
}

test('a draft pull request with its label is opened on a new branch, and the output folder has the same content', async () => {
  const github = await startGithub(TOKEN)
  const folder = await mkdtemp(join(tmpdir(), 'sti-archive-'))
  const config = {
    archiveFolder: folder,
    github: { owner: 'acme', repository: 'app', token: TOKEN, apiUrl: github.url },
  }
  try {
    await withEnabledRollout(
      async ({ agent, database: { sql, url } }) => {
        const before = (await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).items
        const item = (items: ReadinessItem[]) => items.find((candidate) => candidate.item === 'column-drop-migration')!
        expect(item(before)).toMatchObject({ state: 'not-ready' })
        const run = await prepareColumnDrop(agent, { openPullRequest: true, validateData: true, exportArchive: true })
        expect(run.reasons).toEqual([])
        const pull = run.pullRequest!
        expect(run.archive).toMatchObject({ exported: { rows: 300 } })
        expect(await readdir(folder)).toHaveLength(2)
        expect(pull.url).toBe('https://github.example/acme/app/pull/1')
        expect(github.pulls).toHaveLength(1)
        expect(github.pulls[0]).toMatchObject({
          draft: true,
          base: 'trunk',
          head: pull.branch,
          labels: ['do-not-merge'],
        })
        expect(github.pulls[0]!.title).toBe(
          '[Do Not Merge] Drop the legacy columns is_truck, is_bike of public.vehicles',
        )
        const files = github.files(pull.branch)
        expect(files.get('README.md')).toBe('app')
        const [migration] = pull.files
        expect(files.get(migration!.path)).toBe(migration!.text)
        expect(migration!.text).toMatch(/drop column/i)
        expect(run.migration!.down).toMatch(/add column/i)
        for (const part of [
          'Do Not Merge',
          'Safety checks',
          'Validation evidence',
          'Rollback',
          'Locks and duration',
          'What to monitor',
          '- [ ] Sign-off',
          'archive-complete',
        ])
          expect(pull.body).toContain(part)
        const after = (await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).items
        expect(item(after)).toMatchObject({ state: 'ready' })
        expect(item(after).sentence).toContain(`${pull.url}) is open`)
        await expectStates(github)

        // An error from GitHub is reported in GitHub's words, without the token, and the prepared files are kept.
        for (const what of ['drafts', 'token'] as const) {
          github.refuse(what)
          const failed = await agent.waitForEnd(
            (await agent.request('column-drop', { ...PREPARATION_DEFAULTS, openPullRequest: true })).id,
          )
          expect(failed.result, JSON.stringify(failed.result)).toBeNull()
          expect(failed).toMatchObject({ state: 'failed', errorCode: 'github' })
          expect(failed.error).toMatch(what === 'drafts' ? /Draft pull requests are not supported/ : /Bad credentials/)
          expect(failed.error).not.toContain(TOKEN)
        }
        // The newest draft has no pull request, so that the older one does not make the item ready.
        const unopened = item((await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).items)
        expect(unopened).toMatchObject({ state: 'not-ready', by: 'measured' })
        expect(unopened.sentence).toContain('no pull request was opened')
        const kept = await agent.get<ColumnDrop>('/v1/rollouts/vehicles/column-drop')
        expect(kept.last).toMatchObject({ prepared: true, pullRequest: { url: null } })
        github.refuse(null)

        // The page requires the rollout's name, and only an admin is allowed.
        const ask = (token: string, parameters: Record<string, unknown>) =>
          agent.post<Problem>(
            '/v1/rollouts/vehicles/operations',
            { kind: 'column-drop', environment: 'staging', parameters },
            { authorization: `Bearer ${token}` },
          )
        expect(await ask(TOKENS.ann, {})).toMatchObject({ status: 422, body: { code: 'invalid-body' } })
        expect(await ask(TOKENS.bob, PREPARATION_DEFAULTS)).toMatchObject({ status: 403 })

        await withSti(async (sti, cwd) => {
          const written = join(cwd, 'drop')
          const options = ['--include-rollback', '--generate-pr', '--safety-checks', '--output', 'drop']
          const done = await sti(agent.url, 'prepare-column-drop', ...options)
          expect(done, done.err).toMatchObject({ code: 0 })
          expect(done.out).toContain('archive-complete')
          expect((await readdir(written)).sort()).toEqual([
            'BODY.md',
            'BRANCH',
            'LABELS',
            'TITLE',
            'down.sql',
            'files',
            'up.sql',
          ])
          expect(await readFile(join(written, 'BODY.md'), 'utf8')).toContain('Do Not Merge')
          await evaluateFlag(agent)
          const refused = await sti(agent.url, 'prepare-column-drop', ...options)
          expect(refused.code).toBe(3)
          expect(refused.out).toContain('Refused')
          await sql.unsafe(
            `create function public.f() returns void language plpgsql as 'begin execute $$select is_truck from vehicles$$; end'`,
          )
          await waitForSoak(agent)
          expect(await sti(agent.url, 'prepare-column-drop', ...options)).toMatchObject({ code: 4 })
          expect(await sti(agent.url, 'prepare-column-drop', '--generate-pr')).toMatchObject({ code: 0 })
        })

        // Someone else runs the drop, and the agent detects it.
        await sql.unsafe('drop function public.f()')
        const ready = await prepareColumnDrop(agent)
        expect(findColumnDropCheck(ready, 'archive-complete').verdict).toBe('pass')
        await runMigration(url, ready.migration!.up)
        const dropped = await agent.rollout()
        // The end of the rollout is no fault, and there is nothing to go back to without the legacy columns.
        expect(dropped).toMatchObject({
          stage: 'dropped',
          faults: [],
          notes: expect.arrayContaining([expect.stringContaining('The rollout is complete')]) as string[],
          steps: expect.arrayContaining([
            expect.objectContaining({ step: 'baseline', state: 'later', fact: 'not taken' }),
            expect.objectContaining({ step: 'expand', state: 'done', fact: 'trigger removed' }),
            expect.objectContaining({ step: 'column-drop', state: 'done', fact: 'dropped' }),
          ]) as object[],
          next: null,
          rollbackReady: expect.arrayContaining(
            ['data', 'system'].map(
              (scope) =>
                expect.objectContaining({
                  scope,
                  ready: false,
                  reasons: expect.arrayContaining([expect.stringContaining('run the down migration')]) as string[],
                }) as object,
            ),
          ),
        })
        const data = await agent.post<Problem>('/v1/rollouts/vehicles/operations', {
          kind: 'rollback',
          environment: 'staging',
          parameters: { scope: 'data', confirm: 'vehicles' },
        })
        expect(data.status).toBe(409)
        expect(data.body.reasons!.join(' ')).toContain('run the down migration')
        const flag = await agent.post<OperationPreview>('/v1/rollouts/vehicles/operations?dryRun=true', {
          kind: 'rollback',
          environment: 'staging',
          parameters: { scope: 'flag' },
        })
        expect(flag.body).toMatchObject({ allowed: true, warnings: [expect.stringContaining('down migration')] })
        await runMigration(url, ready.migration!.down!)
        expect((await agent.rollout()).stage).not.toBe('dropped')
        const [{ wrong }] = (await sql`select count(*)::int as wrong from public.vehicles
          where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`) as unknown as [
          { wrong: number },
        ]
        expect(wrong).toBe(0)
      },
      { config },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
    await github.close()
  }
})
