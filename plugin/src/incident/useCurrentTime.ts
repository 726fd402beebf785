import { useEffect, useState } from 'react'

/** The current time in milliseconds since 1970, updated every second while `running`. */
export function useCurrentTime(running: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}
