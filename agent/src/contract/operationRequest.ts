import { z } from '@hono/zod-openapi'
import type { Action } from './actions.ts'
import { OPERATION_KINDS, OperationKind, type OperationAction, type OperationKindDeclaration } from './kinds.ts'

const requestSchema = <K extends OperationKind, P extends z.ZodType>(kind: K, parameters: P) =>
  z.object({
    kind: z.literal(kind),
    environment: z.string().describe('the environment that the caller expects; any other environment answers 409'),
    parameters,
    reason: z.string().max(2000).optional(),
  })
type RequestSchema = {
  [K in OperationKind]: z.ZodObject<
    {
      kind: z.ZodLiteral<K>
      environment: z.ZodString
      parameters: (typeof OPERATION_KINDS)[K]['parameters']
      reason: z.ZodOptional<z.ZodString>
    },
    z.core.$strip
  >
}[OperationKind]

export const OperationRequest = z
  .discriminatedUnion(
    'kind',
    OperationKind.options.map((kind) => requestSchema(kind, OPERATION_KINDS[kind].parameters)) as unknown as [
      RequestSchema,
      ...RequestSchema[],
    ],
  )
  .openapi('OperationRequest')
export type OperationRequest = z.infer<typeof OperationRequest>

/** The declaration of a kind, for callers that do not know the type of its parameters. */
const declarationOf = (kind: OperationKind): OperationKindDeclaration<z.ZodType, OperationAction, OperationAction> =>
  OPERATION_KINDS[kind] as unknown as OperationKindDeclaration<z.ZodType, OperationAction, OperationAction>

/** The action that a request starts. */
export const requestedAction = ({ kind, parameters }: OperationRequest): OperationAction =>
  declarationOf(kind).action(parameters)

/** Every right that a request requires. */
export function requiredRights(request: OperationRequest): ('force' | Action)[] {
  const { kind, parameters } = request
  const forced = 'force' in parameters && parameters.force === true
  return [
    requestedAction(request),
    ...(declarationOf(kind).additionalRights?.(parameters) ?? []),
    ...(forced ? (['force'] as const) : []),
  ]
}
