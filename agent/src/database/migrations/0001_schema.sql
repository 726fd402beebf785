-- Binds this state to one database, since it travels with a clone, a restore, or a failover (see adoptDatabase).
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
  derivation_hash text not null,
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
  -- Seconds of work: without the time that it was paused, without an agent, or waiting.
  worked_seconds double precision not null default 0,
  agent text,
  claim uuid,
  epoch bigint not null default 0,
  lease_until timestamptz
);
create index operation_rollout on sti.operation (rollout, id desc);
create unique index operation_idempotency on sti.operation (rollout, idempotency_key);
-- At most one operation per rollout writes the table.
create unique index operation_one_writer on sti.operation (rollout)
  where writes_table and state not in ('cancelled', 'succeeded', 'failed');
create index operation_open on sti.operation (id) where state not in ('cancelled', 'succeeded', 'failed');

-- Each version of a rollout file that an agent has started with, in this order. Contacts are hashed in the content.
create table sti.rollout_file (
  id bigint generated always as identity primary key,
  rollout text not null,
  hash text not null,
  derivation_hash text not null,
  content jsonb not null,
  agent text not null,
  used_since timestamptz not null default clock_timestamp()
);
create index rollout_file_rollout on sti.rollout_file (rollout, id desc);

-- The version that each agent uses, as long as it is seen.
create table sti.agent_file (
  rollout text not null,
  agent text not null,
  hash text not null,
  derivation_hash text not null,
  seen_at timestamptz not null default clock_timestamp(),
  primary key (rollout, agent)
);

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

-- Appends one event. The row lock on event_head orders all events, so that each hash covers the previous one.
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

-- A part of the table with its own position and counters. Epoch and claim fence each of its batches. Lane 0 belongs to
-- the operation itself and fences the writes that no other lane covers.
create table sti.lane (
  operation_id bigint not null references sti.operation,
  number integer not null,
  -- The leaf partition, or the table itself. Positions in it are line pointers, such as ["(42,7)"].
  relation oid,
  low jsonb,
  high jsonb,
  position jsonb,
  -- The range that is partly committed: its stripes and how many of them are done. Null between two ranges.
  range_state jsonb,
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

-- Agents that write lanes of an operation which another agent holds. A number is free if it has no row or its lease has
-- expired.
create table sti.helper_lease (
  operation_id bigint not null references sti.operation,
  number integer not null,
  agent text not null,
  claim uuid not null,
  lease_until timestamptz not null,
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

-- The journal: every change that STI made to the system, with its inverse.
create table sti.change (
  id bigint generated always as identity primary key,
  rollout text not null,
  operation_id bigint not null references sti.operation,
  kind text not null,
  object text not null,
  statement text not null,
  inverse text not null,
  -- The state before the change, as far as the inverse alone does not tell it.
  before jsonb,
  -- An SQL expression of type text that reads the object's definition from the catalog, its value right after the change,
  -- and its value once the change is reverted. Null: the definition cannot be read.
  definition_sql text,
  definition_after_apply text,
  definition_after_revert text,
  applied_at timestamptz not null default clock_timestamp(),
  -- Null until a statement that cannot run in a transaction (CONCURRENTLY) is confirmed.
  confirmed_at timestamptz,
  reverted_at timestamptz,
  reverted_by bigint references sti.operation,
  -- Why a rollback settled this change without reverting it.
  not_reverted_reason text
);
create index change_rollout on sti.change (rollout, id) where reverted_at is null;

-- The table before the first change to it: a rollback is compared with it.
create table sti.table_origin (
  rollout text primary key,
  operation_id bigint not null references sti.operation,
  recorded_at timestamptz not null default clock_timestamp(),
  relation oid not null,
  -- Definition of each part (column, index, constraint, trigger, rule, policy) by its name.
  structure jsonb not null,
  -- Rows, and a checksum over all their columns. Null: reading the table would have taken too long.
  row_count bigint,
  checksum text,
  -- Rows that reference a missing row, by foreign key and its table; null: not counted yet.
  orphan_rows jsonb not null default '{}'
);

-- What the names in the expressions of a rollout file mean, as expand fixed it: an object that another role creates later
-- changes nothing.
create table sti.name_resolution (
  rollout text primary key,
  -- SHA-256 of the expressions, the data type and the types of the columns that they read.
  source_hash text not null,
  resolution jsonb not null,
  resolved_at timestamptz not null default clock_timestamp()
);

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
  -- Distinguishes caching clients with the same name: a hash of what only that process knows. Empty: not caching.
  instance text not null default '',
  last_seen_at timestamptz not null,
  version bigint not null,
  -- The last answer that this client got: some of its requests may run new code.
  served_enabled boolean not null,
  accepted_by text,
  primary key (rollout, client, instance)
);

-- A validation has the number of its operation.
create table sti.validation (
  id bigint primary key references sti.operation,
  rollout text not null,
  file_hash text not null,
  derivation_hash text not null,
  started_at timestamptz not null default clock_timestamp(),
  ended_at timestamptz,
  verdict text not null default 'inconclusive' check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  -- Each layer that was validated: its verdict, and if all of its checks ran.
  layers jsonb not null default '[]',
  coverage double precision,
  integrity_score double precision,
  total_rows bigint,
  checksum text,
  confusion_matrix jsonb not null default '[]'
);
create index validation_rollout on sti.validation (rollout, id desc);

create table sti.check_result (
  validation_id bigint not null references sti.validation on delete cascade,
  check_name text not null,
  layer text not null,
  -- The unit of value and limit_value, such as count, ratio, seconds or bytes.
  unit text not null,
  verdict text not null check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  value double precision,
  limit_value double precision,
  discrepancies bigint not null default 0,
  detail text not null,
  -- What an admin can accept, and what was accepted when the check ran.
  acceptable jsonb not null default '[]',
  accepted jsonb not null default '[]',
  sample_keys jsonb not null default '[]',
  query text,
  duration_seconds double precision,
  -- A check that the rollout file declares may have the name of a built-in check of another layer.
  primary key (validation_id, layer, check_name)
);

-- The checkpoint of the table scan of a validation that has not ended: it resumes here after a pause or a crash.
create table sti.validation_scan (
  operation_id bigint primary key references sti.operation,
  started_at timestamptz not null,
  -- OIDs and file nodes of all leaf partitions, and the discriminator's attribute number. The scan restarts if they differ.
  relation_identity text not null,
  position jsonb,
  finished boolean not null default false,
  tally jsonb not null,
  -- PostgreSQL's statistics counters of the table when the scan started.
  start_counters jsonb not null
);

-- The rows at a validation with the statistics counters at that time. Rows that are missing later must be deletes that
-- PostgreSQL counted.
create table sti.row_count (
  validation_id bigint primary key references sti.validation on delete cascade,
  rollout text not null,
  snapshot jsonb not null
);
create index row_count_rollout on sti.row_count (rollout, validation_id desc);

-- Signals before the rollout. The performance layer compares with the newest usable baseline.
create table sti.baseline (
  -- The number of the operation that measured it; an imported one gets a number of the same sequence.
  id bigint primary key,
  rollout text not null,
  -- Null: it was imported.
  operation_id bigint references sti.operation,
  environment text not null,
  file_hash text not null,
  sources_hash text not null,
  release text,
  source text not null check (source in ('history', 'live', 'import')),
  -- How the samples were taken, wherever the baseline came from.
  measured_from text not null check (measured_from in ('history', 'live')),
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
  -- The contract's SignalBaseline without its samples, which are long and seldom read.
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

-- The samples of a live baseline so far: it resumes here after a crash or a pause.
create table sti.baseline_sampling (
  operation_id bigint primary key references sti.operation,
  started_at timestamptz not null,
  samples jsonb not null
);

-- The highest reading of each hour, so that the peak since a rollout started outlives the agent that read it.
create table sti.usage_peak (
  rollout text not null,
  signal text not null,
  starts_at timestamptz not null,
  maximum double precision not null,
  reached_at timestamptz not null,
  reading_count bigint not null,
  primary key (rollout, signal, starts_at)
);

-- Writes whose legacy columns and type disagreed, and the side that won; the value of the other side is kept here. A
-- refused write leaves no row, since its transaction rolls back. `corrected`: before finalize, at most about one a minute.
-- Sequences count all conflicts.
create table sti.conflict (
  id bigint generated always as identity primary key,
  rollout text not null,
  at timestamptz not null default clock_timestamp(),
  key jsonb not null,
  resolution text not null check (resolution in ('corrected', 'legacy', 'type')),
  written_type text,
  legacy_type text,
  -- The beginning of what the client sent. Null: not recorded for this outcome.
  statement text,
  writer text not null default session_user,
  -- Collected from a shard on another node of a Citus cluster: the node, its database, the number there, and
  -- the time.
  origin text unique
);

-- What the sequences of other nodes of a Citus cluster had counted when the agent read them last. A node is known by its
-- database, so that its counts outlive it, and an address that another one takes over counts anew.
create table sti.node_counter (
  database text not null,
  counter text not null,
  value bigint not null,
  primary key (database, counter)
);

-- Called by the dual-write trigger. Nothing in it makes two writers wait for each other. If nobody prunes the table it
-- stops growing, and the sequence still counts.
create function sti.record_conflict(
  counter regclass, rollout text, resolution text, key jsonb, written_type text, legacy_type text
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  perform nextval(counter);
  if (select max(c.id) - min(c.id) < 100000 from sti.conflict c) is not false then
    insert into sti.conflict (rollout, resolution, key, written_type, legacy_type)
    values (record_conflict.rollout, record_conflict.resolution, record_conflict.key, record_conflict.written_type,
      record_conflict.legacy_type);
  end if;
end $$;
revoke execute on function sti.record_conflict from public;

-- Called by the dual-write trigger before finalize. `counter` counts, and `clock` holds the second of the last conflict:
-- both keep their values if the write is rolled back, and writers do not wait for each other. The statement is stored once
-- a minute.
create function sti.record_correction(
  counter regclass, clock regclass, rollout text, key jsonb, written_type text, legacy_type text
) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  this_second bigint := floor(extract(epoch from clock_timestamp()));
  last_second bigint := coalesce(pg_sequence_last_value(clock), 0);
begin
  perform nextval(counter);
  if last_second < this_second then
    perform setval(clock, this_second);
    if last_second / 60 < this_second / 60 then
      insert into sti.conflict (rollout, resolution, key, written_type, legacy_type, statement)
      values (record_correction.rollout, 'corrected', record_correction.key, record_correction.written_type,
        record_correction.legacy_type, left(current_query(), 4000));
    end if;
  end if;
end $$;
revoke execute on function sti.record_correction from public;

-- Types that the legacy columns cannot express, kept when the data rollback removes the column.
create table sti.archived_type (
  rollout text not null,
  operation_id bigint not null references sti.operation,
  key jsonb not null,
  stored_type text,
  -- The type that the legacy columns give. Null: none, or the expression raised an error.
  legacy_type text,
  archived_at timestamptz not null default clock_timestamp(),
  primary key (rollout, operation_id, key)
);

-- While a row exists, the agents read application, host, and signals of this rollout at this interval.
create table sti.monitoring (
  rollout text primary key,
  sampling_interval_seconds double precision not null check (sampling_interval_seconds > 0)
);

-- Sign-offs by people. A row changes only when it is withdrawn.
create table sti.attestation (
  id bigint generated always as identity primary key,
  rollout text not null,
  item text not null,
  -- SHA-256 of the subject, such as a contact's entry in the rollout file. Another subject needs a sign-off of its own.
  subject text,
  note text not null,
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  withdrawn_at timestamptz,
  withdrawn_by jsonb,
  withdrawn_note text
);
create index attestation_rollout on sti.attestation (rollout, item, id desc);

-- What an admin accepted of a check that cannot decide, by its subject. A row changes only when it is withdrawn.
create table sti.acceptance (
  id bigint generated always as identity primary key,
  rollout text not null,
  check_name text not null,
  -- A function, a statement, a column, and so on, as the check names it.
  subject text not null,
  reason text not null,
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  withdrawn_at timestamptz,
  withdrawn_by jsonb,
  withdrawn_reason text
);
create index acceptance_rollout on sti.acceptance (rollout, check_name, id desc);

create table sti.promotion (
  id bigint generated always as identity primary key,
  rollout text not null,
  forced boolean not null,
  from_environment text,
  promotion_hash text not null,
  key_id text,
  verdict text check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  validated_at timestamptz,
  generated_at timestamptz,
  -- The signed report, as it was uploaded.
  report jsonb,
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  reason text,
  check (forced and reason is not null or not forced and report is not null and key_id is not null)
);
create index promotion_rollout on sti.promotion (rollout, id desc);

-- At most one incident per rollout, rule and change is open at a time. Its timer never restarts: a rollback of a later
-- change opens another one.
create table sti.incident (
  id bigint generated always as identity primary key,
  -- Null: it concerns the whole environment.
  rollout text,
  rule text not null,
  -- The change it is related to, such as flag-12. Null: none, or not known yet.
  change text,
  severity text not null check (severity in ('critical', 'warning', 'info')),
  drill boolean not null default false,
  source text not null check (source in ('grafana', 'alertmanager', 'guard', 'operation', 'drill')),
  summary text not null,
  reasons jsonb not null default '[]',
  reading jsonb,
  -- Other changes whose alerts joined this incident, each with its own summary.
  joined jsonb not null default '[]',
  rolled_back_scope text,
  rolled_back_at timestamptz,
  rollback_operation_id bigint,
  opened_at timestamptz not null default clock_timestamp(),
  last_seen_at timestamptz not null default clock_timestamp(),
  occurrences integer not null default 1,
  opened_by jsonb not null,
  acknowledged_at timestamptz,
  acknowledged_by jsonb,
  acknowledged_note text,
  closed_at timestamptz,
  closed_by jsonb,
  closed_note text
);
create unique index incident_one_open on sti.incident (coalesce(rollout, ''), rule, coalesce(change, ''))
  where closed_at is null;
create index incident_rollout on sti.incident (rollout, id desc);

-- Alerts as they arrived. Repeated deliveries are counted. The agents delete the oldest, so that the table stays small.
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
  deliveries integer not null default 1,
  resolved_at timestamptz,
  decision text not null check (decision in ('roll-back', 'incident', 'record')),
  reasons jsonb not null,
  unique (rule, fingerprint, starts_at)
);
create index alert_received on sti.alert (last_received_at);

-- Automatic rollbacks. The key allows one per rollout, rule, and change, whichever agent or path decides first. A row is
-- written last: the incident, the alert and the event of its rollback exist.
create table sti.automatic_rollback (
  rollout text not null,
  rule text not null,
  change text not null,
  scope text not null,
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  primary key (rollout, rule, change)
);

-- Automatic rollback is paused until paused_until.
create table sti.automatic_rollback_pause (
  rollout text primary key,
  paused_by jsonb not null,
  paused_at timestamptz not null default clock_timestamp(),
  paused_until timestamptz not null,
  reason text not null
);

-- The key and the legacy columns of a table, kept in a table of their own before the columns are dropped.
create table sti.column_archive (
  rollout text primary key,
  operation_id bigint not null references sti.operation,
  file_hash text not null,
  -- The archive table as SQL, and its columns: name, type, and if it is part of the key.
  relation text not null,
  columns jsonb not null,
  created_at timestamptz not null default clock_timestamp(),
  -- When all rows were copied. From then on triggers keep the archive up to date.
  completed_at timestamptz,
  -- The last comparison of all rows; each range is compared at its own moment.
  verified_at timestamptz,
  verified_rows bigint,
  differing_rows bigint,
  checksum text,
  -- The exported file: path, rows, bytes, sha256.
  exported jsonb,
  -- Written by the migration that drops the columns, and by the migration that restores them.
  dropped_at timestamptz,
  restored_at timestamptz
);

-- Each run of prepare-column-drop: its output, or its refusal.
create table sti.column_drop (
  -- The number of the operation.
  id bigint primary key references sti.operation,
  rollout text not null,
  at timestamptz not null default clock_timestamp(),
  file_hash text not null,
  derivation_hash text not null,
  parameters jsonb not null,
  verdict text not null check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  prepared boolean not null,
  reasons jsonb not null default '[]',
  checks jsonb not null,
  migration jsonb,
  pull_request jsonb,
  archive jsonb,
  trial jsonb
);
create index column_drop_rollout on sti.column_drop (rollout, id desc);

-- The legacy columns no longer exist. The row is deleted when they exist again.
create table sti.dropped_columns (
  rollout text primary key,
  columns jsonb not null,
  detected_at timestamptz not null default clock_timestamp()
);

-- Evaluations of the flag, kept here so that they survive a restart of the agent.
create table sti.flag_watch (
  rollout text primary key,
  -- Start of the time that was watched without a gap.
  watched_since timestamptz not null default clock_timestamp(),
  last_polled_at timestamptz not null default clock_timestamp(),
  last_evaluated_at timestamptz,
  -- The client's name. Null: it sent none.
  last_evaluated_by text
);

-- The watch on pg_stat_statements for statements of the application that still name the legacy columns.
create table sti.statement_watch (
  rollout text primary key,
  watched_since timestamptz not null default clock_timestamp(),
  last_polled_at timestamptz not null default clock_timestamp(),
  -- pg_stat_statements_info at the last poll, and the number of entries.
  stats_reset text not null,
  entries bigint not null,
  deallocations bigint not null,
  -- Why the watch restarted. Null: it has not.
  restart_reason text
);

create table sti.column_use (
  rollout text not null,
  -- Role, query ID, and top-level flag of the entry in pg_stat_statements.
  entry_id text not null,
  statement text not null,
  role text not null,
  reads jsonb not null,
  writes jsonb not null,
  -- It reads the columns only through * or whole rows, and does not fail without them.
  only_through_star boolean not null,
  -- Why the statement could not be analyzed. Reads and writes are empty then.
  analysis_fault text,
  calls bigint not null,
  -- Null: not since the watch started.
  last_called_at timestamptz,
  primary key (rollout, entry_id)
);
