import type { RolloutFile } from '../../rollout/rolloutFile.ts'
import type { Migration } from './writeMigration.ts'

export interface MigrationFile {
  /** The path inside the repository. */
  readonly path: string
  readonly text: string
}

/**
 * The files of a migration in the format of the project's own tool. node-pg-migrate: one file with up and down, which
 * the tool runs in a transaction; plain: two files, `.up.sql` and `.down.sql`, with their own BEGIN and COMMIT.
 */
export function renderMigrationFiles(
  migration: Migration,
  { template, path }: RolloutFile['migration'],
  createdAt: Date,
): MigrationFile[] {
  // node-pg-migrate numbers its files in milliseconds since 1970.
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

/** The script with its own transaction, for a terminal (`psql -v ON_ERROR_STOP=1 -f`). */
export const wrapInTransaction = (text: string): string => `begin;\n\n${text}\ncommit;\n`

const addDirection = (file: string, direction: string): string =>
  file.endsWith('.sql') ? file.replace(/\.sql$/, `.${direction}.sql`) : `${file}.${direction}.sql`
