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

const DIALOG = '[role="dialog"]:has(h2)'
const DIALOG_TIMEOUT_MS = 2_000

/**
 * What keeps people from using the open confirmation at the width of a desk and of a phone: texts that are cut off or lie on
 * each other, and controls that something covers when the keyboard reaches them. It leaves the page at the last width.
 */
export async function dialogFaults(page: Page): Promise<string[]> {
  const found: string[] = []
  const atPhone = page.viewportSize()?.width === PHONE_WIDTH
  for (const isPhone of [atPhone, !atPhone]) {
    const width = isPhone ? PHONE_WIDTH : 1440
    await page.setViewportSize({ width, height: isPhone ? 700 : 900 })
    const deadline = Date.now() + DIALOG_TIMEOUT_MS
    let faults: string[]
    do {
      await page.waitForTimeout(100)
      faults = [
        ...(await page.evaluate(measureTexts, { within: DIALOG, isPhone })),
        ...(await page.evaluate(coveredControls, DIALOG)),
      ]
    } while (faults.length > 0 && Date.now() < deadline)
    found.push(...faults.map((fault) => `${width} px: ${fault}`))
  }
  return found
}

/** Runs in the browser: brings each control into view as the focus does, and looks what is at its center. */
function coveredControls(within: string): string[] {
  const dialog = document.querySelector(within)
  if (dialog === null) return [`no element ${within}`]
  return Array.from(dialog.querySelectorAll('input, textarea, select, button, summary, a[href]')).flatMap((control) => {
    if (control.closest('details:not([open]) > :not(summary)')) return []
    const name = `${control.tagName.toLowerCase()} ${control.getAttribute('aria-label') ?? control.id} ${control.textContent ?? ''}`
    // The label of these is what people see and click.
    const isDrawnByLabel = control instanceof HTMLInputElement && ['checkbox', 'radio', 'file'].includes(control.type)
    const target = (isDrawnByLabel ? control.labels?.[0] : null) ?? control
    target.scrollIntoView({ block: 'nearest' })
    const { left, right, top, bottom } = target.getBoundingClientRect()
    if (right - left < 1 || bottom - top < 1) return [`without a size: ${name}`]
    if (left < 0 || right > window.innerWidth) return [`outside of the window: ${name}`]
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2)
    return hit !== null && (target.contains(hit) || hit.contains(control)) ? [] : [`covered: ${name}`]
  })
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
    if (element.closest('[role="dialog"]')) return isScrolledInDialog(element, box)
    const region = element.closest('[role="region"][tabindex="0"]')
    if (region === null || !/auto|scroll/.test(getComputedStyle(region).overflowY)) return false
    const frame = region.getBoundingClientRect()
    return box.top >= frame.bottom - box.height / 2 || box.bottom <= frame.top + box.height / 2
  }

  /** Outside of the part of a dialog that scrolls, or below its buttons, which stay at the bottom. */
  function isScrolledInDialog(element: Element, box: DOMRect): boolean {
    for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
      if (!/auto|scroll/.test(getComputedStyle(parent).overflowY)) continue
      const frame = parent.getBoundingClientRect()
      if (box.top >= frame.bottom - box.height / 2 || box.bottom <= frame.top + box.height / 2) return true
    }
    for (
      let hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
      hit !== null;
      hit = hit.parentElement
    )
      if (getComputedStyle(hit).position === 'sticky' && !hit.contains(element)) return true
    return false
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
