import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agentClient, TOKENS, type TestAgentClient } from './agent.ts'
import { AGENT_PROGRAM } from './programs.ts'
import { freePort } from './server.ts'
import { isOk, waitFor } from './waitFor.ts'

export interface AgentProcess extends TestAgentClient {
  readonly pid: number
  /** Null while it runs. */
  exitCode(): number | null
  /** Sends SIGKILL. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Starts a real agent in a separate process, which a test can kill, and waits until it is ready, or only until it listens. */
export async function startAgentProcess(
  databaseUrl: string,
  file: string,
  name = 'agent-1',
  { environment = {}, until = 'ready' }: { environment?: Record<string, string>; until?: 'ready' | 'listening' } = {},
): Promise<AgentProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-rollouts-'))
  await writeFile(join(folder, 'rollout.yaml'), file)
  const port = await freePort()
  const child: ChildProcess = spawn(process.execPath, [AGENT_PROGRAM], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], ...agentEnvironment(databaseUrl, folder, port, name), ...environment },
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await gone
    await rm(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`the agent ended with exit code ${child.exitCode} before it was ready`)
    return await isOk(`${url}/${until === 'ready' ? 'readyz' : 'livez'}`)
  }
  await waitFor(`the agent is ${until}`, isReady, { seconds: 60, intervalMs: 100 })
  return {
    ...agentClient(url, 'vehicles'),
    pid: child.pid!,
    exitCode: () => child.exitCode,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

/** Environment variables for config.ts, with the tokens of the tests. */
export function agentEnvironment(
  databaseUrl: string,
  rollouts: string,
  port: number,
  name: string,
): Record<string, string> {
  return {
    STI_ENVIRONMENT: 'staging',
    STI_AGENT: name,
    STI_DATABASE_URL: databaseUrl,
    STI_ROLLOUTS: rollouts,
    STI_PORT: String(port),
    STI_TOKEN_VIEWER: TOKENS.viewer,
    STI_TOKEN_EDITOR: TOKENS.editor,
    STI_TOKEN_ADMIN: TOKENS.admin,
    STI_TOKEN_FLAG: TOKENS.flag,
    STI_GUARD: 'false',
    // Each connection plans every statement anew: with the default number, a test spends most of its processor time on that.
    STI_DATABASE_CONNECTIONS: '3',
    STI_SPOOL_FOLDER: `${rollouts}/spool`,
    STI_PERSONAL_TOKENS: `ann:admin:${TOKENS.ann}`,
  }
}
