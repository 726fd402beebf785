import { z } from '@hono/zod-openapi'

/**
 * A named schema, or null. `schema.nullable()` would change the named schema itself in the OpenAPI document, or keep the
 * null out of it, depending on which of its uses comes first.
 */
export const nullable = <Schema extends z.ZodType>(schema: Schema) => z.union([schema, z.null()])
