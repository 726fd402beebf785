/** Hands a text to the browser as a file. */
export function download(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** `sti-report-vehicles-staging-20261126T160305Z.json`: without what a file system may refuse. */
export function fileName(what: string, rollout: string, environment: string, ending: string, now = new Date()): string {
  const safe = (name: string) => name.replace(/[^A-Za-z0-9._-]+/g, '-')
  const at = now.toISOString().replace(/[-:]|\.\d+/g, '')
  return `sti-${what}-${safe(rollout)}-${safe(environment)}-${at}.${ending}`
}
