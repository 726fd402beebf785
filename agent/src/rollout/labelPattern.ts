import { RE2JS } from 're2js'

/** A regular expression of the rollout file for the whole value of a label. */
export interface LabelPattern {
  matches(value: string): boolean
}

/**
 * Compiles a pattern in the syntax of RE2, as Prometheus does: it matches in linear time whatever the pattern is, so that
 * no pattern and no label can stop the agent.
 * @throws if the pattern is not a regular expression of RE2, for example because of a lookahead or a backreference
 */
export function compileLabelPattern(pattern: string): LabelPattern {
  const compiled = RE2JS.compile(pattern)
  return { matches: (value) => compiled.matches(value) }
}
