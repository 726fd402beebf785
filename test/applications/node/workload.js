/**
 * Requests of many users against one table, and the record of what every row must be. The test drives the program by
 * commands, one JSON object a line; the program answers each with one line.
 */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OpenFeature } from '@openfeature/server-sdk'

const KINDS = ['truck', 'bike', 'car']

/** The values of the legacy columns of a kind. */
export const legacyValues = (kind) => ({ is_truck: kind === 'truck', category: kind === 'bike' ? 'bike' : null })

/** The kind that the legacy columns of a row imply. */
export const legacyKind = (row) => (row.is_truck ? 'truck' : row.category === 'bike' ? 'bike' : 'car')

/** The flag by the OpenFeature SDK. Without the timeout, an agent that does not respond would block the request. */
async function connectFlag({ url, token, client, key, timeoutMs }, domain = 'application') {
  const provider = new OFREPProvider({
    baseUrl: url,
    headers: [
      ['Authorization', `Bearer ${token}`],
      ['X-Sti-Client', client],
    ],
    fetchImplementation: (request) => fetch(request, { signal: AbortSignal.timeout(timeoutMs) }),
  })
  await OpenFeature.setProviderAndWait(domain, provider)
  const flagClient = OpenFeature.getClient(domain)
  return (user) => flagClient.getBooleanDetails(key, false, { targetingKey: user })
}

/** Sessions, each with rows of its own, so that the last write of every row is known. */
async function startWorkload(store, { release, flag, workers, rows: initial }) {
  const evaluate = release === 'typed' ? null : await connectFlag(flag)
  const rows = Array.from({ length: workers }, () => new Map())
  for (const [at, [id, kind, name]] of initial.entries()) rows[at % workers].set(id, [kind, name])
  const counts = { operations: {}, errors: {}, wrong: [] }
  const count = (counter, key) => (counter[key] = (counter[key] ?? 0) + 1)
  let paused = false
  let active = 0

  const chooseModel = async () => {
    if (evaluate === null) return 'typed'
    return (await evaluate(`user-${Math.floor(Math.random() * 10_000)}`)).value ? 'typed' : 'legacy'
  }
  const request = async (model, own) => {
    const dice = Math.random()
    const kind = KINDS[Math.floor(Math.random() * 3)]
    const name = `${model} ${randomUUID()}`
    if (dice < 0.2 || own.size < 10) return void own.set(await store.create(model, kind, name), [kind, name])
    const id = [...own.keys()][Math.floor(Math.random() * own.size)]
    const [oldKind, oldName] = own.get(id)
    if (dice < 0.5) {
      await store.change(model, id, kind)
      own.set(id, [kind, oldName])
    } else if (dice < 0.7) {
      await store.rename(model, id, name)
      own.set(id, [oldKind, name])
    } else if (dice < 0.9) {
      const found = JSON.stringify(await store.find(model, id))
      const expected = JSON.stringify([oldKind, oldName])
      if (found !== expected) counts.wrong.push(`${id} by ${model}: ${found} instead of ${expected}`)
    } else {
      await store.remove(model, id)
      own.delete(id)
    }
  }
  const work = async (own) => {
    for (;;) {
      await sleep(5)
      if (paused) continue
      active++
      let model = 'typed'
      try {
        model = await chooseModel()
        await request(model, own)
      } catch (error) {
        count(counts.errors, describe(error))
      }
      count(counts.operations, model)
      active--
    }
  }
  for (const own of rows) void work(own)

  const known = () => rows.flatMap((own) => [...own].map(([id, [kind, name]]) => [id, kind, name]))
  return {
    status: () => counts,
    known,
    async pause() {
      paused = true
      while (active > 0) await sleep(5)
    },
    resume() {
      paused = false
    },
    /** Reads every row through the mapped classes. */
    async check(model) {
      const byId = (list) => new Map(list.map(([id, kind, name]) => [id, JSON.stringify([kind, name])]))
      const expected = byId(known())
      const found = byId(await store.list(model))
      const differing = [...new Set([...expected.keys(), ...found.keys()])].filter(
        (id) => expected.get(id) !== found.get(id),
      )
      return differing.map((id) => `${id} by ${model}: ${found.get(id)} instead of ${expected.get(id)}`)
    },
  }
}

/** The SQLSTATE and the first line of the message, without values. */
function describe(error) {
  const code = error.driverError?.code ?? error.code ?? error.name
  return `${code} ${String(error.message).split('\n').at(-1).slice(0, 150)}`
}

/** What the SDK answers, and after how many milliseconds. */
async function evaluateOnce(flag) {
  const evaluate = await connectFlag(flag, 'single')
  const began = performance.now()
  const { value, reason, errorCode } = await evaluate('user-1')
  return { value, reason, errorCode, milliseconds: Math.round(performance.now() - began) }
}

const versionOf = (name) =>
  JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), 'utf8')).version

/** Answers commands until the standard input ends. */
export async function serve(openStore, packages) {
  // The standard output is for answers: what packages print goes to the error output.
  console.log = console.info = console.error
  let workload = null
  const answer = async ({ command, ...parameters }) => {
    switch (command) {
      case 'start':
        workload = await startWorkload(await openStore(parameters), parameters)
        return {
          versions: Object.fromEntries(
            [...packages, '@openfeature/server-sdk', '@openfeature/ofrep-provider'].map((name) => [
              name,
              versionOf(name),
            ]),
          ),
        }
      case 'pause':
        await workload.pause()
        return { ...workload.status(), rows: workload.known() }
      case 'resume':
        return workload.resume() ?? {}
      case 'status':
        return workload.status()
      case 'check':
        return { wrong: await workload.check(parameters.model) }
      case 'evaluate':
        return evaluateOnce(parameters.flag)
      default:
        throw new Error(`unknown command ${command}`)
    }
  }
  for await (const line of createInterface({ input: process.stdin }))
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`)
  process.exit(0)
}
