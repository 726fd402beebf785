/** Waits until the condition holds; fails with what was seen last. */
export async function waitUntil<T>(read: () => T | Promise<T>, holds: (value: T) => boolean, seconds = 10): Promise<T> {
  const end = Date.now() + seconds * 1000
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    if (Date.now() > end) throw new Error(`not within ${seconds} s; last: ${JSON.stringify(value)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
