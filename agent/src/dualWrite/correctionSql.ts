import { keyAsJson } from '../engine/keys.ts'
import { constantText } from '../rollout/constantText.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { conflictClockSql, conflictSequenceSql } from './conflictCounts.ts'
import { deriveAssignmentSql } from './deriveAssignment.ts'
import { restoreSql, typeListSql } from './restoreSql.ts'

/** The variables of `countCorrectionSql`. */
export const CORRECTION_VARIABLES = `  type_given text;
  legacy_says text;
  legacy_said text;
  now_says text;
  written record;
  is_conflict boolean := true;`

/**
 * PL/pgSQL that runs after the trigger has replaced the type of a write (`type_given`) by the one that its legacy columns
 * imply: counts the write if it would be a conflict after finalize, or would fail because its type is not in the rollout
 * file. It must not fail the write, so it runs in an exception block, which no other write enters.
 */
export function countCorrectionSql(rollout: Rollout, table: Table, neverRaises: boolean): string {
  const { name, types, discriminator } = rollout
  const counters = [conflictSequenceSql(rollout, 'corrected'), conflictClockSql(rollout)].map(
    (sequence) => `${quoteLiteral(sequence)}::regclass`,
  )
  return `  if type_given is not null and type_given is distinct from new.${discriminator.sql}::text and ${isGivenSql(rollout, table)} then
    legacy_says := new.${discriminator.sql};
    written := new;
    begin
      if type_given::${discriminator.dataType} in (${typeListSql(rollout, types)}) then
        ${conflictTestSql(rollout, table, neverRaises)}
      end if;
      if is_conflict then
        perform sti.record_correction(${counters.join(', ')}, ${quoteLiteral(name)}, ${keyAsJson(table.key, 'written')}, type_given, legacy_says);
      end if;
    exception when others then null;
    end;
    new := written;
  end if;`
}

/** The write itself gave the type: an UPDATE did not leave it as it was, and an INSERT did not leave it at its default. */
function isGivenSql(rollout: Rollout, { discriminator }: Table): string {
  const constant = discriminator?.default == null ? undefined : constantText(discriminator.default)
  const differsFromDefault = constant == null ? 'true' : `type_given is distinct from ${quoteLiteral(constant)}`
  return `(case tg_op when 'UPDATE' then type_given is distinct from old.${rollout.discriminator.sql}::text else ${differsFromDefault} end)
    and current_setting('sti.engine', true) is distinct from 'on'`
}

/** Decides as reverse sync does (reverseSync.ts): a type that the legacy columns can follow is no conflict. */
function conflictTestSql(rollout: Rollout, table: Table, neverRaises: boolean): string {
  const { types, typesWithoutRestore: keptTypes, discriminator } = rollout
  const restored = `${restoreSql(rollout, table, 'untouched', `type_given::${discriminator.dataType}`)}
${deriveAssignmentSql(rollout, 'new', 'now_says', neverRaises)}
        is_conflict := now_says is distinct from type_given;`
  if (keptTypes.length === 0) return restored
  const kept = `is_conflict := false;
        if tg_op = 'UPDATE' then
${deriveAssignmentSql(rollout, 'old', 'legacy_said', neverRaises)}
          is_conflict := legacy_said is distinct from legacy_says;
        end if;`
  if (keptTypes.length === types.length) return kept
  return `if type_given::${discriminator.dataType} in (${typeListSql(rollout, keptTypes)}) then
        ${kept}
        else
        ${restored}
        end if;`
}
