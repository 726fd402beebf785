-- The key and the legacy columns of a table, kept in a table of their own before the columns are dropped.
create table sti.column_archive (
  rollout text primary key,
  operation_id bigint not null references sti.operation,
  file_hash text not null,
  -- The table that holds them, as SQL, and its columns: name, type, and whether rows are known by it.
  relation text not null,
  columns jsonb not null,
  made_at timestamptz not null default clock_timestamp(),
  -- When every row that there was had been kept; from then on the triggers alone keep it true.
  completed_at timestamptz,
  -- The last comparison of all rows, each range at a moment of its own.
  verified_at timestamptz,
  verified_rows bigint,
  verified_differing bigint,
  checksum text,
  -- The file it was written to: path, rows, bytes, sha256.
  exported jsonb,
  -- Written by the migration that drops the columns, and by the one that brings them back.
  dropped_at timestamptz,
  restored_at timestamptz
);
