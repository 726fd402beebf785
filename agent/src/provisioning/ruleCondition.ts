/** A rule as Grafana needs it: the measured expression, and the comparison that makes it an alert. */
export interface RuleCondition {
  readonly measured: string
  readonly operator: string
  readonly number: string
}

/**
 * Splits `<measured> <operator> <number>`. A comparison in PromQL drops the series that do not match, so a healthy rule and
 * missing data look the same. Grafana gets both parts, so that an alert ends because a value was measured.
 *
 * @throws Error if the rule has another form
 */
export function splitCondition(alert: string, expr: string): RuleCondition {
  const [, measured, operator, number] = /^([\s\S]+\S)\s+(==|!=|>=|<=|>|<)\s+(-?\d+(?:\.\d+)?)$/.exec(expr.trim()) ?? []
  const fault = (problem: string): Error =>
    new Error(`${alert}: ${problem}. Write the rule as <expression> <comparison> <number>.`)
  if (measured === undefined || operator === undefined || number === undefined)
    throw fault('the expression does not end in a comparison')
  const outsideBrackets = textOutsideBrackets(measured)
  if (outsideBrackets === null) throw fault('the brackets do not match')
  // These operators bind less than a comparison, which would then apply to the last part only.
  if (/\b(and|or|unless)\b/.test(outsideBrackets)) throw fault('operands of and, or and unless must be in brackets')
  return { measured, operator, number }
}

/** The text outside of all brackets and strings; null if the brackets do not match. */
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
