import type { OperationInput } from '../client.ts'
import { confirmed, withConfirm, type ConfirmedOptions } from '../confirm.ts'
import { usage, type Exit } from '../exit.ts'
import { exitOf, refuseUnlessAllowed, runOperation, showPreview } from '../runOperation.ts'
import { openRollout, type Register } from '../session.ts'
import type { Terminal } from '../terminal.ts'

interface RemoveOptions extends ConfirmedOptions {
  readonly exportArchive?: boolean
  readonly force?: boolean
}

export const registerRemoveArchive: Register = (program, run) => {
  withConfirm(program.command('remove-archive'))
    .description('remove the archive of the legacy columns and its triggers, for good; needs --reason')
    .option('--export-archive', 'write it to a compressed file beside the agent first')
    .option('--force', 'after the drop: also one that was never exported, or never found equal')
    .action(run(removeArchive))
}

async function removeArchive(terminal: Terminal, options: RemoveOptions): Promise<Exit> {
  const { target, rollout, output } = await openRollout(terminal, options)
  const name = rollout.rollout
  if (!options.reason && !options.dryRun) throw usage('This needs --reason: it is kept with the operation.')
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
  await confirmed(terminal, options, target, name, 'remove the archive of its legacy columns', async () => {
    refuseUnlessAllowed(await showPreview(target, name, request, output))
  })
  const operation = await runOperation(target, name, request, output, options)
  return exitOf(operation, options.detach)
}
