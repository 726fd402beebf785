export interface RunbookSection {
  /** What a link names it by. */
  readonly id: string
  readonly title: string
  /** 1 to 3. */
  readonly depth: number
  /** Markdown. */
  readonly body: string
}

/** The runbook by its headings, so that an alert's link leads to its own. */
export function parseSections(text: string): RunbookSection[] {
  const [, ...parts] = `\n${text}`.split(/^(#{1,3} .+)$/m)
  const sections: RunbookSection[] = []
  for (let index = 0; index < parts.length; index += 2) {
    const [, marks = '', title = ''] = /^(#+) (.+)$/.exec(parts[index] ?? '') ?? []
    sections.push({ id: headingId(title), title, depth: marks.length, body: (parts[index + 1] ?? '').trim() })
  }
  return sections
}

/** As GitHub makes it of a heading. */
function headingId(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-')
}

/**
 * Links for this page: within it they need its address, since Grafana's pages have a base; those to other pages of the
 * repository lead nowhere from here, and become their text.
 */
export function rewriteLinks(markdown: string, page: string): string {
  return markdown.replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (whole, label: string, target: string) => {
    if (target.startsWith('#')) {
      return `[${label}](${page}${target})`
    }
    return /^https?:/.test(target) ? whole : label
  })
}
