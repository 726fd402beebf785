-- Writes of legacy columns and a type that disagreed, and how they were resolved: the value that lost is kept here. A
-- write that was refused leaves no row, since it was rolled back. Sequences count all of them.
create table sti.conflict (
  id bigint generated always as identity primary key,
  rollout text not null,
  at timestamptz not null default clock_timestamp(),
  key jsonb not null,
  resolution text not null check (resolution in ('legacy', 'type')),
  type_given text,
  legacy_says text,
  writer text not null default session_user
);

-- Called by the dual-write trigger. Nothing in it makes two writers wait for each other. While nobody prunes the table
-- it stops growing: the sequence goes on counting.
create function sti.conflict_met(
  counter regclass, rollout text, resolution text, key jsonb, type_given text, legacy_says text
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform nextval(counter);
  if (select max(c.id) - min(c.id) < 100000 from sti.conflict c) is not false then
    insert into sti.conflict (rollout, resolution, key, type_given, legacy_says)
    values (conflict_met.rollout, conflict_met.resolution, conflict_met.key, conflict_met.type_given, conflict_met.legacy_says);
  end if;
end $$;
revoke execute on function sti.conflict_met from public;
