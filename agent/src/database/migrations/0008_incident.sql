-- Something that a person has to answer. Of one rollout and rule one is open at a time; its clock never restarts.
create table sti.incident (
  id bigint generated always as identity primary key,
  -- Null: of the environment as a whole.
  rollout text,
  rule text not null,
  -- What it is about, such as flag-12; an open one follows it.
  change text,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  drill boolean not null default false,
  source text not null check (source in ('grafana', 'alertmanager', 'guard', 'operation', 'drill')),
  summary text not null,
  reasons jsonb not null default '[]',
  reading jsonb,
  rolled_back_scope text,
  rolled_back_at timestamptz,
  rollback_operation_id bigint,
  opened_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  times integer not null default 1,
  opened_by jsonb not null,
  acknowledged_at timestamptz,
  acknowledged_by jsonb,
  acknowledged_note text,
  closed_at timestamptz,
  closed_by jsonb,
  closed_note text
);
create unique index incident_one_open on sti.incident (coalesce(rollout, ''), rule) where closed_at is null;
create index incident_rollout on sti.incident (rollout, id desc);

-- Alerts as they arrived; the same one again is counted. Bounded: the agents drop the oldest.
create table sti.alert (
  id bigint generated always as identity primary key,
  source text not null check (source in ('grafana', 'alertmanager')),
  rule text not null,
  fingerprint text not null,
  starts_at timestamptz not null,
  environment text,
  rollout text,
  change text,
  status text not null check (status in ('firing', 'resolved')),
  labels jsonb not null,
  annotations jsonb not null,
  received_at timestamptz not null default clock_timestamp(),
  last_received_at timestamptz not null default clock_timestamp(),
  times integer not null default 1,
  resolved_at timestamptz,
  decision text not null check (decision in ('roll-back', 'incident', 'record')),
  reasons jsonb not null,
  unique (rule, fingerprint, starts_at)
);
create index alert_received on sti.alert (last_received_at);

-- What was rolled back by itself: once for each rollout, rule and change, whoever of all agents and paths was first.
create table sti.automatic_rollback (
  rollout text not null,
  rule text not null,
  change text not null,
  scope text not null,
  claim uuid not null,
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  primary key (rollout, rule, change)
);

-- While a row of this is not over, nothing is rolled back by itself.
create table sti.automatic_rollback_hold (
  rollout text primary key,
  held_by jsonb not null,
  held_at timestamptz not null default clock_timestamp(),
  held_until timestamptz not null,
  reason text not null
);
