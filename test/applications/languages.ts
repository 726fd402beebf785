import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { findOnPath } from '../../demo/start/findOnPath.ts'

export type Language = 'Node.js' | 'Python' | 'Java' | 'Ruby'

const folder = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const NODE_FOLDER = folder('node')
const PYTHON_FOLDER = folder('python')
const JAVA_FOLDER = folder('java')
const RUBY_FOLDER = folder('ruby')
const VIRTUAL_ENVIRONMENT = `${PYTHON_FOLDER}/.venv`

/** Installs the packages of a language where they are not installed yet. Returns why its applications cannot run, or null. */
export const prepareLanguage: Record<Language, () => Promise<string | null>> = {
  'Node.js': () =>
    installOnce(`${NODE_FOLDER}/package-lock.json`, `${NODE_FOLDER}/node_modules`, () =>
      run('npm', ['ci', '--no-audit', '--no-fund', '--fetch-retries=1'], NODE_FOLDER),
    ),
  Python: async () => {
    if ((await findOnPath('python3')) === null) return 'python3 is missing (Debian: apt-get install python3-venv)'
    if ((await run('python3', ['-c', 'import venv, ensurepip'], PYTHON_FOLDER)) !== null)
      return 'the modules venv and ensurepip of python3 are missing (Debian: apt-get install python3-venv)'
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1']
    return await installOnce(
      `${PYTHON_FOLDER}/requirements.txt`,
      VIRTUAL_ENVIRONMENT,
      async () =>
        (await run('python3', ['-m', 'venv', VIRTUAL_ENVIRONMENT], PYTHON_FOLDER)) ??
        (await run(`${VIRTUAL_ENVIRONMENT}/bin/python`, [...pip, '--requirement', 'requirements.txt'], PYTHON_FOLDER)),
    )
  },
  Java: async () => {
    for (const program of ['javac', 'mvn'])
      if ((await findOnPath(program)) === null)
        return `${program} is missing (Debian: apt-get install maven default-jdk-headless)`
    // Compiles, and downloads what is not in the repository of Maven yet.
    const goals = ['-q', '-B', 'compile', 'dependency:build-classpath', '-Dmdep.outputFile=target/classpath.txt']
    return await run('mvn', goals, JAVA_FOLDER)
  },
  Ruby: async () => {
    const installation = 'Debian: apt-get install ruby-activerecord ruby-pg'
    if ((await findOnPath('ruby')) === null) return `ruby is missing (${installation})`
    const fault = await run('ruby', ['-e', 'require "active_record"; require "pg"'], RUBY_FOLDER)
    return fault && `the gems activerecord and pg are missing (${installation})`
  },
}

/** How the program of a file is started. */
export const startCommand: Record<Language, (name: string) => Promise<readonly [string, ...string[]]>> = {
  'Node.js': async (name) => ['node', `${NODE_FOLDER}/${name}`],
  Python: async (name) => [`${VIRTUAL_ENVIRONMENT}/bin/python`, `${PYTHON_FOLDER}/${name}`],
  Java: async (name) => {
    const packages = await readFile(`${JAVA_FOLDER}/target/classpath.txt`, 'utf8')
    // Only the quick compiler, since the program runs for seconds.
    const options = ['-XX:TieredStopAtLevel=1', '-Xmx256m']
    return ['java', ...options, '-cp', `${JAVA_FOLDER}/target/classes:${packages.trim()}`, name]
  },
  Ruby: async (name) => ['ruby', `${RUBY_FOLDER}/${name}`],
}

/** Installs exactly what the list names into the folder. An installation of the same list is used again. */
async function installOnce(
  list: string,
  folderName: string,
  install: () => Promise<string | null>,
): Promise<string | null> {
  const wanted = await readFile(list, 'utf8')
  const installed = `${folderName}/installed.txt`
  if ((await readFile(installed, 'utf8').catch(() => '')) === wanted) return null
  await rm(folderName, { recursive: true, force: true })
  const fault = await install()
  if (fault === null) await writeFile(installed, wanted)
  return fault
}

/** Null if the command succeeds, otherwise the end of its output as one line. */
function run(command: string, args: readonly string[], cwd: string): Promise<string | null> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 150_000 })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => (output = (output + part).slice(-1_000)))
    child.once('error', (error) => resolve(`${command}: ${error.message}`))
    child.once('close', (code) =>
      resolve(
        code === 0 ? null : `${command} ${args.join(' ')} failed: ${output.trim().replaceAll(/\s+/g, ' ').slice(-300)}`,
      ),
    )
  })
}
