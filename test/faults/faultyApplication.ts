import { createServer, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { buildApp } from '../../demo/service/app.ts'
import { vehicleStore } from '../../demo/service/vehicleStore.ts'
import { TOKENS } from '../support/agent.ts'
import { freePort } from '../support/server.ts'

/** What is wrong with the application. */
export interface ApplicationBehavior {
  /** Milliseconds that each read of a list takes beyond its query. */
  readonly listMs: number
  /** One in so many lists takes this long instead. */
  readonly slowest: { readonly oneIn: number; readonly ms: number } | null
  /** One in so many lists fails. */
  readonly failOneIn: number | null
  /** New code leaves out the last row of a list. */
  readonly newCodeForgets: boolean
  readonly healthStatus: number
  readonly healthRedirects: boolean
  /** Does not hear X-Sti-Flag. */
  readonly deaf: boolean
  /** Each list also asks for a price by an index, and for something that takes its time elsewhere (tables.ts). */
  readonly asksMore: boolean
}

/** The demo's service on its own port, which can be made bad. */
export interface FaultyApplication {
  readonly url: string
  become(behaviour: Partial<ApplicationBehavior>): void
  /** Reads another database from now on, and is well again. */
  connectTo(databaseUrl: string): Promise<void>
  /** So many requests a second, whatever the answers take. */
  load(perSecond: number): void
  /** Nobody listens any more, until it leads another database. */
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
      if (now.failOneIn !== null && turn % now.failOneIn === 0) throw new Error('one that was made to fail')
      const slow = now.slowest !== null && turn % now.slowest.oneIn === 0
      await sleep(slow ? now.slowest!.ms : now.listMs)
      if (now.asksMore) {
        await opened`select price from public.vehicles where vin = ${`VIN${turn}`}`
        await opened`select public.elsewhere()`
      }
      const rows = await store.list(kind, after, limit, by)
      return by === 'type' && now.newCodeForgets ? rows.slice(0, -1) : rows
    }
    const app = buildApp({ vehicles: { ...store, list }, flag: async () => false, flagToken: TOKENS.flag })
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
    // What was asked last is answered first.
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
        // What becomes of it is in the application's own metrics.
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
