import type { Page } from '@playwright/test'

const PHONE_WIDTH = 400
/** The widths at which people read panels, with Grafana's menu docked: their legends and tables differ at each. */
const PANEL_WIDTHS = [1280, 1440, 1920, PHONE_WIDTH] as const
/** A text that is legible at the narrowest width of a desk is legible at a wider one. */
const WIDTHS = [1280, PHONE_WIDTH] as const

const REDRAW_TIMEOUT_MS = 5_000

/** Texts that are cut off or lie on each other at some width, each with its width; empty: everything is legible. */
export async function illegibleTexts(page: Page, within: string): Promise<string[]> {
  const found: string[] = []
  const hasPanels = (await page.locator(`${within} [data-viz-panel-key]`).count()) > 0
  for (const width of hasPanels ? PANEL_WIDTHS : WIDTHS) {
    await page.setViewportSize({ width, height: 900 })
    const texts = await measureWhenDrawn(page, hasPanels, { within, isPhone: width === PHONE_WIDTH })
    found.push(...texts.map((text) => `${width} px: ${text}`))
    const pageWidth = await page.evaluate(() => document.documentElement.scrollWidth)
    if (pageWidth > width) found.push(`${width} px: the page is ${pageWidth} px wide`)
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  return found
}

/** What is still illegible after Grafana has drawn its panels again for a new size, which a busy machine does late. */
async function measureWhenDrawn(
  page: Page,
  hasPanels: boolean,
  options: { within: string; isPhone: boolean },
): Promise<string[]> {
  const deadline = Date.now() + (hasPanels ? REDRAW_TIMEOUT_MS : 0)
  for (;;) {
    await page.waitForTimeout(hasPanels ? 700 : 200)
    const texts = await page.evaluate(measureTexts, options)
    if (texts.length === 0 || Date.now() >= deadline) return texts
  }
}

/** Runs in the browser: compares the boxes of texts with those of the elements that cut them off, and with each other. */
function measureTexts({ within, isPhone }: { within: string; isPhone: boolean }): string[] {
  const TOLERANCE = 2
  interface Text {
    readonly text: string
    readonly element: Element
    readonly box: DOMRect
  }
  const root = document.querySelector(within)
  if (root === null) return [`no element ${within}`]
  const texts: Text[] = []
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement
    const text = node.textContent?.trim() ?? ''
    if (element === null || text === '' || isIgnored(element)) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    for (const box of Array.from(range.getClientRects()))
      if (box.width > 1 && box.height > 1 && !isScrolledAway(element, box)) texts.push({ text, element, box })
  }
  return [...new Set([...texts.flatMap(cutOff), ...overlaps()])]

  /** Hidden texts, closed details, and Grafana's own controls. */
  function isIgnored(element: Element): boolean {
    const { visibility, opacity } = getComputedStyle(element)
    if (visibility === 'hidden' || opacity === '0') return true
    if (
      element.closest(
        'details:not([open]) > :not(summary), option, title, style, [data-testid^="data-testid TimePicker"]',
      )
    )
      return true
    for (let parent: Element | null = element; parent !== null; parent = parent.parentElement)
      if (getComputedStyle(parent).clipPath !== 'none') return true
    return false
  }

  /** Below or above the visible part of a region that scrolls by design and that the keyboard reaches. */
  function isScrolledAway(element: Element, box: DOMRect): boolean {
    const region = element.closest('[role="region"][tabindex="0"]')
    if (region === null || !/auto|scroll/.test(getComputedStyle(region).overflowY)) return false
    const frame = region.getBoundingClientRect()
    return box.top >= frame.bottom - box.height / 2 || box.bottom <= frame.top + box.height / 2
  }

  function cutOff({ text, element, box }: Text): string[] {
    let scrollsX = false
    let scrollsY = false
    for (let parent: Element | null = element; parent !== null && parent !== root; parent = parent.parentElement) {
      const { overflowX, overflowY } = getComputedStyle(parent)
      const frame = parent.getBoundingClientRect()
      // What scrolls sideways can be reached, and so can what scrolls down, except the values of a panel.
      const inPanel = parent.closest('[data-viz-panel-key]') !== null
      const hides = (overflow: string) =>
        overflow === 'hidden' || overflow === 'clip' || (overflow !== 'visible' && inPanel && !isPhone)
      const hidesX = !scrollsX && hides(overflowX)
      const hidesY = !scrollsY && hides(overflowY)
      // What lies outside of a scroll container is cut off by that container alone.
      scrollsX ||= overflowX === 'auto' || overflowX === 'scroll'
      scrollsY ||= overflowY === 'auto' || overflowY === 'scroll'
      const outX = Math.max(box.right - frame.right, frame.left - box.left)
      const outY = Math.max(box.bottom - frame.bottom, frame.top - box.top)
      if ((hidesX && outX > TOLERANCE) || (hidesY && outY > box.height / 2)) return [`cut off: ${text.slice(0, 60)}`]
    }
    return []
  }

  function overlaps(): string[] {
    const sorted = [...texts].sort((a, b) => a.box.top - b.box.top)
    return sorted.flatMap((first, index) => {
      const found: string[] = []
      for (const second of sorted.slice(index + 1)) {
        if (second.box.top > first.box.bottom) break
        if (first.element === second.element || first.element.contains(second.element)) continue
        const x = Math.min(first.box.right, second.box.right) - Math.max(first.box.left, second.box.left)
        const y = Math.min(first.box.bottom, second.box.bottom) - Math.max(first.box.top, second.box.top)
        const isSmall = y < Math.min(first.box.height, second.box.height) / 3
        if (x > TOLERANCE && y > TOLERANCE && !isSmall && !second.element.contains(first.element))
          found.push(`overlap: ${first.text.slice(0, 40)} | ${second.text.slice(0, 40)}`)
      }
      return found
    })
  }
}
