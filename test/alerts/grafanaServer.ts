import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import { findGrafana } from '../../demo/start/grafana.ts'
import { freePort } from '../support/server.ts'
import { isOk, waitFor } from '../support/waitFor.ts'

const installation = await findGrafana(async () => 0)
export const hasGrafana = installation !== null
if (!hasGrafana) console.log('Tests against a real Grafana are skipped: install Grafana 12.3 or later')

export interface GrafanaServer {
  readonly url: string
  /** Sends a request as admin. */
  get<T>(path: string): Promise<T>
}

/** Starts Grafana without the STI plugin, with these provisioning files by path. It ends with the test. */
export async function startGrafana(
  files: Record<string, string>,
  env: Record<string, string> = {},
): Promise<GrafanaServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-grafana-'))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, 'provisioning', path)), { recursive: true })
    await writeFile(join(folder, 'provisioning', path), text)
  }
  const port = await freePort()
  const child = spawn(installation!.file, ['server', `--homepath=${installation!.home}`], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      GF_SERVER_HTTP_ADDR: '127.0.0.1',
      GF_SERVER_HTTP_PORT: String(port),
      GF_SERVER_ROOT_URL: 'https://grafana.example.com/',
      GF_PATHS_DATA: join(folder, 'data'),
      GF_PATHS_LOGS: join(folder, 'log'),
      GF_PATHS_PLUGINS: join(folder, 'plugins'),
      GF_PATHS_PROVISIONING: join(folder, 'provisioning'),
      GF_SECURITY_ADMIN_PASSWORD: 'admin',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
      GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: 'false',
      GF_PLUGINS_PREINSTALL_DISABLED: 'true',
      GF_UNIFIED_ALERTING_ALERTMANAGER_CONFIG_POLL_INTERVAL: '2s',
      ...env,
    },
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
    await rm(folder, { recursive: true, force: true })
  })
  const url = `http://127.0.0.1:${port}`
  const headers = { authorization: `Basic ${Buffer.from('admin:admin').toString('base64')}` }
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`Grafana ended with exit code ${child.exitCode}`)
    return await isOk(`${url}/api/health`)
  }
  await waitFor('Grafana is ready', isReady, { seconds: 60, intervalMs: 100 })
  return {
    url,
    async get<T>(path: string): Promise<T> {
      const answer = await fetch(url + path, { headers })
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
      return (await answer.json()) as T
    },
  }
}
