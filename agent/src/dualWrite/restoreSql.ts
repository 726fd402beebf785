import { quoteIdentifier, quoteLiteral } from '../rollout/identifiers.ts'
import { restoreMayRaise } from '../rollout/restoreValue.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { columnUnchangedSql, holdsDefaultSql } from './unchangedColumnSql.ts'

/** PL/pgSQL that sets legacy columns as `restore` of the type in `given` says, computed from the row in `written`. */
export function restoreSql(rollout: Rollout, table: Table, scope: 'untouched' | 'all', given = 'type_given'): string {
  return typeCases(rollout, given, (type) => {
    const values = [...(rollout.restoreValues(type) ?? [])].filter(([, value]) => value.kind !== 'keep')
    const statements = values.map(([name, value]) => {
      const column = table.columns.find((candidate) => candidate.name === name)!
      const set = `new.${quoteIdentifier(name)} := ${value.sql('written')}\n;`
      return scope === 'all' ? set : `if ${columnUnchangedSql(column)} then ${set} end if;`
    })
    // A value that cannot be computed is not set: then the row does not imply the type, which is a conflict.
    return restoreMayRaise(rollout, type)
      ? ['begin', ...statements, 'exception when others then new := written;', 'end;']
      : statements
  })
}

/** If the type has a default, every INSERT of old code has that type, which then counts as not set. */
export function insertDefaultCondition({ discriminator }: Table): string {
  if (discriminator === null || discriminator.default === null) return ''
  return `tg_op = 'INSERT' and ${holdsDefaultSql(discriminator)} or `
}

function typeCases(rollout: Rollout, given: string, statements: (type: string) => readonly string[]): string {
  const { dataType } = rollout.discriminator
  const branches = rollout.types.map(
    (type) =>
      `when ${given} is not distinct from ${quoteLiteral(type)}::${dataType} then\n    ${[...statements(type), 'null;'].join('\n    ')}`,
  )
  return `case\n  ${branches.join('\n  ')}\n  end case;`
}

export const typeListSql = ({ discriminator }: Rollout, types: readonly string[]): string =>
  types.map((type) => `${quoteLiteral(type)}::${discriminator.dataType}`).join(', ')
