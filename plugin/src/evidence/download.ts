/** Downloads a text as a file. */
export function downloadFile(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has started to read the URL by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** `sti-report-vehicles-staging-20261126T160305Z.json`; characters that a file system may refuse become `-`. */
export function downloadFileName(
  subject: string,
  rollout: string,
  environment: string,
  extension: string,
  now = new Date(),
): string {
  const safe = (name: string) => name.replace(/[^A-Za-z0-9._-]+/g, '-')
  const timestamp = now.toISOString().replace(/[-:]|\.\d+/g, '')
  return `sti-${subject}-${safe(rollout)}-${safe(environment)}-${timestamp}.${extension}`
}
