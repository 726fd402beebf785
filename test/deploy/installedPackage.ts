import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const AGENT = new URL('../../agent/', import.meta.url).pathname

export interface InstalledPackage {
  /** The empty folder that the package was installed into. */
  readonly folder: string
  /** The paths in the package, and its size in bytes. */
  readonly packed: { readonly files: readonly { readonly path: string }[]; readonly size: number }
  /** The folder of the package, and the installed command. */
  readonly home: string
  readonly sti: string
  remove(): Promise<void>
}

/**
 * Packs the agent and installs the package outside of the checkout, with dependencies for this Node version only. Uses
 * npm's cache where it can.
 */
export async function installPackage(): Promise<InstalledPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-package-'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: AGENT })
  const [packed] = JSON.parse(stdout) as InstalledPackage['packed'][]
  const name = (await readdir(folder)).find((file) => file.endsWith('.tgz'))!
  const tarball = join(folder, name)
  const options = ['--engine-strict', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...options, tarball], { cwd: folder })
  return {
    folder,
    packed: packed!,
    home: join(folder, 'node_modules/@sti-rollout/agent'),
    sti: join(folder, 'node_modules/.bin/sti'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
