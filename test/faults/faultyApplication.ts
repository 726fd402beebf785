import { createServer, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { buildApp } from '../../demo/service/app.ts'
import { vehicleStore } from '../../demo/service/vehicleStore.ts'
import { TOKENS } from '../support/agent.ts'
import { freePort } from '../support/server.ts'

/** The faults of the application. */
export interface ApplicationBehavior {
  /** Additional milliseconds for each list request. */
  readonly listMs: number
  /** One in `oneIn` list requests takes `ms` instead. */
  readonly slowest: { readonly oneIn: number; readonly ms: number } | null
  /** One in this many list requests fails. */
  readonly failOneIn: number | null
  /** New code leaves out the last row of a list. */
  readonly newCodeForgets: boolean
  readonly healthStatus: number
  readonly healthRedirects: boolean
  /** Ignores X-Sti-Flag. */
  readonly deaf: boolean
  /** Each list request also runs an index lookup and a slow function (faultTables.ts). */
  readonly asksMore: boolean
}

/** The demo service on its own port, with faults that can be turned on. */
export interface FaultyApplication {
  readonly url: string
  become(behaviour: Partial<ApplicationBehavior>): void
  /** Switches to another database and resets all faults. */
  connectTo(databaseUrl: string): Promise<void>
  /** Sends this many requests per second, regardless of response times. */
  load(perSecond: number): void
  /** Stops listening until it is switched to another database. */
  close(): Promise<void>
  stop(): Promise<void>
}

const HEALTHY_BEHAVIOR: ApplicationBehavior = {
  listMs: 0,
  slowest: null,
  failOneIn: null,
  newCodeForgets: false,
  healthStatus: 200,
  healthRedirects: false,
  deaf: false,
  asksMore: false,
}

export async function startFaultyApplication(): Promise<FaultyApplication> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let now = HEALTHY_BEHAVIOR
  let sql: postgres.Sql | null = null
  let server: Server | null = null
  let loading: NodeJS.Timeout | undefined
  let lists = 0

  function open(databaseUrl: string): (request: Request) => Response | Promise<Response> {
    const opened = postgres(databaseUrl, {
      max: 8,
      onnotice: () => undefined,
      connection: { application_name: 'vehicles' },
    })
    sql = opened
    const store = vehicleStore(opened)
    const list: typeof store.list = async (kind, after, limit, by) => {
      const turn = ++lists
      if (now.failOneIn !== null && turn % now.failOneIn === 0) throw new Error('injected failure')
      const slow = now.slowest !== null && turn % now.slowest.oneIn === 0
      await sleep(slow ? now.slowest!.ms : now.listMs)
      if (now.asksMore) {
        await opened`select price from public.vehicles where vin = ${`VIN${turn}`}`
        await opened`select public.elsewhere()`
      }
      const rows = await store.list(kind, after, limit, by)
      return by === 'type' && now.newCodeForgets ? rows.slice(0, -1) : rows
    }
    const app = buildApp({
      vehicles: { ...store, list },
      flag: async () => ({ on: false, variant: 'off' }),
      flagToken: TOKENS.flag,
    })
    return (request) => {
      if (new URL(request.url).pathname === '/healthz') {
        if (now.healthRedirects) return Response.redirect(`${url}/metrics`, 302)
        if (now.healthStatus !== 200) return new Response('not well', { status: now.healthStatus })
      }
      if (now.deaf) request.headers.delete('x-sti-flag')
      return app.fetch(request)
    }
  }

  async function close(): Promise<void> {
    clearInterval(loading)
    // Finishes pending requests first.
    if (loading !== undefined) await sleep(500)
    loading = undefined
    server?.closeAllConnections()
    await new Promise<void>((resolve) => (server === null ? resolve() : server.close(() => resolve())))
    server = null
    await sql?.end({ timeout: 1 })
    sql = null
  }

  return {
    url,
    become: (behaviour) => void (now = { ...now, ...behaviour }),
    async connectTo(databaseUrl) {
      await close()
      now = HEALTHY_BEHAVIOR
      const answer = open(databaseUrl)
      server = createServer((request, response) => {
        const asked = new Request(url + request.url, { headers: request.headers as Record<string, string> })
        void Promise.resolve(answer(asked)).then(async (given) =>
          response.writeHead(given.status, Object.fromEntries(given.headers)).end(await given.text()),
        )
      })
      await new Promise<void>((resolve) => server!.listen(port, '127.0.0.1', resolve))
    },
    load(perSecond) {
      clearInterval(loading)
      let n = 0
      loading = setInterval(() => {
        const kind = ['truck', 'bike', 'car'][n++ % 3]
        // The metrics of the application record the result.
        fetch(`${url}/vehicles?kind=${kind}`).then(
          (answer) => answer.arrayBuffer(),
          () => undefined,
        )
      }, 1000 / perSecond)
    },
    close,
    stop: close,
  }
}
