-- Agents that write lanes of an operation which another agent holds. Seat N is free when it has no row, or its lease ran out.
create table sti.seat (
  operation_id bigint not null references sti.operation,
  number integer not null,
  agent text not null,
  claim uuid not null,
  lease_until timestamptz not null,
  primary key (operation_id, number)
);
