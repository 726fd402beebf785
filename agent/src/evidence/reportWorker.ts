import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { ReportFormat, SignedReport } from '../contract/index.ts'
import { connect } from '../database/connect.ts'
import { errorCode, errorMessage } from '../database/errors.ts'
import { signReport } from '../signature/sign.ts'
import { gatherReport } from './gatherReport.ts'
import { renderReportHtml } from './html.ts'
import { renderReportMarkdown } from './markdown.ts'
import type { ReportWorkerData, ReportWorkerRequest, ReportWorkerResponse } from './reportWorkers.ts'

const REPORT_NICENESS = 5

const { databaseUrl, agent, signingKey } = workerData as ReportWorkerData
// Linux has a priority for each thread: evaluations of the flag come first. Elsewhere this would lower the whole process.
if (process.platform === 'linux') setPriority(0, REPORT_NICENESS)
const database = connect(databaseUrl, agent)

const RENDERERS: Readonly<Record<ReportFormat, (signed: SignedReport) => string>> = {
  json: (signed) => JSON.stringify(signed),
  md: renderReportMarkdown,
  html: renderReportHtml,
}

parentPort!.on('message', (request: ReportWorkerRequest) => {
  void buildReport(request).then(
    (body) => respond({ body }, [body.buffer]),
    (error: unknown) => respond({ error: { message: errorMessage(error), code: errorCode(error) } }, []),
  )
})

async function buildReport({ input, format }: ReportWorkerRequest): Promise<Uint8Array<ArrayBuffer>> {
  // One connection for one report: the queries wait for each other, and nothing stays open.
  const sql = database.engine({ purpose: 'report', readOnly: true })
  try {
    const signed = await signReport(await gatherReport(sql, input), signingKey, input.foreignState)
    return new TextEncoder().encode(RENDERERS[format](signed))
  } finally {
    await sql.end({ timeout: 1 })
  }
}

function respond(response: ReportWorkerResponse, transferred: ArrayBuffer[]): void {
  parentPort!.postMessage(response, transferred)
}
