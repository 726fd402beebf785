import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { httpUrlFault } from '../format/url.ts'
import { usageError } from './exitCode.ts'
import type { Terminal } from './terminal.ts'

export interface AgentAddress {
  /** Has no trailing slash. */
  readonly url: string
  readonly token: string
}

export interface CliSettings {
  /** Agents by environment. The key '' is the agent of STI_URL, whose environment is known only to that agent. */
  readonly environments: ReadonlyMap<string, readonly AgentAddress[]>
  readonly warnings: readonly string[]
}

/** An agent in a file: its address, and its token or the file that holds it. */
export const AgentEntry = z
  .strictObject({
    url: z.string().superRefine((value, context) => {
      const fault = httpUrlFault(value, 'refused')
      if (fault !== null) context.addIssue({ code: 'custom', message: fault })
    }),
    token: z.string().min(1).optional(),
    tokenFile: z.string().min(1).optional(),
  })
  .refine((agent) => (agent.token === undefined) !== (agent.tokenFile === undefined), {
    error: 'needs either token or tokenFile',
  })
const SettingsFile = z.strictObject({
  environments: z.record(z.string().min(1), z.union([AgentEntry, z.array(AgentEntry).min(1)])),
})

/**
 * Reads the agents' addresses and tokens from `--config FILE`, else from STI_URL and STI_TOKEN, else from ./sti.yaml
 * and ~/.config/sti/config.yaml. The working folder may be anybody's, such as a cloned repository: ./sti.yaml adds
 * environments, but it replaces none of the user's own, and names no token file outside its folder.
 *
 * @throws CliError usage: no agent is configured, or a setting is invalid
 */
export async function loadCliSettings(terminal: Terminal, config: string | undefined): Promise<CliSettings> {
  if (config !== undefined) {
    const file = await readSettingsFile(resolve(terminal.cwd, config), 'own')
    if (!file) throw usageError(`The file ${config} does not exist.`)
    return file
  }
  const { STI_URL, STI_TOKEN } = terminal.env
  if (STI_URL) {
    if (!STI_TOKEN) throw usageError('STI_URL is set but STI_TOKEN is not. Set STI_TOKEN to a token of that agent.')
    const fault = httpUrlFault(STI_URL, 'refused')
    if (fault !== null) throw usageError(`STI_URL ${fault}.`)
    return { environments: new Map([['', [{ url: withoutTrailingSlash(STI_URL), token: STI_TOKEN }]]]), warnings: [] }
  }
  const ownPath = join(terminal.home, '.config/sti/config.yaml')
  const own = await readSettingsFile(ownPath, 'own')
  const local = await readSettingsFile(join(terminal.cwd, 'sti.yaml'), 'local')
  if (own === null && local === null) {
    throw usageError(
      'No agent is configured. Create ./sti.yaml or ~/.config/sti/config.yaml, or set STI_URL and STI_TOKEN ' +
        '(see docs/cli.md).',
    )
  }
  const ignored = [...(local?.environments.keys() ?? [])].filter((name) => own?.environments.has(name))
  return {
    environments: new Map([...(local?.environments ?? []), ...(own?.environments ?? [])]),
    warnings: [
      ...[own, local].flatMap((file) => file?.warnings ?? []),
      ...ignored.map(
        (name) =>
          `Environment ${name} of ./sti.yaml is ignored, since ${ownPath} has it, too. To use it, pass --config ./sti.yaml.`,
      ),
    ],
  }
}

/** A file of the user, or one that happens to be in the working folder. */
type FileOrigin = 'own' | 'local'

async function readSettingsFile(path: string, origin: FileOrigin): Promise<CliSettings | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw usageError(`Cannot read the file ${path}: ${error.code}.`)
  })
  if (text === null) return null
  const parsed = SettingsFile.safeParse(parseYaml(path, text))
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`)
    throw usageError(`${path}: ${faults.join('; ')}.`)
  }
  const environments = new Map<string, AgentAddress[]>()
  for (const [environment, entry] of Object.entries(parsed.data.environments)) {
    const agents = Array.isArray(entry) ? entry : [entry]
    environments.set(environment, await Promise.all(agents.map((agent) => readAgentAddress(path, agent, origin))))
  }
  const inline = Object.values(parsed.data.environments).some((entry) => [entry].flat().some((agent) => agent.token))
  const readableByOthers = inline && process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0
  return {
    environments,
    warnings: readableByOthers
      ? [`${path} contains tokens and is readable by other users. Run: chmod 600 ${path}`]
      : [],
  }
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw usageError(`${path}: ${(error as Error).message.split('\n')[0]}`)
  }
}

/** @throws CliError usage: the token file cannot be read, or is outside of the folder that a local file may name */
export async function readAgentAddress(
  path: string,
  agent: z.infer<typeof AgentEntry>,
  origin: FileOrigin,
): Promise<AgentAddress> {
  return { url: withoutTrailingSlash(agent.url), token: await readToken(path, agent, origin) }
}

async function readToken(path: string, agent: z.infer<typeof AgentEntry>, origin: FileOrigin): Promise<string> {
  if (agent.token !== undefined) return agent.token
  const file = resolve(dirname(path), agent.tokenFile ?? '')
  if (origin === 'local') await requireInFolder(path, file)
  const token = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`Cannot read the token file ${file} (set in ${path}): ${error.code}.`)
  })
  return token.trim()
}

/** Follows symbolic links: a link in the folder may lead to any file of the user. */
async function requireInFolder(path: string, file: string): Promise<void> {
  const target = await realpath(file).catch(() => null)
  // Nothing there: the one who reads it reports that.
  if (target === null || target.startsWith(`${await realpath(dirname(path))}${sep}`)) return
  throw usageError(
    `The token file ${file} (set in ${path}) is outside the folder of that file. Move the environment to ~/.config/sti/config.yaml, or pass --config ${path}.`,
  )
}

const withoutTrailingSlash = (url: string): string => url.replace(/\/+$/, '')
