import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { findOnPath } from '../../demo/start/findOnPath.ts'

export type Language = 'Node.js' | 'Python'

const folder = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const NODE_FOLDER = folder('node')
const PYTHON_FOLDER = folder('python')
const VIRTUAL_ENVIRONMENT = `${PYTHON_FOLDER}/.venv`

/** Installs the packages of a language where they are not installed yet. Returns why its applications cannot run, or null. */
export const prepareLanguage: Record<Language, () => Promise<string | null>> = {
  'Node.js': async () =>
    existsSync(`${NODE_FOLDER}/node_modules`)
      ? null
      : 'their packages are missing (npm ci --prefix test/applications/node)',
  Python: async () => {
    if ((await findOnPath('python3')) === null) return 'python3 is missing (Debian: apt-get install python3-venv)'
    if ((await run('python3', ['-c', 'import venv, ensurepip'], PYTHON_FOLDER)) !== null)
      return 'the modules venv and ensurepip of python3 are missing (Debian: apt-get install python3-venv)'
    return await createVirtualEnvironment()
  },
}

/** How the program of a file is started. */
export const startCommand: Record<Language, (name: string) => Promise<readonly [string, ...string[]]>> = {
  'Node.js': async (name) => ['node', `${NODE_FOLDER}/${name}`],
  Python: async (name) => [`${VIRTUAL_ENVIRONMENT}/bin/python`, `${PYTHON_FOLDER}/${name}`],
}

/** A virtual environment with exactly the packages of requirements.txt; an existing one is used again. */
async function createVirtualEnvironment(): Promise<string | null> {
  const requirements = await readFile(`${PYTHON_FOLDER}/requirements.txt`, 'utf8')
  const installed = `${VIRTUAL_ENVIRONMENT}/installed.txt`
  if ((await readFile(installed, 'utf8').catch(() => '')) === requirements) return null
  await rm(VIRTUAL_ENVIRONMENT, { recursive: true, force: true })
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', 'requirements.txt']
  const fault =
    (await run('python3', ['-m', 'venv', VIRTUAL_ENVIRONMENT], PYTHON_FOLDER)) ??
    (await run(`${VIRTUAL_ENVIRONMENT}/bin/python`, pip, PYTHON_FOLDER))
  if (fault === null) await writeFile(installed, requirements)
  return fault
}

/** Null if the command succeeds, otherwise the end of its output. */
function run(command: string, args: readonly string[], cwd: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 150_000 })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (output = (output + part).slice(-1_000)))
    child.once('error', (error) => resolve(`${command}: ${error.message}`))
    child.once('close', (code) => resolve(code === 0 ? null : `${command} ${args.join(' ')} failed: ${output.trim()}`))
  })
}
