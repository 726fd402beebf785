import type { OperationInput } from '../agentClient.ts'
import { requireConfirmation, addConfirmOptions, type ConfirmOptions } from '../confirmation.ts'
import { usageError, type ExitCode } from '../exitCode.ts'
import { exitCodeOfOperation, refuseUnlessAllowed, runOperation, showPreview } from '../runOperation.ts'
import { openCommandRollout, type RegisterCommand } from '../commandSetup.ts'
import type { Terminal } from '../terminal.ts'

interface RemoveArchiveOptions extends ConfirmOptions {
  readonly exportArchive?: boolean
  readonly force?: boolean
}

export const registerRemoveArchive: RegisterCommand = (program, run) => {
  addConfirmOptions(program.command('remove-archive'))
    .description(
      'Permanently remove the archive of the legacy columns and its triggers (requires an admin token and --reason)',
    )
    .option('--export-archive', 'First write the archive to a compressed file on the agent’s host')
    .option('--force', 'After the drop: also remove an archive that was never exported or never verified')
    .action(run(removeArchive))
}

async function removeArchive(terminal: Terminal, options: RemoveArchiveOptions): Promise<ExitCode> {
  const { target, rollout, output } = await openCommandRollout(terminal, options)
  const name = rollout.rollout
  if (!options.reason && !options.dryRun) throw usageError('--reason is required. It is recorded with the operation.')
  const request: OperationInput = {
    kind: 'archive-removal',
    environment: target.environment,
    parameters: {
      exportArchive: options.exportArchive ?? false,
      force: options.force ?? false,
      confirm: name,
    },
    reason: options.reason,
  }
  await requireConfirmation(terminal, options, target, name, 'remove the archive of its legacy columns', async () => {
    refuseUnlessAllowed(await showPreview(target, name, request, output))
  })
  const operation = await runOperation(target, name, request, output, options)
  return exitCodeOfOperation(operation, options.detach)
}
