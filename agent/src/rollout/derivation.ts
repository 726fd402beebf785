import { canonicalHash } from '../signature/canonicalJson.ts'
import { parseTableName } from './identifiers.ts'
import type { RolloutFile } from './rolloutFile.ts'
import { normalizeSql } from './sqlParser.ts'

/**
 * Each key of a rollout file: `derives` if operations and the trigger are bound to it, `editable` if it can change at any
 * time. A key that is missing here does not compile.
 */
const KEY_BINDINGS: Readonly<Record<keyof RolloutFile, 'derives' | 'editable'>> = {
  rollout: 'derives',
  table: 'derives',
  discriminator: 'derives',
  types: 'derives',
  otherwise: 'derives',
  restore: 'derives',
  legacyColumns: 'derives',
  permanentColumns: 'derives',
  dualWrite: 'derives',
  conflicts: 'derives',
  constraint: 'derives',
  prefill: 'derives',
  publication: 'derives',
  triggers: 'derives',
  acceptLostWrites: 'editable',
  errorBudget: 'editable',
  flag: 'editable',
  api: 'editable',
  host: 'editable',
  signals: 'editable',
  limits: 'editable',
  throttle: 'editable',
  validation: 'editable',
  promotion: 'editable',
  rehearsal: 'editable',
  soak: 'editable',
  migration: 'editable',
  checks: 'editable',
  backup: 'editable',
  contacts: 'editable',
  automaticRollback: 'editable',
}

/** The part of a rollout file that decides which type a row has, and what STI changes in the database for it. */
export type Derivation = Readonly<Record<string, unknown>>

/** Spelling does not matter: comments, white space in expressions, an omitted default, `public.` of a table. */
export function derivationOf(file: RolloutFile): Derivation {
  const bound = Object.entries(file).filter(
    ([key, value]) => value !== undefined && KEY_BINDINGS[key as keyof RolloutFile] === 'derives',
  )
  return {
    ...Object.fromEntries(bound),
    table: parseTableName(file.table).sql,
    types: file.types.map((type) => ({ ...type, when: normalizeSql(type.when) })),
  }
}

/** SHA-256 of the derivation, in hex. Operations and the dual-write trigger are bound to it. */
export function derivationHash(file: RolloutFile): string {
  return canonicalHash(derivationOf(file))
}

/** True for the path of a FileChange that belongs to the derivation. */
export function changesDerivation(path: string): boolean {
  return KEY_BINDINGS[/^\w+/.exec(path)![0] as keyof RolloutFile] === 'derives'
}
