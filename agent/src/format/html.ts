import { toVisibleLines } from './visibleText.ts'

const HTML_ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Escapes a text for HTML and SVG, both between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return toVisibleLines(text).replace(/[&<>"']/g, (character) => HTML_ENTITIES[character]!)
}
