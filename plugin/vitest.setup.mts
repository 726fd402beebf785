import { cleanup } from '@testing-library/react'
import { afterEach } from 'vitest'

// Browsers have it, jsdom does not, and Grafana's components ask for it while they load.
window.matchMedia ??= (media) => Object.assign(new EventTarget(), { matches: false, media, onchange: null }) as never

afterEach(cleanup)
