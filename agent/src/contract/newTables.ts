import { formatNames } from '../format/format.ts'
import type { FlagStatus } from './flag.ts'

/** What it means that tables were created that no operation has looked at, and what to do. */
export function describeNewTables(schemas: readonly string[], { enabled }: Pick<FlagStatus, 'enabled'>): string {
  const what = `No operation has looked at the table of ${formatNames(schemas)}, so its rows have no type.`
  return enabled
    ? `${what} The flag is on, and the application reads by type: roll the flag back, then run the steps again, from expand. They leave out the other tables.`
    : `${what} Run the steps again, from expand. They leave out the other tables.`
}
