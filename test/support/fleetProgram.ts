import postgres from 'postgres'
import type { FleetMemberSpec, FleetMessage, FleetReady } from '../grafana/fleetAgents.ts'
import { agentClient, TOKENS, withAgent, type TestAgentClient } from './agent.ts'
import { startMetricsApplication } from './applicationMetrics.ts'
import { freePort, startPostgres, type PostgresServer } from './server.ts'
import { createTenants, inTenants } from '../groups/tenants.ts'
import { createVehicles, VEHICLES_FILE } from './vehicles.ts'

const [grafanaUrl = '', rollout = '', specs = '[]'] = process.argv.slice(2)
const application = await startMetricsApplication()
const FILE = `${VEHICLES_FILE.replace('rollout: vehicles', `rollout: ${rollout}`)}host: local\n${application.file}`

interface RunningMember extends FleetMemberSpec {
  readonly url: string
  readonly databaseUrl: string
  readonly port: number
  stop: (() => Promise<void>) | null
}

/**
 * Runs agents of several databases, which the parent stops and starts again, and the application whose metrics they read:
 * fleetProgram.ts <URL of Grafana> <rollout> <members as JSON>
 */
async function main(): Promise<void> {
  const server = await startPostgres(['-c', 'fsync=off', '-c', 'max_connections=300'])
  const members = await Promise.all((JSON.parse(specs) as FleetMemberSpec[]).map((spec) => create(server, spec)))
  const ready: FleetReady = {
    members: members.map(({ name, environment, url }) => ({ name, environment, url })),
    tokens: TOKENS,
  }
  process.send!(ready)
  const find = (name: string): RunningMember => members.find((member) => member.name === name)!
  process.on('message', (message: FleetMessage) => void handle(message))
  process.once('disconnect', () => void handle({ end: true }))

  async function handle(message: FleetMessage): Promise<void> {
    if ('stop' in message) await stop(find(message.stop))
    if ('start' in message) await start(find(message.start))
    if ('sql' in message) await execute(find(message.member).databaseUrl, message.sql)
    if ('end' in message) {
      await Promise.all(members.map(stop))
      await server.stop()
    }
    // Without its parent there is nobody to answer.
    if (process.connected) await new Promise((sent) => process.send!('done', sent))
    if ('end' in message) process.exit(0)
  }
}

async function execute(url: string, text: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  await sql.unsafe(text)
  await sql.end()
}

async function create(server: PostgresServer, spec: FleetMemberSpec): Promise<RunningMember> {
  await execute(server.url, `create database "${spec.name}"`)
  const databaseUrl = server.url.replace(/\/postgres$/, `/${spec.name}`)
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined })
  await (spec.tenants === undefined ? createVehicles(sql, spec.rows) : createTenants(sql, spec.tenants, spec.rows))
  await sql.end()
  const port = await freePort()
  const member: RunningMember = { ...spec, databaseUrl, port, url: `http://127.0.0.1:${port}`, stop: null }
  await start(member)
  await advance(agentClient(member.url, rollout, spec.environment), spec)
  return member
}

async function advance(agent: TestAgentClient, { stage }: FleetMemberSpec): Promise<void> {
  if (stage === 'new') return
  await agent.run('expand')
  if (stage === 'expanded') return
  await agent.run('backfill')
  await agent.run('validation')
  await agent.run('finalize')
  await agent.run('flag', { enabled: true })
}

/** Resolves once the agent is ready; it runs until `stop`. */
function start(member: RunningMember): Promise<void> {
  if (member.stop !== null) return Promise.resolve()
  return new Promise((ready, fail) => {
    let end: () => void = () => undefined
    const running = withAgent(
      member.databaseUrl,
      member.tenants === undefined ? FILE : inTenants(FILE),
      () => {
        ready()
        return new Promise<void>((done) => (end = done))
      },
      {
        name: member.name,
        log: () => undefined,
        config: {
          environment: member.environment,
          production: member.environment === 'production',
          port: member.port,
          databaseConnections: 3,
          grafana: { url: grafanaUrl, issuer: grafanaUrl, audience: 'org:1', token: null },
        },
      },
    )
    running.catch(fail)
    member.stop = async () => {
      end()
      await running
    }
  })
}

async function stop(member: RunningMember): Promise<void> {
  await member.stop?.()
  member.stop = null
}

await main()
