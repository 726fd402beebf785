-- What the signals were before: the test of the performance layer compares with the newest one that can be used.
create table sti.baseline (
  id bigint generated always as identity primary key,
  rollout text not null,
  -- Null: it was imported.
  operation_id bigint references sti.operation,
  environment text not null,
  file_hash text not null,
  sources_hash text not null,
  release text,
  source text not null check (source in ('history', 'live', 'import')),
  measured text not null check (measured in ('history', 'live')),
  digest text not null,
  one_run_only boolean not null default false,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  created_at timestamptz not null default clock_timestamp(),
  created_by jsonb not null,
  notes jsonb not null default '[]'
);
create index baseline_rollout on sti.baseline (rollout, id desc);
create unique index baseline_operation on sti.baseline (operation_id);

create table sti.baseline_signal (
  baseline_id bigint not null references sti.baseline on delete cascade,
  signal text not null,
  -- As the contract's SignalBaseline, its values apart: those are long, and rarely read.
  summary jsonb not null,
  samples jsonb not null,
  primary key (baseline_id, signal)
);

create table sti.baseline_query (
  baseline_id bigint not null references sti.baseline on delete cascade,
  query text not null,
  summary jsonb not null,
  primary key (baseline_id, query)
);

-- What a live baseline has sampled so far: it goes on from here after a crash or a pause.
create table sti.baseline_sampling (
  operation_id bigint primary key references sti.operation,
  started_at timestamptz not null,
  sampled jsonb not null
);

-- The highest reading of each hour, so that a peak since a rollout began outlives the agent that saw it.
create table sti.peak (
  rollout text not null,
  signal text not null,
  hour timestamptz not null,
  maximum double precision not null,
  reached_at timestamptz not null,
  readings bigint not null,
  primary key (rollout, signal, hour)
);
