import { z } from '@hono/zod-openapi'
import type { AccessLevel } from './enums.ts'
import { OPERATION_KINDS, OperationKind, type OperationAction, type OperationActionDeclaration } from './kinds.ts'

/** Actions that start no operation, each with the lowest level that has the right. */
export const OTHER_ACTION_LEVELS = {
  'import-baseline': 'admin',
  'accept-failed-rows': 'admin',
  'accept-check': 'admin',
  pause: 'editor',
  resume: 'editor',
  cancel: 'editor',
  tune: 'editor',
  'accept-client': 'editor',
  adopt: 'admin',
  promote: 'editor',
  attest: 'editor',
  'automatic-rollback': 'editor',
  acknowledge: 'editor',
  drill: 'editor',
} as const satisfies Record<string, AccessLevel>
export type OtherAction = keyof typeof OTHER_ACTION_LEVELS

/** The actions that start an operation, in the order of their kinds. */
export const OPERATION_ACTIONS = Object.assign(
  {},
  ...OperationKind.options.map((kind) =>
    Object.fromEntries(
      Object.entries<OperationActionDeclaration>(OPERATION_KINDS[kind].actions).map(([name, action]) => [
        name,
        { ...action, kind },
      ]),
    ),
  ),
) as Readonly<Record<OperationAction, OperationActionDeclaration & { readonly kind: OperationKind }>>

/** What a person can do; the agent reports for each action whether it is allowed now, and if not, why. */
export type Action = OperationAction | OtherAction
export const Action = z.enum([...Object.keys(OPERATION_ACTIONS), ...Object.keys(OTHER_ACTION_LEVELS)] as [
  Action,
  ...Action[],
])

/** The lowest level that has the right to each action. */
export const ACTION_LEVELS = {
  ...OTHER_ACTION_LEVELS,
  ...Object.fromEntries(Object.entries(OPERATION_ACTIONS).map(([name, { level }]) => [name, level])),
} as Readonly<Record<Action, AccessLevel>>
