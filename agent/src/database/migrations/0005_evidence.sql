-- While there is a row the agents read application, host and signals of this rollout more often.
create table sti.monitoring (
  rollout text primary key,
  sampling_seconds double precision not null check (sampling_seconds > 0)
);

-- Of a change that was settled without being taken back: why it was left as it is.
alter table sti.change add column left_because text;

-- What only people know. Nothing here is ever changed but to withdraw it.
create table sti.attestation (
  id bigint generated always as identity primary key,
  rollout text not null,
  item text not null,
  -- SHA-256 of what was attested, such as a contact's entry of the rollout file; another one is not attested by it.
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

create table sti.promotion (
  id bigint generated always as identity primary key,
  rollout text not null,
  forced boolean not null,
  from_environment text,
  promotion_hash text not null,
  kid text,
  verdict text check (verdict in ('pass', 'fail', 'inconclusive', 'error')),
  validated_at timestamptz,
  generated_at timestamptz,
  -- The signed report, as it was handed in.
  report jsonb,
  actor jsonb not null,
  at timestamptz not null default clock_timestamp(),
  reason text,
  check (forced and reason is not null or not forced and report is not null and kid is not null)
);
create index promotion_rollout on sti.promotion (rollout, id desc);
