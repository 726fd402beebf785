import { setTimeout as sleep } from 'node:timers/promises'
import type { ChildProcess } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TrafficMessage, TrafficReport } from '../traffic/main.ts'
import { newSecret, type DemoDatabase } from './databases.ts'
import type { DemoProcesses } from './processes.ts'

export interface DemoTokens {
  readonly viewer: string
  readonly editor: string
  readonly admin: string
  readonly flag: string
  /** Token of the person at the terminal. */
  readonly personal: string
  /** Secret that signs the webhook of Grafana. */
  readonly webhook: string
  /** Bearer token of the webhook of Alertmanager. */
  readonly alertmanager: string
}

/** One environment of the demo: a database, an agent, instances of the service and their traffic. */
export interface DemoEnvironment {
  readonly name: string
  readonly database: DemoDatabase
  readonly rows: number
  /** Layers that must pass before the flag can be turned on; null: those of the rollout file. */
  readonly requires: readonly string[] | null
  readonly agentPort: number
  readonly servicePorts: readonly number[]
  readonly requestsPerSecond: number
  readonly tokens: DemoTokens
  /** Signs the reports of this environment. */
  readonly signingKey: KeyObject
  /** Environments whose reports can promote a rollout here. */
  readonly trusts: readonly Pick<DemoEnvironment, 'name' | 'signingKey'>[]
}

export const newTokens = (): DemoTokens => ({
  viewer: newSecret(),
  editor: newSecret(),
  admin: newSecret(),
  flag: newSecret(),
  personal: newSecret(),
  webhook: newSecret(),
  alertmanager: newSecret(),
})

export const newSigningKey = (): KeyObject => generateKeyPairSync('ed25519').privateKey

/** The value of STI_TRUSTED_KEYS. */
function trustedKeys({ trusts }: DemoEnvironment): string {
  const keys = trusts.map(({ name, signingKey }) => ({
    ...createPublicKey(signingKey).export({ format: 'jwk' }),
    environment: name,
  }))
  return JSON.stringify({ keys })
}

export const agentUrl = (environment: DemoEnvironment): string => `http://127.0.0.1:${environment.agentPort}`
const serviceUrl = (port: number): string => `http://127.0.0.1:${port}`

/** Written once Grafana runs; the agent reads it every 30 s. */
export const grafanaTokenFile = (folder: string, { name }: Pick<DemoEnvironment, 'name'>): string =>
  join(folder, `grafana-token-${name}`)

/** Starts the agent and waits until it is ready. It needs only the database. */
export async function startAgent(
  processes: DemoProcesses,
  root: string,
  folder: string,
  environment: DemoEnvironment,
  addresses: { prometheus: string | null; grafana: string | null },
): Promise<void> {
  const { name, tokens } = environment
  const rollouts = join(folder, 'rollouts', name)
  await writeRollouts(join(root, 'demo/rollouts'), rollouts, environment)
  processes.run(`agent ${name}`, 'agent/src/main.ts', {
    STI_ENVIRONMENT: name,
    STI_AGENT: `${name}-1`,
    STI_DATABASE_URL: environment.database.agentUrl,
    STI_ROLLOUTS: rollouts,
    STI_PORT: String(environment.agentPort),
    STI_TOKEN_VIEWER: tokens.viewer,
    STI_TOKEN_EDITOR: tokens.editor,
    STI_TOKEN_ADMIN: tokens.admin,
    STI_TOKEN_FLAG: tokens.flag,
    STI_PERSONAL_TOKENS: `you:admin:${tokens.personal}`,
    STI_WEBHOOK_SECRET: tokens.webhook,
    STI_ALERTMANAGER_TOKEN: tokens.alertmanager,
    STI_SIGNING_KEY: environment.signingKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    STI_TRUSTED_KEYS: trustedKeys(environment),
    ...(addresses.prometheus ? { STI_PROMETHEUS_URL: addresses.prometheus } : {}),
    ...(addresses.grafana
      ? { STI_GRAFANA_URL: addresses.grafana, STI_GRAFANA_TOKEN_FILE: grafanaTokenFile(folder, environment) }
      : {}),
  })
  await waitUntilReady(processes, `${agentUrl(environment)}/readyz`, `agent ${name}`)
}

/** Writes the rollout file with the address of the first service instance, which is the one that is measured. */
async function writeRollouts(from: string, to: string, environment: DemoEnvironment): Promise<void> {
  const text = await readFile(join(from, 'vehicles.yaml'), 'utf8')
  const [port] = environment.servicePorts
  const { requires } = environment
  const withLayers = requires === null ? text : text.replace(/(?<=requires: \[)[^\]]*/, requires.join(', '))
  await mkdir(to, { recursive: true })
  await writeFile(join(to, 'vehicles.yaml'), withLayers.replaceAll('http://service:8080', serviceUrl(port ?? 0)))
}

export async function startServices(processes: DemoProcesses, environment: DemoEnvironment): Promise<void> {
  await Promise.all(
    environment.servicePorts.map(async (port, index) => {
      processes.run(`service ${environment.name} ${index + 1}`, 'demo/service/main.ts', {
        PORT: String(port),
        DATABASE_URL: environment.database.applicationUrl,
        FLAG_URL: agentUrl(environment),
        FLAG_TOKEN: environment.tokens.flag,
      })
      await waitUntilReady(processes, `${serviceUrl(port)}/healthz`, `service ${environment.name} ${index + 1}`)
    }),
  )
}

export interface TrafficClient {
  send(message: TrafficMessage): Promise<TrafficReport>
}

export async function startTraffic(processes: DemoProcesses, environment: DemoEnvironment): Promise<TrafficClient> {
  const child = processes.run(`traffic ${environment.name}`, 'demo/traffic/main.ts', {
    SERVICE_URLS: environment.servicePorts.map(serviceUrl).join(','),
    REQUESTS_PER_SECOND: String(environment.requestsPerSecond),
    SEED_ROWS: String(environment.rows),
  })
  await nextMessage(child, processes)
  return {
    send(message) {
      const answer = nextMessage<TrafficReport>(child, processes)
      child.send(message)
      return answer
    },
  }
}

function nextMessage<T>(child: ChildProcess, processes: DemoProcesses): Promise<T> {
  const message = new Promise<T>((resolve) => child.once('message', (value) => resolve(value as T)))
  return Promise.race([message, processes.unexpectedExit])
}

/** Waits up to 60 s until the address returns 200. */
export async function waitUntilReady(processes: DemoProcesses, url: string, name: string): Promise<void> {
  const deadline = Date.now() + 60_000
  let lastResponse = 'no response'
  while (Date.now() < deadline) {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch((error: Error) => error)
    if (response instanceof Response) {
      const text = await response.text()
      if (response.ok) return
      lastResponse = `${response.status} ${text.slice(0, 300)}`
    }
    await Promise.race([sleep(100), processes.unexpectedExit])
  }
  throw new Error(`${name} is not ready at ${url} after 60 s (${lastResponse}). See ${processes.logOf(name)}`)
}
