export interface RunbookSection {
  /** The fragment of links to it. */
  readonly id: string
  readonly title: string
  /** 1 to 3. */
  readonly depth: number
  /** Markdown. */
  readonly body: string
}

/** The sections of the runbook by heading, so that the link of an alert leads to its section. */
export function parseSections(text: string): RunbookSection[] {
  const [, ...parts] = `\n${text}`.split(/^(#{1,3} .+)$/m)
  const sections: RunbookSection[] = []
  for (let index = 0; index < parts.length; index += 2) {
    const [, marks = '', title = ''] = /^(#+) (.+)$/.exec(parts[index] ?? '') ?? []
    sections.push({ id: headingId(title), title, depth: marks.length, body: (parts[index + 1] ?? '').trim() })
  }
  return sections
}

/** The id that GitHub derives from a heading. */
function headingId(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\- ]/gu, '')
    .replaceAll(' ', '-')
}

/**
 * Rewrites links for this page. Links within the runbook get the address of the page, because Grafana's pages have a base
 * URL. Links to other files of the repository become text.
 */
export function rewriteLinks(markdown: string, page: string): string {
  return markdown.replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (whole, label: string, target: string) => {
    if (target.startsWith('#')) {
      return `[${label}](${page}${target})`
    }
    return /^https?:/.test(target) ? whole : label
  })
}
