import { findOnPath, isExecutable } from '../../demo/start/findOnPath.ts'

/** Debian installs it where only the PATH of root looks. */
const DEBIAN_PATH = '/usr/sbin/pgbouncer'

/** The path of PgBouncer; null: the tests of poolers are skipped. */
export const pgBouncerProgram =
  (await findOnPath('pgbouncer')) ?? ((await isExecutable(DEBIAN_PATH)) ? DEBIAN_PATH : null)
