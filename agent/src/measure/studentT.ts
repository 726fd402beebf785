/**
 * P(T > t) of Student's t distribution with `degrees` of freedom, which need not be whole: half the regularized
 * incomplete beta function I_x(degrees / 2, 1 / 2) at x = degrees / (degrees + t²). NIST DLMF 26.5 and 8.17(v), the
 * continued fraction 8.17.22 by Lentz' method.
 */
export function studentUpperTail(t: number, degrees: number): number {
  const half = regularizedBeta(degrees / (degrees + t * t), degrees / 2, 0.5) / 2
  return t > 0 ? half : 1 - half
}

/** The t that is exceeded with this probability (below 0.5), by bisection. */
export function studentCriticalValue(probability: number, degrees: number): number {
  let [low, high] = [0, 1]
  while (studentUpperTail(high, degrees) > probability && high < 1e9) high *= 2
  for (let step = 0; step < 80; step++) {
    const middle = (low + high) / 2
    if (studentUpperTail(middle, degrees) > probability) low = middle
    else high = middle
  }
  return high
}

function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) + logGamma(a + b) - logGamma(a) - logGamma(b))
  // The fraction converges quickly only on this side of the mean; the other side is its mirror image.
  return x < (a + 1) / (a + b + 2)
    ? (front * betaContinuedFraction(x, a, b)) / a
    : 1 - (front * betaContinuedFraction(1 - x, b, a)) / b
}

function betaContinuedFraction(x: number, a: number, b: number): number {
  const TINY = 1e-300
  const avoidZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value)
  let c = 1
  let d = 1 / avoidZero(1 - ((a + b) * x) / (a + 1))
  let result = d
  for (let m = 1; m <= 1000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    let factor = 1
    for (const coefficient of [even, odd]) {
      d = 1 / avoidZero(1 + coefficient * d)
      c = avoidZero(1 + coefficient / c)
      factor = c * d
      result *= factor
    }
    if (Math.abs(factor - 1) < 1e-14) return result
  }
  return result
}

/** The Lanczos approximation with g = 7 and nine coefficients, accurate to 15 digits. */
function logGamma(x: number): number {
  const coefficients = [
    676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
    -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
  ]
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const base = x + 6.5
  const sum = coefficients.reduce((total, coefficient, index) => total + coefficient / (x + index), 0.99999999999980993)
  return Math.log(Math.sqrt(2 * Math.PI)) + (x - 0.5) * Math.log(base) - base + Math.log(sum)
}
