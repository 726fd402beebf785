import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InvalidKey, parsePublicKey, parseTrustedKeys, type TrustedKey } from '../../signature/keys.ts'
import { ReportRefused, verifyReport } from '../../signature/verify.ts'
import { CliError, ExitCode, usageError } from '../exitCode.ts'
import type { RegisterCommand } from '../commandSetup.ts'
import { createOutput, type Terminal } from '../terminal.ts'

interface VerifyOptions {
  readonly keys?: string
  readonly json?: boolean
}

export const registerVerify: RegisterCommand = (program, run) => {
  program
    .command('verify')
    .description('check the signature and the hash of a report; exit code 0 or 1. Needs no agent')
    .argument('<report>', 'a report as JSON')
    .option(
      '--keys <file>',
      'whose signature is accepted: a list of keys (JWKS) or one public key (PEM); default: STI_TRUSTED_KEYS_FILE',
    )
    .option('--json', 'one JSON value per line, for machines')
    .action(run(verifyReportFile))
}

async function verifyReportFile(terminal: Terminal, file: string, options: VerifyOptions): Promise<ExitCode> {
  const out = createOutput(terminal, options.json ?? false)
  const keys = await loadTrustedKeys(terminal, options)
  const value = await readReportJson(terminal, file)
  try {
    const { report, hash, key } = await verifyReport(value, keys)
    const { rollout, environment, generatedAt, generatedBy, validation, verified } = report
    const verdict = validation === null ? 'no validation' : `validation ${validation.verdict} at ${validation.endedAt}`
    const whose = key.environment === null ? `, which ${environment} is taken on trust for` : ''
    out.value({
      valid: true,
      hash,
      kid: key.kid,
      environment,
      rollout,
      generatedAt,
      generatedBy,
      verified,
      verdict: validation?.verdict ?? null,
    })
    out.line(
      `${file} is as it was signed: rollout ${rollout} in ${environment}, written at ${generatedAt} for ${generatedBy}.`,
    )
    out.line(`  key ${key.kid}${whose}`)
    out.line(`  ${verdict}${verified ? '' : ', which did not count any more'}; rollout file ${report.file.hash}`)
    return ExitCode.done
  } catch (error) {
    if (error instanceof ReportRefused) throw new CliError(ExitCode.failed, 'not-valid', error.message)
    throw error
  }
}

async function loadTrustedKeys(terminal: Terminal, { keys }: VerifyOptions): Promise<TrustedKey[]> {
  const file = keys ?? terminal.env['STI_TRUSTED_KEYS_FILE']
  if (file === undefined)
    throw usageError('Say whose signature is accepted: --keys trusted.json, or a public key as PEM.')
  const text = await readTextFile(terminal, file)
  try {
    return text.includes('-----BEGIN') ? [parsePublicKey(text)] : parseTrustedKeys(text)
  } catch (error) {
    if (error instanceof InvalidKey) throw usageError(`The file ${file} ${error.message}.`)
    throw error
  }
}

const readTextFile = async (terminal: Terminal, file: string): Promise<string> =>
  await readFile(resolve(terminal.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw usageError(`The file ${file} cannot be read: ${error.code ?? error.message}.`)
  })

/** The JSON of a file; one that was cut off is no report. */
export async function readReportJson(terminal: Terminal, file: string): Promise<unknown> {
  const text = await readTextFile(terminal, file)
  try {
    return JSON.parse(text)
  } catch {
    throw new CliError(ExitCode.failed, 'not-valid', `${file} is not JSON, or was cut off: it proves nothing.`)
  }
}
