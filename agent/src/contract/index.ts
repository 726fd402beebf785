/** All that crosses HTTP: zod schemas, and the types that the plugin and the CLI import. */
export * from './words.ts'
export * from './problem.ts'
export * from './rollout.ts'
export * from './limits.ts'
export * from './operation.ts'
export * from './validation.ts'
export * from './flag.ts'
export * from './agent.ts'
