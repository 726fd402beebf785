import { useEffect, useState } from 'react'

/** The current time, updated every second while a timer runs. */
export function useCurrentTime(running: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}
