import { SEARCH_PATH } from '../../database/connect.ts'
import { dollarQuote } from '../../dualWrite/deriveTrigger.ts'
import { toVisibleLine } from '../../format/visibleText.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import { commandOfItsOwn, DDL_SETTINGS } from '../../citus/shardTransaction.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'

/** One section of a migration: its purpose and its statements. */
export interface MigrationSection {
  readonly comment: string
  readonly statements: readonly string[]
}

/** Renders the sections that have statements, each below its comment; in shards, each command of DDL in a block of its own. */
export function renderScript(
  header: readonly string[],
  sections: readonly MigrationSection[],
  { citus }: Pick<Table, 'citus'>,
): string {
  const render = (statement: string): string =>
    citus === null || /^(?:do|select|set) /i.test(statement) ? statement : commandOfItsOwn(statement)
  // A carriage return ends a comment of PostgreSQL, too.
  const comment = (text: string): string => `-- ${toVisibleLine(text)}`
  const renderedSections = sections
    .filter((part) => part.statements.length > 0)
    .map(({ comment: why, statements }, n) =>
      [comment(`${n + 1}. ${why}`), ...statements.map((statement) => `${render(statement)};`)].join('\n'),
    )
  return `${[header.map(comment).join('\n'), ...renderedSections].join('\n\n')}\n`
}

/** A block of PL/pgSQL. */
export function doBlock(body: readonly string[], variables: readonly string[] = []): string {
  const declared = variables.length === 0 ? [] : ['declare', ...variables.map((variable) => `  ${variable};`)]
  // Only the first line of each statement is indented: a line break may be inside a constant.
  const lines = body.map((line) => `  ${line}`)
  return `do ${dollarQuote(`\n${[...declared, 'begin', ...lines, 'end'].join('\n')}\n`)}`
}

/** Statements that run only if a condition is true. */
export function doIf(condition: string, statements: readonly string[]): string {
  return `do ${dollarQuote(`\nbegin\nif ${condition} then\n${statements.map((statement) => `${statement};`).join('\n')}\nend if;\nend\n`)}`
}

/** The settings at the start of both migrations. They end with the transaction. */
export function transactionSettings({ citus }: Pick<Table, 'citus'>): MigrationSection {
  const comment = 'Settings for this transaction only: lock waits are short and are retried, and no policy hides rows.'
  const settings = [
    `set local lock_timeout = '100ms'`,
    `set local statement_timeout = 0`,
    `set local row_security = off`,
    // The same search path as when the catalog was read, since PostgreSQL qualifies names depending on it.
    `set local search_path = ${SEARCH_PATH}`,
    // With this setting, the application's triggers that the rollout file lists as "skips" do nothing.
    `set local sti.engine = 'on'`,
  ]
  if (citus === null) return { comment, statements: settings }
  return {
    comment: `${comment} Citus sends them to its nodes, and takes the commands of this transaction one after another.`,
    statements: [
      ...DDL_SETTINGS,
      `set local citus.propagate_set_commands = 'local'`,
      ...settings.map((setting) => commandOfItsOwn(setting)),
    ],
  }
}

/**
 * Once the table is locked at the coordinator, only what works on a shard itself can hold it. PostgreSQL ends an ordinary
 * autovacuum after `deadlock_timeout`; a VACUUM or CREATE INDEX that somebody runs on a shard makes the migration fail, unchanged.
 */
export const shardLockTimeout = ({ citus }: Pick<Table, 'citus'>): string[] =>
  citus === null ? [] : [commandOfItsOwn(`set local lock_timeout = '5s'`)]

const MAX_LOCK_ATTEMPTS = 100

/** Takes all locks at once, and waits between attempts so that other sessions can use the table. */
export function lockWithRetries(rollout: Rollout, { citus }: Pick<Table, 'citus'>, locks: readonly string[]): string {
  const table = quoteLiteral(rollout.table.sql)
  const unknown = `a session that has just ended${citus === null ? '' : ', or one of another node (see citus_lock_waits)'}`
  return doBlock(
    [
      'loop',
      '  begin',
      ...locks.map((lock) => `    ${lock};`),
      '    exit;',
      '  exception when lock_not_available or deadlock_detected then',
      '    tries := tries + 1;',
      `    if tries = ${MAX_LOCK_ATTEMPTS} then`,
      `      select string_agg(distinct format('pid %s (%s, since %s)', a.pid, a.application_name, a.xact_start), ', ') into holders`,
      `        from pg_locks l join pg_stat_activity a on a.pid = l.pid`,
      `        where l.granted and l.relation = to_regclass(${table}) and a.pid <> pg_backend_pid();`,
      `      raise exception 'could not lock the table, which is locked by %', coalesce(holders, ${quoteLiteral(unknown)})`,
      `        using errcode = 'lock_not_available', hint = 'Nothing was changed. End that session, then run this migration again.';`,
      '    end if;',
      '    perform pg_sleep(0.05 + random() * 0.2);',
      '  end;',
      'end loop;',
    ],
    ['tries int := 0', 'holders text'],
  )
}

/** The SQL expression for the number of these columns that the table has. */
export function countExistingColumns(rollout: Rollout, columns: readonly { readonly name: string }[]): string {
  const names = columns.map(({ name }) => quoteLiteral(name)).join(', ')
  return `(select count(*) from pg_attribute where attrelid = to_regclass(${quoteLiteral(rollout.table.sql)}) and not attisdropped and attname in (${names}))`
}
