/**
 * Preloaded into agents and services of the demo. When the parent process exits, also after SIGKILL, the process sends
 * itself SIGTERM and shuts down normally.
 */
process.once('disconnect', () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.exit(1), 8_000).unref()
})
process.channel?.unref()
