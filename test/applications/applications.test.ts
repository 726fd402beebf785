import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startPostgres, type PostgresServer } from '../support/server.ts'
import { prepareLanguage, type Language } from './languages.ts'
import { PROGRAMS, RUNS_ALL_PROGRAMS } from './programs.ts'
import { runWholeRollout, type ApplicationReport } from './wholeRollout.ts'

const reports: ApplicationReport[] = []
const silentConnections = new Set<Socket>()
/** Accepts connections and never responds. */
const silentServer = createServer((socket) => silentConnections.add(socket.on('error', () => undefined)))
let silentUrl = ''
let server: PostgresServer

beforeAll(async () => {
  const port = await freePort()
  silentUrl = `http://127.0.0.1:${port}`
  await new Promise<void>((resolve) => silentServer.listen(port, '127.0.0.1', resolve))
  // Its own server: the statements of other tests would evict those of the applications from pg_stat_statements.
  server = await startPostgres(['-c', 'fsync=off'])
})

/** Why the applications of a language cannot run, or null. The first application of a language installs its packages. */
const preparations = new Map<Language, Promise<string | null>>()

function prepareOnce(language: Language): Promise<string | null> {
  const started = preparations.get(language)
  if (started !== undefined) return started
  const preparation = prepareLanguage[language]().then((reason) => {
    if (reason !== null) console.log(`applications in ${language}: skipped, ${reason}`)
    return reason
  })
  preparations.set(language, preparation)
  return preparation
}

afterAll(async () => {
  for (const connection of silentConnections) connection.destroy()
  silentServer.close()
  await server.stop()
  for (const report of reports) console.log(summarize(report))
})

test.for(PROGRAMS.filter(({ always }) => always || RUNS_ALL_PROGRAMS))(
  '$name: no write is lost and no row has a wrong type from expand to the column drop and back',
  { concurrent: true, timeout: 360_000 },
  async (program, { skip }) => {
    const reason = await prepareOnce(program.language)
    skip(reason !== null, reason ?? undefined)
    const report = await runWholeRollout(program, server.url, silentUrl)
    reports.push(report)
    expect(report.wrong).toEqual([])
    expect(report.errors).toEqual({})
    expect(report.operations.legacy).toBeGreaterThan(0)
    expect(report.operations.typed).toBeGreaterThan(0)
    // Off, as the last step left it.
    expect(report.flag.available).toMatchObject({ value: false, reason: 'DISABLED' })
    for (const answer of [report.flag.stopped, report.flag.silent]) {
      expect(answer).toMatchObject({ value: false, reason: 'ERROR' })
      // The timeout of 250 ms, on a machine that does other work: the default timeouts are 5 s or 10 s.
      expect(answer.milliseconds).toBeLessThan(4_000)
    }
  },
)

/** One line of the result. */
function summarize({ versions, operations, errors, wrong, acceptedStatements, flag }: ApplicationReport): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return [
    packages.join(', '),
    `${operations.legacy} requests by legacy columns, ${operations.typed} by type`,
    `errors ${JSON.stringify(errors)}`,
    `${wrong.length} rows wrong`,
    `accepted ${JSON.stringify(acceptedStatements)}`,
    `flag if the agent is stopped or silent ${JSON.stringify([flag.stopped, flag.silent])}`,
  ].join('; ')
}
