-- compatible
-- The tables of a rollout with several. Each has a rollout of its own, the child, and this is what the last operation of
-- its group did there. An agent of an earlier version runs no groups.
create table sti.child (
  rollout text primary key,
  group_name text not null,
  schema_name text not null,
  -- As SQL.
  table_sql text not null,
  -- As in the API; as far as the operations of the group have brought it.
  stage text not null default 'new',
  group_operation bigint references sti.operation,
  -- Null: nothing had to be done.
  operation_id bigint references sti.operation,
  state text not null default 'waiting' check (state in ('waiting', 'running', 'paused', 'succeeded', 'failed', 'cancelled')),
  error text,
  seconds double precision,
  changed_at timestamptz not null default clock_timestamp()
);
create index child_group on sti.child (group_name, state);
