import { expect, test } from 'vitest'
import type { ColumnDrop } from '../../agent/src/contract/index.ts'
import {
  evaluateFlag,
  findColumnDropCheck,
  prepareColumnDrop,
  SOAK_FILE,
  waitForSoak,
  validateIntegrity,
  withEnabledRollout,
} from './enabledRollout.ts'

test('every check passes if nothing needs the columns, and each check can fail', async () => {
  await withEnabledRollout(async ({ agent, database: { sql } }) => {
    const first = await prepareColumnDrop(agent)
    expect(first.reasons).toEqual([])
    expect(first).toMatchObject({ verdict: 'pass', prepared: true })
    expect(first.checks.map(({ check }) => check)).toEqual([
      ...['validation-passed', 'flag-stable', 'no-failed-rows', 'lossless', 'no-dependent-objects', 'no-function-body'],
      ...['no-statement-reads', 'no-statement-writes', 'flag-not-evaluated', 'no-subscriber', 'undo-possible'],
      'archive-complete',
    ])
    expect((await agent.rollout()).stage).toBe('ready-to-drop')

    // Dependencies in the catalog, and in function bodies.
    await sql.unsafe(`
      create view public.trucks as select id from public.vehicles where is_truck;
      create view public.whole as select v from public.vehicles v;
      create index vehicles_mixed on public.vehicles (name, is_truck);
      create index vehicles_trucks on public.vehicles (is_bike);
      alter table public.vehicles add constraint vehicles_axles check (not is_truck or axles is not null);
      create statistics public.vehicles_kinds on is_truck, is_bike from public.vehicles;
      create statistics public.vehicles_mixed_kinds on is_truck, axles from public.vehicles;
      create policy mine on public.vehicles using (not is_bike);
      alter table public.vehicles add column heavy boolean generated always as (is_truck) stored;
      create function public.touched() returns trigger language plpgsql as 'begin return new; end';
      create trigger vehicles_touched after update of is_bike on public.vehicles for each row execute function public.touched();
      create publication news for table public.vehicles (id, is_truck);
      create function public.trucks() returns bigint language sql as 'select count(*) from public.vehicles where is_truck';
      create function public.kind_of(v public.vehicles) returns text language plpgsql as
        'begin if v.is_bike then return $$Bike$$; end if; return v.type; end';
      create function public.builds() returns bigint language plpgsql as
        'declare n bigint; begin execute $$select count(*) from vehicles where is_truck$$ into n; return n; end';
      create function public.harmless() returns bigint language sql as 'select count(*) from public.vehicles where type = $$Truck$$'`)
    const tripped = await prepareColumnDrop(agent)
    expect(tripped).toMatchObject({ verdict: 'fail', prepared: false, migration: null, pullRequest: null })
    expect((await agent.rollout()).stage).toBe('enabled')
    const objects = findColumnDropCheck(tripped, 'no-dependent-objects')
    for (const name of [
      'trucks',
      'whole',
      'vehicles_mixed',
      'vehicles_axles',
      'vehicles_mixed_kinds',
      'mine',
      'heavy',
      'vehicles_touched',
      'news',
    ])
      expect(
        objects.findings.some((line) => line.includes(name)),
        `${name} in ${objects.findings.join('\n')}`,
      ).toBe(true)
    expect(objects.verdict).toBe('fail')
    const bodies = findColumnDropCheck(tripped, 'no-function-body')
    expect(bodies.verdict).toBe('fail')
    for (const name of ['trucks()', 'kind_of(', 'builds()'])
      expect(
        bodies.findings.some((line) => line.includes(name)),
        name,
      ).toBe(true)
    expect(bodies.findings.some((line) => line.includes('harmless'))).toBe(false)
    expect(findColumnDropCheck(tripped, 'no-subscriber')).toMatchObject({ verdict: 'fail', findings: ['news'] })
    expect(findColumnDropCheck(tripped, 'flag-stable').verdict).toBe('pass')
    await sql.unsafe(`
      drop view public.trucks, public.whole; drop index public.vehicles_mixed; alter table public.vehicles drop constraint vehicles_axles;
      drop statistics public.vehicles_mixed_kinds; drop policy mine on public.vehicles; alter table public.vehicles drop column heavy;
      drop trigger vehicles_touched on public.vehicles; drop publication news;
      drop function public.trucks(), public.kind_of(public.vehicles)`)
    const undecided = await prepareColumnDrop(agent)
    expect(findColumnDropCheck(undecided, 'no-function-body')).toMatchObject({ verdict: 'inconclusive' })
    expect(undecided).toMatchObject({ verdict: 'inconclusive', prepared: false })
    await sql.unsafe('drop function public.builds()')

    // Statements that the application still sends.
    await sql.unsafe('select is_bike from public.vehicles where id = 1')
    await sql.unsafe('update "vehicles" set "is_truck" = true where id = 7')
    await evaluateFlag(agent, 'web-1')
    const used = await prepareColumnDrop(agent)
    expect(findColumnDropCheck(used, 'no-statement-reads')).toMatchObject({ verdict: 'fail' })
    expect(findColumnDropCheck(used, 'no-statement-reads').evidence).toContain('select is_bike from public.vehicles')
    expect(findColumnDropCheck(used, 'no-statement-writes').evidence).toContain('"is_truck"')
    expect(findColumnDropCheck(used, 'flag-not-evaluated').evidence).toContain('web-1')
    const { watch } = await agent.get<ColumnDrop>('/v1/rollouts/vehicles/column-drop')
    expect(watch).toMatchObject({ lastEvaluatedBy: 'web-1', soakSeconds: 3 })
    expect(watch.uses.filter(({ lastCalledAt }) => lastCalledAt !== null)).toHaveLength(2)

    // The application has stopped for the soak time. Indexes and statistics objects on the columns alone are dropped
    // with them.
    await waitForSoak(agent)
    await validateIntegrity(agent)
    const again = await prepareColumnDrop(agent)
    expect(again.reasons).toEqual([])
    expect(findColumnDropCheck(again, 'no-dependent-objects').findings).toHaveLength(2)

    // Reset counters lack earlier calls.
    await sql.unsafe('select pg_stat_statements_reset()')
    const reset = await prepareColumnDrop(agent)
    expect(findColumnDropCheck(reset, 'no-statement-reads')).toMatchObject({ verdict: 'inconclusive' })
    expect(findColumnDropCheck(reset, 'no-statement-reads').evidence).toMatch(/reset/)

    // An evaluation by an unnamed client, a failed row, and a flag below 100%.
    await evaluateFlag(agent)
    await sql.unsafe(`insert into sti.failed_row (rollout, key, sqlstate, message, operation_id, accepted_by)
      select 'vehicles', '["1"]', '22000', 'x', max(id), 'ann' from sti.operation`)
    await agent.run('flag', { enabled: true, percentage: 50 })
    const last = await prepareColumnDrop(agent)
    expect(findColumnDropCheck(last, 'flag-not-evaluated').evidence).toMatch(/by (an unnamed client|\(unnamed\)):/)
    expect(findColumnDropCheck(last, 'no-failed-rows')).toMatchObject({ verdict: 'fail' })
    expect(findColumnDropCheck(last, 'flag-stable')).toMatchObject({ verdict: 'fail' })
    expect(findColumnDropCheck(last, 'validation-passed')).toMatchObject({ verdict: 'fail' })
    // A draft is still generated, and says that it is one.
    const draft = await prepareColumnDrop(agent, { safetyChecks: false })
    expect(draft).toMatchObject({ verdict: 'fail', prepared: true, archive: null })
    expect(draft.pullRequest!.body).toContain('This is a draft')
    expect(draft.pullRequest!.title).toContain('[Do Not Merge]')
  })
})

test('the checks are inconclusive without pg_stat_statements, and while the watch is shorter than the soak time', async () => {
  await withEnabledRollout(
    async ({ agent, database: { sql } }) => {
      await sql.unsafe('drop extension pg_stat_statements')
      const blind = await prepareColumnDrop(agent)
      expect(blind).toMatchObject({ verdict: 'fail', prepared: false })
      expect(findColumnDropCheck(blind, 'no-statement-reads')).toMatchObject({ verdict: 'inconclusive' })
      expect(findColumnDropCheck(blind, 'no-statement-reads').evidence).toContain('CREATE EXTENSION')
      expect(findColumnDropCheck(blind, 'flag-not-evaluated')).toMatchObject({ verdict: 'inconclusive' })
      expect(findColumnDropCheck(blind, 'flag-stable')).toMatchObject({ verdict: 'fail' })
    },
    {},
    SOAK_FILE.replace('soak: 3s', 'soak: 7d'),
    false,
  )
})
