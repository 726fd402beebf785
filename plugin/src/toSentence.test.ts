import { expect, test } from 'vitest'
import { toSentence } from './toSentence'

test.each([
  ['every row has a type', 'Every row has a type.'],
  ['no failed rows.', 'No failed rows.'],
  ['archive_mode is off', 'archive_mode is off.'],
  ['public.vehicles has 2 dead rows', 'public.vehicles has 2 dead rows.'],
  ['"Order" has no primary key', '"Order" has no primary key.'],
  ['300 rows', '300 rows.'],
])('%s', (text, sentence) => expect(toSentence(text)).toBe(sentence))
