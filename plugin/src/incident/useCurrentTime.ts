import { useEffect, useState } from 'react'

/** The time, each second while somebody looks at a clock that runs. */
export function useCurrentTime(running: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!running) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [running])
  return now
}
