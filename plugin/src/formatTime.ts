/** An instant as local clock time, with the local date (as in ISO 8601) unless it is today; `–` if there is none. */
export function formatTime(instant: string | Date | null | undefined): string {
  if (!instant) return '–'
  const date = new Date(instant)
  const time = date.toLocaleTimeString('en-GB')
  return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString('sv-SE')} ${time}`
}
