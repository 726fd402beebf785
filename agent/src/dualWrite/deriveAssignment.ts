import type { Rollout } from '../rollout/rollout.ts'

/** PL/pgSQL that assigns the type that the legacy columns of `row` imply; NULL if the expression raises. */
export function deriveAssignmentSql(rollout: Rollout, row: string, target: string, cannotRaise: boolean): string {
  const assign = `${target} := ${rollout.derive(row)};`
  return cannotRaise
    ? `  ${assign}`
    : `  begin\n    ${assign}\n  exception when others then\n    ${target} := null;\n  end;`
}
