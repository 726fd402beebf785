import { spawn } from 'node:child_process'
import { join } from 'node:path'

/** Runs `sti` as a user does, with its output on this terminal. Throws if the exit code is not 0. */
export async function runSti(root: string, config: string, args: readonly string[]): Promise<void> {
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'agent/bin/sti.js'), ...args, '--config', config], {
      stdio: 'inherit',
    })
    child.once('error', reject)
    child.once('exit', resolve)
  })
  if (code !== 0) throw new Error(`sti ${args.join(' ')} exited with code ${code}`)
}
