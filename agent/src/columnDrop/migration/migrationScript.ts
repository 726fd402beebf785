import { dollarQuote } from '../../dualWrite/deriveTrigger.ts'
import { toVisibleLine } from '../../format/visibleText.ts'
import { quoteLiteral } from '../../rollout/identifiers.ts'
import type { Rollout } from '../../rollout/rollout.ts'

/** One part of a migration: what it is for, and its statements. */
export interface MigrationSection {
  readonly comment: string
  readonly statements: readonly string[]
}

/** Parts without a statement are left out; each begins with its comment. */
export function renderScript(header: readonly string[], sections: readonly MigrationSection[]): string {
  // A carriage return ends a comment of PostgreSQL, too.
  const comment = (text: string): string => `-- ${toVisibleLine(text)}`
  const renderedSections = sections
    .filter((part) => part.statements.length > 0)
    .map(({ comment: why, statements }, n) =>
      [comment(`${n + 1}. ${why}`), ...statements.map((statement) => `${statement};`)].join('\n'),
    )
  return `${[header.map(comment).join('\n'), ...renderedSections].join('\n\n')}\n`
}

/** A block of PL/pgSQL. */
export function doBlock(body: readonly string[], variables: readonly string[] = []): string {
  const declared = variables.length === 0 ? [] : ['declare', ...variables.map((variable) => `  ${variable};`)]
  // Only the first line of each is indented: a line break may stand in the middle of a constant.
  const lines = body.map((line) => `  ${line}`)
  return `do ${dollarQuote(`\n${[...declared, 'begin', ...lines, 'end'].join('\n')}\n`)}`
}

/** Statements that run only where a condition holds. */
export function doIf(condition: string, statements: readonly string[]): string {
  return `do ${dollarQuote(`\nbegin\nif ${condition} then\n${statements.map((statement) => `${statement};`).join('\n')}\nend if;\nend\n`)}`
}

/** What both ways begin with: nothing of it outlives the transaction. */
export function transactionSettings(rollout: Rollout): MigrationSection {
  return {
    comment:
      'Settings of this transaction alone: who waits for a lock gives up soon and tries again, and no policy hides a row.',
    statements: [
      `set local lock_timeout = '100ms'`,
      `set local statement_timeout = 0`,
      `set local row_security = off`,
      `set local search_path = ${rollout.searchPath}`,
      // The application's triggers that the rollout file calls "skips" do nothing meanwhile.
      `set local sti.engine = 'on'`,
    ],
  }
}

const MAX_LOCK_ATTEMPTS = 100

/** Takes all locks at once, and gives way in between to whoever works with the table. */
export function lockWithRetries(rollout: Rollout, locks: readonly string[]): string {
  const table = quoteLiteral(rollout.table.sql)
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
      `      raise exception 'the table stays locked by %', coalesce(holders, 'somebody who has just gone')`,
      `        using errcode = 'lock_not_available', hint = 'End that, then run this migration again. Nothing was changed.';`,
      '    end if;',
      '    perform pg_sleep(0.05 + random() * 0.2);',
      '  end;',
      'end loop;',
    ],
    ['tries int := 0', 'holders text'],
  )
}

/** How many of these columns the table has. */
export function countExistingColumns(rollout: Rollout, columns: readonly { readonly name: string }[]): string {
  const names = columns.map(({ name }) => quoteLiteral(name)).join(', ')
  return `(select count(*) from pg_attribute where attrelid = to_regclass(${quoteLiteral(rollout.table.sql)}) and not attisdropped and attname in (${names}))`
}
