import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { InvalidKey, parsePublicKey, parseTrustedKeys, type TrustedKey } from '../../signature/keys.ts'
import { parseReport, ReportRefused, verifyReport } from '../../signature/verify.ts'
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
    .description('Verify the signature and the hash of a report; needs no agent. Exit code 0: valid, 1: not valid')
    .argument('<report>', 'Report as JSON')
    .option('--keys <file>', 'Trusted keys: a JWKS file or one public key as PEM (default: STI_TRUSTED_KEYS_FILE)')
    .option('--json', 'Print one JSON value per line')
    .action(run(verifyReportFile))
}

async function verifyReportFile(terminal: Terminal, file: string, options: VerifyOptions): Promise<ExitCode> {
  const output = createOutput(terminal, options.json ?? false)
  const keys = await loadTrustedKeys(terminal, options)
  const value = await readReportJson(terminal, file)
  try {
    const { report, hash, key } = await verifyReport(value, keys)
    const { rollout, environment, generatedAt, generatedBy, validation, verified } = report
    const verdict = validation === null ? 'no validation' : `validation ${validation.verdict} at ${validation.endedAt}`
    const keyScope = key.environment === null ? `, not restricted to an environment` : ''
    output.value({
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
    output.line(
      `${file} is valid: rollout ${rollout} in ${environment}, generated at ${generatedAt} for ${generatedBy}.`,
    )
    output.line(`  key ${key.kid}${keyScope}`)
    output.line(`  ${verdict}${verified ? '' : ' (no longer current)'}; rollout file ${report.file.hash}`)
    return ExitCode.done
  } catch (error) {
    if (error instanceof ReportRefused) throw new CliError(ExitCode.failed, 'not-valid', error.message)
    throw error
  }
}

async function loadTrustedKeys(terminal: Terminal, { keys }: VerifyOptions): Promise<TrustedKey[]> {
  const file = keys ?? terminal.env['STI_TRUSTED_KEYS_FILE']
  if (file === undefined) throw usageError('Specify the trusted keys: --keys with a JWKS file or a public key as PEM.')
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
    throw usageError(`Cannot read the file ${file}: ${error.code ?? error.message}.`)
  })

/** @throws CliError usage: the file cannot be read; not-valid: it is not JSON that has one meaning */
export async function readReportJson(terminal: Terminal, file: string): Promise<unknown> {
  const text = await readTextFile(terminal, file)
  try {
    return parseReport(text)
  } catch (error) {
    if (error instanceof ReportRefused)
      throw new CliError(ExitCode.failed, 'not-valid', `${file} is not valid: ${error.message}`)
    throw error
  }
}
