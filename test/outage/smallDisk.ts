import { execFile } from 'node:child_process'
import { chmod, chown, cp, mkdtemp, open, rm, stat, statfs, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startPostgres, type PostgresServer } from '../support/server.ts'

const run = promisify(execFile)

export interface SmallDisk {
  readonly server: PostgresServer
  /** Leaves this many megabytes on the file system of the WAL. */
  fill(leaveMegabytes: number): Promise<void>
  /** Removes what fill() has written. */
  free(): Promise<void>
}

/** Starts a server whose WAL is on a small separate file system. Returns false if file systems cannot be mounted. */
export async function withSmallDisk(megabytes: number, use: (disk: SmallDisk) => Promise<void>): Promise<boolean> {
  const disk = await mkdtemp(join(tmpdir(), 'sti-wal-'))
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', disk]).then(
    () => true,
    () => false,
  )
  if (!mounted) {
    await rm(disk, { recursive: true })
    return false
  }
  const server = await startPostgres([...['-c', 'max_wal_size=64MB', '-c', 'min_wal_size=32MB'], '-c', 'fsync=off'])
  const filler = join(disk, 'filler')
  try {
    await server.embedded.stop()
    const wal = join(server.folder, 'data', 'pg_wal')
    const { uid, gid } = await stat(wal)
    await cp(wal, join(disk, 'wal'), { recursive: true })
    await run('chown', ['-R', `${uid}:${gid}`, disk])
    await chown(disk, uid, gid)
    await chmod(disk, 0o755)
    await chmod(join(disk, 'wal'), 0o700)
    await rm(wal, { recursive: true })
    await symlink(join(disk, 'wal'), wal)
    await server.restart()
    await use({
      server,
      async fill(leaveMegabytes) {
        const { bavail, bsize } = await statfs(disk)
        const file = await open(filler, 'a')
        const piece = Buffer.alloc(1024 * 1024)
        for (let left = Math.floor((bavail * bsize) / piece.length) - leaveMegabytes; left > 0; left--)
          await file.write(piece)
        await file.close()
      },
      free: () => rm(filler, { force: true }),
    })
  } finally {
    await server.stop()
    await run('umount', ['-l', disk])
    await rm(disk, { recursive: true, force: true })
  }
  return true
}
