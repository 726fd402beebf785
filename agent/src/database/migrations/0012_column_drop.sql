-- Each run of prepare-column-drop: what it produced, or why it refused.
create table sti.column_drop (
  id bigint generated always as identity primary key,
  rollout text not null,
  operation_id bigint not null unique references sti.operation,
  at timestamptz not null default clock_timestamp(),
  file_hash text not null,
  parameters jsonb not null,
  verdict text not null check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  prepared boolean not null,
  reasons jsonb not null default '[]',
  checks jsonb not null,
  migration jsonb,
  pull_request jsonb,
  archive jsonb,
  proof jsonb
);
create index column_drop_rollout on sti.column_drop (rollout, id desc);

-- The legacy columns were seen to be gone; a row goes when they are back.
create table sti.column_dropped (
  rollout text primary key,
  columns jsonb not null,
  noticed_at timestamptz not null default clock_timestamp()
);

-- Whether the application still asks for the flag: kept here so that a restart does not forget it.
create table sti.flag_watch (
  rollout text primary key,
  -- Since when somebody has watched without a gap.
  watched_since timestamptz not null default clock_timestamp(),
  watched_at timestamptz not null default clock_timestamp(),
  evaluated_at timestamptz,
  -- The client's name; null: it sent none.
  evaluated_by text
);

-- Whether statements of the application still name the legacy columns (pg_stat_statements, looked at again and again).
create table sti.statement_watch (
  rollout text primary key,
  watched_since timestamptz not null default clock_timestamp(),
  watched_at timestamptz not null default clock_timestamp(),
  -- When the counters began, how many entries there were and how often some were thrown away, as the last look saw it.
  counters_since text not null,
  entries bigint not null,
  thrown_away bigint not null,
  -- Why the watch began anew; null: it did not.
  restarted text
);

create table sti.column_use (
  rollout text not null,
  -- Role, query id and whether it is at the top, of pg_stat_statements.
  entry text not null,
  statement text not null,
  role text not null,
  reads jsonb not null,
  writes jsonb not null,
  -- What could not be told of it; then it counts as neither.
  unsure text,
  calls bigint not null,
  -- Null: not since it is watched.
  called_at timestamptz,
  primary key (rollout, entry)
);
