import { expect, test } from 'vitest'
import { canonicalHash, toCanonicalJson } from './canonicalJson.ts'

// The examples of RFC 8785: 3.2.2 (values), 3.2.3 (order of members), appendix B (numbers).
test('values are written as in section 3.2.2', () => {
  const sample = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`
  expect(toCanonicalJson(JSON.parse(sample))).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
})

test('members are in the order of section 3.2.3: by UTF-16 code units', () => {
  const sample = String.raw`{
    "\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"
  }`
  expect(
    Object.values(JSON.parse(toCanonicalJson(JSON.parse(sample))) as object).filter((name) => name !== 'One'),
  ).toEqual([
    'Carriage Return',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
  expect(toCanonicalJson(JSON.parse(sample))).toMatch(/^\{"\\r":"Carriage Return","1":"One","\u0080"/)
})

test.each([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
])('the number with the bits %s is written %s, as in appendix B', (bits, text) => {
  expect(toCanonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text)
})

test.each([
  ['not a number', Buffer.from('7fffffffffffffff', 'hex').readDoubleBE()],
  ['infinity', Buffer.from('7ff0000000000000', 'hex').readDoubleBE()],
  ['a lone surrogate', { a: ['\ud800'] }],
  ['nothing', undefined],
])('%s has no canonical form', (_, value) => {
  expect(() => toCanonicalJson(value)).toThrow()
})

test('the hash is of the content, however it is written', () => {
  expect(toCanonicalJson({ b: [1, { d: null, c: 'é"' }], a: 1e21 })).toBe('{"a":1e+21,"b":[1,{"c":"é\\"","d":null}]}')
  expect(canonicalHash({ a: 1, b: 2 })).toBe(canonicalHash(JSON.parse('{ "b": 2,\n "a": 1.0 }')))
})
