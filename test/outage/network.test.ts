import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'vitest'
import { withDatabase } from '../support/database.ts'
import { startTcpProxy, type TcpProxy } from '../support/proxy.ts'
import { withBusyBackfill, isReady } from './busyBackfill.ts'
import { waitFor } from '../support/waitFor.ts'

interface NetworkFault {
  readonly what: string
  readonly begin: (proxy: TcpProxy) => void
  readonly end: (proxy: TcpProxy) => void
  readonly lastsMs: number
  /** True if the agent is cut off for so long that /readyz must report it. */
  readonly cutsOff: boolean
}

const NETWORK_FAULTS: NetworkFault[] = [
  {
    what: 'resets every connection',
    begin: (proxy) => proxy.resetConnections(),
    end: () => undefined,
    lastsMs: 0,
    cutsOff: false,
  },
  {
    what: 'resets connections in the middle of responses',
    begin: (proxy) => proxy.breakResponses(),
    end: () => undefined,
    lastsMs: 1_000,
    cutsOff: false,
  },
  {
    what: 'is down for 5 s',
    begin(proxy) {
      proxy.refuse(true)
      proxy.resetConnections()
    },
    end: (proxy) => proxy.refuse(false),
    lastsMs: 5_000,
    cutsOff: true,
  },
  {
    what: 'delays all data by 400 ms for 8 s',
    begin: (proxy) => proxy.delay(400),
    end: (proxy) => proxy.delay(0),
    lastsMs: 8_000,
    cutsOff: false,
  },
  {
    what: 'closes the stream to the agent',
    begin: (proxy) => proxy.halfClose('agent'),
    end: () => undefined,
    lastsMs: 0,
    cutsOff: false,
  },
  {
    what: 'closes the stream to the server',
    begin: (proxy) => proxy.halfClose('server'),
    end: () => undefined,
    lastsMs: 0,
    cutsOff: false,
  },
  {
    what: 'freezes for 14 s, longer than the lease',
    begin: (proxy) => proxy.freeze('all'),
    end: (proxy) => proxy.thaw(),
    lastsMs: 14_000,
    cutsOff: true,
  },
  {
    what: 'freezes all existing connections permanently',
    begin: (proxy) => proxy.freeze('existing'),
    end: () => undefined,
    lastsMs: 3_000,
    cutsOff: true,
  },
]

test.each(NETWORK_FAULTS)('the network $what: the agent recovers automatically, and no row is lost', async (fault) => {
  await withDatabase(async ({ url }) => {
    const proxy = await startTcpProxy(url)
    try {
      const found = await withBusyBackfill({ url, agentUrl: proxy.url }, async ({ agent }) => {
        const begun = Date.now()
        fault.begin(proxy)
        if (fault.cutsOff)
          await waitFor('/readyz reports it', async () => !(await isReady(agent)), {
            ignoreErrors: true,
          })
        await sleep(fault.lastsMs - (Date.now() - begun))
        fault.end(proxy)
        await waitFor('ready again', () => isReady(agent), { ignoreErrors: true })
      })
      console.log(`the network ${fault.what}: ${found}`)
    } finally {
      await proxy.stop()
    }
  })
})
