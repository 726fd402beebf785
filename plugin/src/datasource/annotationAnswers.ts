/** Panels refresh every 5 s, and each refresh asks for their annotations, which seldom change. */
const REUSE_MS = 15_000

interface Answer<T> {
  readonly from: Date
  readonly at: number
  readonly value: Promise<T>
}

/** Keeps what the agent answered for annotations, so that not every refresh of a panel is a request to it. */
export function createAnnotationAnswers(now: () => number = Date.now) {
  const answers = new Map<string, Answer<unknown>>()
  return {
    /** Reads what happened since `from`, or reuses an answer from there or from before that is at most 15 s old. */
    async read<T>(key: string, from: Date, load: () => Promise<T>): Promise<T> {
      const known = answers.get(key) as Answer<T> | undefined
      if (known !== undefined && known.from <= from && now() - known.at < REUSE_MS) return known.value
      const answer = { from, at: now(), value: load() }
      answers.set(key, answer)
      try {
        return await answer.value
      } catch (error) {
        if (answers.get(key) === answer) answers.delete(key)
        throw error
      }
    },
  }
}
