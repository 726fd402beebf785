

-- Which database this state belongs to: it travels with a clone, a restore or a failover (see adopt).
create table sti.identity (
  only_row boolean primary key default true check (only_row),
  environment text not null,
  system_identifier text not null,
  database_oid oid not null,
  timeline integer not null,
  adopted_by text not null,
  adopted_at timestamptz not null default clock_timestamp()
);

create table sti.operation (
  id bigint generated always as identity primary key,
  rollout text not null,
  kind text not null,
  state text not null default 'queued' check (state in
    ('queued', 'running', 'pausing', 'paused', 'cancelling', 'cancelled', 'succeeded', 'failed')),
  parameters jsonb not null,
  file_hash text not null,
  writes_table boolean not null,
  actor jsonb not null,
  reason text,
  idempotency_key text,
  request_hash text not null,
  step text,
  progress jsonb,
  result jsonb,
  error_code text,
  error text,
  created_at timestamptz not null default clock_timestamp(),
  started_at timestamptz,
  ended_at timestamptz,
  agent text,
  claim uuid,
  epoch bigint not null default 0,
  lease_until timestamptz
);
create index operation_rollout on sti.operation (rollout, id desc);
create unique index operation_idempotency on sti.operation (rollout, idempotency_key);
-- At most one operation that writes the table runs per rollout.
create unique index operation_one_writer on sti.operation (rollout)
  where writes_table and state not in ('cancelled', 'succeeded', 'failed');
create index operation_open on sti.operation (id) where state not in ('cancelled', 'succeeded', 'failed');

create table sti.event_head (
  only_row boolean primary key default true check (only_row),
  hash text not null
);
insert into sti.event_head (hash) values (repeat('0', 64));

create table sti.operation_event (
  id bigint generated always as identity primary key,
  operation_id bigint references sti.operation,
  rollout text not null,
  at timestamptz not null,
  actor jsonb not null,
  kind text not null,
  message text not null,
  reason text,
  before jsonb,
  after jsonb,
  hash text not null
);
create index operation_event_operation on sti.operation_event (operation_id, id);
create index operation_event_rollout on sti.operation_event (rollout, id);

-- Appends one event; the row of event_head orders all of them, so that each hash covers the one before it.
create function sti.append_event(
  operation_id bigint, rollout text, actor jsonb, kind text, message text, reason text, before jsonb, after jsonb
) returns bigint language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  previous text;
  moment timestamptz;
  digest text;
  event bigint;
begin
  select h.hash into strict previous from sti.event_head h for update;
  moment := clock_timestamp();
  digest := encode(sha256(convert_to(jsonb_build_array(
    previous, operation_id, rollout, to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    actor, kind, message, reason, before, after)::text, 'UTF8')), 'hex');
  insert into sti.operation_event (operation_id, rollout, at, actor, kind, message, reason, before, after, hash)
  values (append_event.operation_id, append_event.rollout, moment, append_event.actor, append_event.kind,
    append_event.message, append_event.reason, append_event.before, append_event.after, digest)
  returning id into event;
  update sti.event_head set hash = digest;
  return event;
end $$;
revoke execute on function sti.append_event from public;

-- A part of the table with its own position and counters. A batch is fenced by epoch and claim. Number 0 is the
-- operation's own: what is written beside the lanes is fenced by it.
create table sti.lane (
  operation_id bigint not null references sti.operation,
  number integer not null,
  -- The leaf partition, or the table itself; positions in it are line pointers, such as ["(42,7)"].
  relation oid,
  low jsonb,
  high jsonb,
  position jsonb,
  -- A range of which some stripes are committed: it goes on with the next one.
  striped jsonb,
  passed_rows bigint not null default 0,
  written_rows bigint not null default 0,
  failed_rows bigint not null default 0,
  batches bigint not null default 0,
  finished boolean not null default false,
  agent text,
  claim uuid,
  epoch bigint not null default 0,
  lease_until timestamptz,
  primary key (operation_id, number)
);

create table sti.failed_row (
  rollout text not null,
  key jsonb not null,
  sqlstate text not null,
  message text not null,
  attempts integer not null default 1,
  operation_id bigint not null references sti.operation,
  first_failed_at timestamptz not null default clock_timestamp(),
  last_failed_at timestamptz not null default clock_timestamp(),
  recovered_at timestamptz,
  accepted_by text,
  accepted_reason text,
  primary key (rollout, key)
);

-- Every change of ours to the system, with its inverse and what was there before.
create table sti.change (
  id bigint generated always as identity primary key,
  rollout text not null,
  operation_id bigint not null references sti.operation,
  kind text not null,
  object text not null,
  statement text not null,
  inverse text not null,
  before jsonb,
  applied_at timestamptz not null default clock_timestamp(),
  -- Null while a statement that cannot run in a transaction (CONCURRENTLY) has not been confirmed.
  confirmed_at timestamptz,
  reverted_at timestamptz,
  reverted_by bigint references sti.operation
);
create index change_rollout on sti.change (rollout, id) where reverted_at is null;

create table sti.flag (
  rollout text primary key,
  enabled boolean not null default false,
  percentage numeric not null default 0 check (percentage between 0 and 100),
  version bigint not null default 0,
  changed_at timestamptz not null default clock_timestamp(),
  changed_by jsonb,
  operation_id bigint references sti.operation
);

create table sti.flag_client (
  rollout text not null,
  client text not null,
  last_seen_at timestamptz not null,
  version bigint not null,
  answered_on boolean not null,
  accepted_by text,
  primary key (rollout, client)
);

create table sti.validation (
  id bigint generated always as identity primary key,
  operation_id bigint not null references sti.operation,
  rollout text not null,
  file_hash text not null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  verdict text not null default 'inconclusive' check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  coverage double precision,
  integrity_score double precision,
  total_rows bigint,
  checksum text,
  confusion jsonb not null default '[]'
);
create index validation_rollout on sti.validation (rollout, id desc);

create table sti.check_result (
  validation_id bigint not null references sti.validation on delete cascade,
  check_name text not null,
  layer text not null,
  -- of value and limit_value: count, ratio, seconds, bytes, …
  unit text not null,
  verdict text not null check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  value double precision,
  limit_value double precision,
  discrepancies bigint not null default 0,
  detail text not null,
  sample_keys jsonb not null default '[]',
  primary key (validation_id, check_name)
);

-- What legacy columns could not express, kept when the data rollback removes the column.
create table sti.archive (
  rollout text not null,
  operation_id bigint not null references sti.operation,
  key jsonb not null,
  type text,
  expected text,
  archived_at timestamptz not null default clock_timestamp(),
  primary key (rollout, operation_id, key)
);
