import type { RolloutFile } from '../../rollout/rolloutFile.ts'
import type { Migration } from './writeMigration.ts'

export interface MigrationFile {
  /** Inside the repository. */
  readonly path: string
  readonly text: string
}

/**
 * The files of a migration in the form of the project's own tool. node-pg-migrate: one file with both ways, which it runs
 * in a transaction of its own; plain: two files that begin and commit theirs, `.up.sql` and `.down.sql`.
 */
export function renderMigrationFiles(
  migration: Migration,
  { template, path }: RolloutFile['migration'],
  createdAt: Date,
): MigrationFile[] {
  // As node-pg-migrate numbers its files: milliseconds since 1970.
  const file = path.replace('{timestamp}', String(createdAt.getTime())).replace('{name}', migration.name)
  switch (template) {
    case 'node-pg-migrate':
      return [{ path: file, text: `-- Up Migration\n\n${migration.up}\n-- Down Migration\n\n${migration.down}` }]
    case 'plain':
      return [
        { path: addDirection(file, 'up'), text: wrapInTransaction(migration.up) },
        { path: addDirection(file, 'down'), text: wrapInTransaction(migration.down) },
      ]
  }
}

/** For a terminal (`psql -v ON_ERROR_STOP=1 -f`): it brings its own transaction. */
export const wrapInTransaction = (text: string): string => `begin;\n\n${text}\ncommit;\n`

const addDirection = (file: string, direction: string): string =>
  file.endsWith('.sql') ? file.replace(/\.sql$/, `.${direction}.sql`) : `${file}.${direction}.sql`
