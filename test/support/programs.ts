import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const ROOT = new URL('../../', import.meta.url)
/** Below node_modules, so that imports of packages are resolved as for the source. */
const FOLDER = new URL('node_modules/.cache/sti-tests/', ROOT)

/** Programs that tests start as processes of their own. */
export const AGENT_PROGRAM = new URL('main.js', FOLDER).pathname
export const CRASHING_AGENT_PROGRAM = new URL('crashingAgent.js', FOLDER).pathname

/**
 * Bundles the programs from their source, once per test run: a bundled agent starts in a quarter of the time. Files that the
 * source finds beside itself are still read from there.
 */
export default async function bundlePrograms(): Promise<void> {
  await build({
    entryPoints: ['agent/src/main.ts', 'test/crash/crashingAgent.ts'],
    entryNames: '[name]',
    absWorkingDir: ROOT.pathname,
    outdir: FOLDER.pathname,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'inline',
    plugins: [
      {
        name: 'keep the address of the source',
        setup({ onLoad }) {
          onLoad({ filter: /\/agent\/src\/.*\.ts$/ }, async ({ path }) => {
            const source = await readFile(path, 'utf8')
            return {
              contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
              loader: 'ts',
            }
          })
        },
      },
    ],
  })
}
