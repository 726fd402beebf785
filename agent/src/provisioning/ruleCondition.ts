/** A rule as Grafana wants it: what is always measured, and the comparison that makes an alert of it. */
export interface RuleCondition {
  readonly measured: string
  readonly operator: string
  readonly number: string
}

/**
 * Splits `<measured> <operator> <number>`. Prometheus leaves out what does not compare, so that nothing and no data look
 * alike; Grafana is given both parts, measures while all is well too, and an alert ends because it has seen so.
 * @throws Error when the rule is written in another way
 */
export function splitCondition(alert: string, expr: string): RuleCondition {
  const [, measured, operator, number] = /^([\s\S]+\S)\s+(==|!=|>=|<=|>|<)\s+(-?\d+(?:\.\d+)?)$/.exec(expr.trim()) ?? []
  const fault = (what: string): Error =>
    new Error(`${alert}: ${what}; write the rule as <what is measured> <comparison> <number>`)
  if (measured === undefined || operator === undefined || number === undefined)
    throw fault('it does not end in a comparison')
  const outsideBrackets = textOutsideBrackets(measured)
  if (outsideBrackets === null) throw fault('its brackets do not match')
  // They bind less than a comparison, which would then be of the last part alone.
  if (/\b(and|or|unless)\b/.test(outsideBrackets)) throw fault('put what is joined by and, or, unless in brackets')
  return { measured, operator, number }
}

/** What stands outside of all brackets and strings; null: they do not match. */
function textOutsideBrackets(text: string): string | null {
  let depth = 0
  let outside = ''
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[(){}[\]]|[^"(){}[\]]+/g)) {
    if (/^[({[]$/.test(token)) depth++
    else if (/^[)}\]]$/.test(token)) depth--
    else if (depth === 0 && !token.startsWith('"')) outside += token
    if (depth < 0) return null
  }
  return depth === 0 ? outside : null
}
