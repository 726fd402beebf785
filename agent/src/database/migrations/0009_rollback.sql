-- How the catalog is asked for a change, as an SQL expression of text; what it gave right after the change, and what it
-- gives once it is taken back. Null where an earlier version of the agent has journaled it.
alter table sti.change add column look text, add column made text, add column back text;

-- What the table was before our first change to it: a rollback is compared with it.
create table sti.table_origin (
  rollout text primary key,
  operation_id bigint not null references sti.operation,
  at timestamptz not null default clock_timestamp(),
  relation oid not null,
  -- Name of each part (column, index, constraint, trigger, rule, policy) and its definition.
  structure jsonb not null,
  -- Rows, and a sum over all their columns; null: reading the table would have taken too long.
  rows bigint,
  checksum text
);
