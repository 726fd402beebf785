-- Which layers a validation looked at, whether at all of their checks, and what it made of each.
alter table sti.validation add column layers jsonb not null default '[]';

-- Validations from before layers had every check that there was, all of them of the integrity layer.
update sti.validation set layers = jsonb_build_array(jsonb_build_object('layer', 'integrity', 'verdict', verdict,
  'complete', true, 'required', true, 'detail', ''));

alter table sti.check_result add column query text;
alter table sti.check_result add column seconds double precision;
-- A check of the rollout file may have the name of one of ours, in another layer.
alter table sti.check_result drop constraint check_result_pkey;
alter table sti.check_result add primary key (validation_id, layer, check_name);
