-- Where the one reading of the table stands, with what it has summed up so far: it goes on from there after a pause or
-- a crash. Of an operation that has not ended.
create table sti.validation_scan (
  operation_id bigint primary key references sti.operation,
  started_at timestamptz not null,
  -- The table it reads: its oid, the files of all its leaves, and the discriminator's number. Another one is read anew.
  relation text not null,
  position jsonb,
  finished boolean not null default false,
  tally jsonb not null,
  -- What PostgreSQL had counted of the table when it began.
  counters jsonb not null
);

-- Rows at a validation, and what PostgreSQL had counted until then: what is there later must be what was there,
-- less what was deleted.
create table sti.row_count (
  validation_id bigint primary key references sti.validation on delete cascade,
  rollout text not null,
  counted jsonb not null
);
create index row_count_rollout on sti.row_count (rollout, validation_id desc);
