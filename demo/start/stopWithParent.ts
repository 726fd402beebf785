/**
 * Loaded before an agent or a service of the demo: when the process that started it is gone, also by SIGKILL, it gets
 * the SIGTERM that it handles anyway.
 */
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), 8_000).unref()
})
process.channel?.unref()
