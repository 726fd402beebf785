import { SEARCH_PATH } from '../database/connect.ts'
import { VALUE_TEXT_SETTINGS } from '../database/sessionSettings.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { dependsOnSession } from '../rollout/sessionDependence.ts'

/**
 * The settings of the dual-write function: a fixed search_path, and the text settings of the agent's sessions if they may
 * change what an expression derives. Without them, a session of the application with another extra_float_digits would
 * derive another type than the agent. They cost a few microseconds per row, so most functions do not have them.
 */
export function functionSettingsSql(rollout: Rollout, table: Pick<Table, 'columns'>): string {
  const texts = textSettings(rollout, table).map(([name, value]) => `set ${name} = ${quoteSetting(name, value)}`)
  return [`set search_path = ${SEARCH_PATH}`, ...texts].join(' ')
}

/** `name=value` of each text setting. The catalog has the names in another case, such as `DateStyle`. */
export function requiredFunctionSettings(rollout: Rollout, table: Pick<Table, 'columns'>): string[] {
  return textSettings(rollout, table).map(([name, value]) => `${name}=${value}`)
}

function textSettings(rollout: Rollout, table: Pick<Table, 'columns'>): [string, string][] {
  return dependsOnSession(rollout, table) ? Object.entries(VALUE_TEXT_SETTINGS) : []
}

/** DateStyle is a list. */
const quoteSetting = (name: string, value: string): string => (name === 'datestyle' ? value : quoteLiteral(value))
