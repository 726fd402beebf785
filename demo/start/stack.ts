import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGrafanaToken } from '@sti-rollout/agent/provisioning/grafanaToken'
import { createDatabase } from '../seed/createDatabase.ts'
import { POSTGRES_FLAGS, prepareRoles, newSecret } from './databases.ts'
import {
  agentUrl,
  grafanaTokenFile,
  newSigningKey,
  newTokens,
  startAgent,
  startServices,
  startTraffic,
  type DemoEnvironment,
  type TrafficClient,
} from './environment.ts'
import type { DemoOptions } from './options.ts'
import { buildPlugin, findGrafana, startGrafana, type GrafanaInstallation } from './grafana.ts'
import { createPortReservations, type PortReservations } from './ports.ts'
import type { DemoProcesses } from './processes.ts'
import { findPrometheus, startPrometheus, waitForTargets, type PrometheusInstallation } from './prometheus.ts'
import { formatCount } from '@sti-rollout/agent/format'
import { type DemoConsole } from './console.ts'

export interface DemoStack {
  readonly staging: DemoEnvironment
  readonly production: DemoEnvironment
  readonly stagingTraffic: TrafficClient
  readonly prometheus: PrometheusInstallation | null
  readonly grafana: GrafanaInstallation | null
  readonly config: string
  readonly grafanaPasswordFile: string
  /** Holds the URL of the staging database, as superuser. */
  readonly databaseUrlFile: string
}

export interface DemoFolders {
  readonly root: string
  /** Removed at the end. The operating system user of PostgreSQL can read it. */
  readonly runFolder: string
  /** Kept: sti.yaml and the logs. */
  readonly folder: string
}

/** Starts everything, in the order of dependencies. */
export async function startStack(
  folders: DemoFolders,
  processes: DemoProcesses,
  screen: DemoConsole,
  { rows, bare, requires }: Pick<DemoOptions, 'rows' | 'bare' | 'requires'>,
): Promise<DemoStack> {
  const { root, runFolder } = folders
  const ports = createPortReservations((message) => screen.line(`  ${message}`))
  const [staging, production] = await startDatabases(processes, screen, ports, { rows, requires })
  const environments = [staging, production]
  const prometheus = bare ? null : await findPrometheus(() => ports.reserve(9090, 'Prometheus'))
  const grafana = bare ? null : await findGrafana(() => ports.reserve(3000, 'Grafana'))
  const addresses = { prometheus: prometheus?.url ?? null, grafana: grafana?.url ?? null }
  for (const environment of environments) {
    await ports.release(environment.agentPort, ...environment.servicePorts)
    await screen.step(
      `agent ${environment.name}`,
      () => startAgent(processes, root, runFolder, environment, addresses),
      () => agentUrl(environment),
    )
  }
  const [stagingTraffic] = await screen.step(
    'services and traffic',
    async () => {
      await Promise.all(environments.map((environment) => startServices(processes, environment)))
      return Promise.all(environments.map((environment) => startTraffic(processes, environment)))
    },
    () => environments.map(({ name, requestsPerSecond }) => `${name} ${requestsPerSecond} requests/s`).join(', '),
  )
  if (!stagingTraffic) throw new Error('the traffic in staging did not start')
  if (prometheus) {
    await ports.release(prometheus.port)
    await startPrometheusStep(folders, processes, screen, prometheus, environments, grafana)
  }
  const grafanaPasswordFile = join(folders.folder, 'grafana-password')
  if (grafana) {
    await buildPluginStep(folders, screen)
    await ports.release(grafana.port)
    await startGrafanaStep(folders, processes, screen, grafana, prometheus, environments, grafanaPasswordFile)
  }
  const config = await writeConfig(folders.folder, environments)
  const databaseUrlFile = join(folders.folder, 'database-url')
  await writeFile(databaseUrlFile, `${staging.database.superuserUrl}\n`, { mode: 0o600 })
  return { staging, production, stagingTraffic, prometheus, grafana, config, grafanaPasswordFile, databaseUrlFile }
}

async function startDatabases(
  processes: DemoProcesses,
  screen: DemoConsole,
  ports: PortReservations,
  { rows, requires }: Pick<DemoOptions, 'rows' | 'requires'>,
): Promise<[DemoEnvironment, DemoEnvironment]> {
  const postgresPort = await ports.reserve(54_320, 'PostgreSQL')
  const password = newSecret()
  await ports.release(postgresPort)
  await screen.step(
    'PostgreSQL',
    () => processes.postgres({ port: postgresPort, password, flags: POSTGRES_FLAGS }),
    () => `127.0.0.1:${postgresPort}`,
  )
  const database = await prepareRoles(postgresPort, password)
  const staging: DemoEnvironment = {
    name: 'staging',
    database: database('staging'),
    rows,
    requires,
    agentPort: await ports.reserve(8090, 'The agent of staging'),
    servicePorts: [
      await ports.reserve(8080, 'The first service of staging'),
      await ports.reserve(8081, 'The second service of staging'),
    ],
    requestsPerSecond: 80,
    tokens: newTokens(),
    signingKey: newSigningKey(),
    trusts: [],
  }
  const production: DemoEnvironment = {
    name: 'production',
    database: database('production'),
    rows: Math.min(50_000, rows),
    requires,
    agentPort: await ports.reserve(8091, 'The agent of production'),
    servicePorts: [await ports.reserve(8082, 'The service of production')],
    requestsPerSecond: 20,
    tokens: newTokens(),
    signingKey: newSigningKey(),
    trusts: [staging],
  }
  for (const { name, database: target, rows: count } of [staging, production]) {
    await screen.step(
      `database ${name}`,
      () => createDatabase(target.superuserUrl, count),
      () => `${formatCount(count)} vehicles`,
    )
  }
  return [staging, production]
}

async function startPrometheusStep(
  { root, runFolder }: DemoFolders,
  processes: DemoProcesses,
  screen: DemoConsole,
  prometheus: PrometheusInstallation,
  environments: readonly DemoEnvironment[],
  grafana: GrafanaInstallation | null,
): Promise<void> {
  const targets = environments.flatMap(({ name, agentPort, servicePorts }) => [
    { file: `sti-agent-${name}`, port: agentPort, environment: name },
    ...servicePorts.map((port, index) => ({ file: `sti-demo-${name}-${index + 1}`, port, environment: name })),
  ])
  const all = grafana ? [...targets, { file: 'grafana', port: grafana.port, environment: 'all' }] : targets
  await screen.step(
    'Prometheus',
    async () => {
      await startPrometheus(processes, root, runFolder, prometheus, all)
      await waitForTargets(prometheus.url, targets.length)
    },
    () => `${prometheus.url}, ${targets.length} targets up`,
  )
}

function buildPluginStep({ root }: DemoFolders, screen: DemoConsole): Promise<unknown> {
  return screen.step(
    'plugin',
    () => buildPlugin(root),
    (built) => (built ? 'built' : 'up to date'),
  )
}

async function startGrafanaStep(
  { root, runFolder }: DemoFolders,
  processes: DemoProcesses,
  screen: DemoConsole,
  grafana: GrafanaInstallation,
  prometheus: PrometheusInstallation | null,
  environments: readonly DemoEnvironment[],
  passwordFile: string,
): Promise<void> {
  const password = newSecret()
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await screen.step(
    'Grafana',
    async () => {
      await startGrafana(processes, root, runFolder, grafana, password, prometheus?.url ?? null, environments)
      for (const environment of environments) {
        const login = { url: grafana.url, user: 'admin', password }
        const token = await createGrafanaToken(login, `sti-agent-${environment.name}`)
        await writeFile(grafanaTokenFile(runFolder, environment), `${token}\n`, { mode: 0o600 })
      }
    },
    () => grafana.url,
  )
}

/** Writes the configuration of `sti`. It holds the tokens of this run, so only the owner can read it. */
async function writeConfig(folder: string, environments: readonly DemoEnvironment[]): Promise<string> {
  const config = join(folder, 'sti.yaml')
  const lines = environments.map(
    (environment) =>
      `  ${environment.name}: { url: ${agentUrl(environment)}, token: ${environment.tokens.personal} }\n`,
  )
  await mkdir(folder, { recursive: true })
  await writeFile(config, `environments:\n${lines.join('')}`, { mode: 0o600 })
  return config
}
